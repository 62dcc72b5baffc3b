"""Two orders of the same chunks, by words and by meaning, made one by their ranks.

Source: Cormack, Clarke and Büttcher, SIGIR 2009 (k = 60).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

K = 60


def fuse(
    words: Sequence[int], meaning: Sequence[int], *, shares: Mapping[int, float]
) -> list[tuple[int, float]]:
    """(chunk, score) of both lists, each best first: the sum of 1 / (k + rank), rank from 1.

    `shares`: what a chunk's rank by words counts beside the other, 1 where nothing is said. A chunk that
    holds one word of five is found by words first where no other holds any, and that tells little.
    """
    scores = defaultdict[int, float](float)
    for place, chunk in enumerate(words, 1):
        scores[chunk] += shares.get(chunk, 1.0) / (K + place)
    for place, chunk in enumerate(meaning, 1):
        scores[chunk] += 1 / (K + place)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
