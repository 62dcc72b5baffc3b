"""Two orders of the same chunks, by words and by meaning, made one by their ranks.

Source: Cormack, Clarke and Büttcher, SIGIR 2009, with k = 60 for lists of a thousand. Ours have sixty, often
of a few hundred chunks in all: with so large a k whatever is somewhere in both is before what is first in
one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

K = 10
_WORDS = 3.0  # what the order by words counts where all of the question's words are found


def fuse(
    words: Sequence[int], meaning: Sequence[int], *, coverage: Mapping[int, float]
) -> list[tuple[int, float]]:
    """(chunk, score) of both lists, each best first: the sum of 1 / (k + rank), rank from 1.

    `coverage`: how much of the question's words a chunk has, 0 to 1. One that has one word of five is found
    by words first where no other has any, and that tells little.
    """
    scores = defaultdict[int, float](float)
    for place, chunk in enumerate(words, 1):
        scores[chunk] += _WORDS * coverage[chunk] ** 3 / (K + place)
    for place, chunk in enumerate(meaning, 1):
        scores[chunk] += 1 / (K + place)
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
