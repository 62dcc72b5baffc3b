"""What common English words mean, as short vectors shipped in the package: 22,606 words, 64 numbers each.

The table was distilled once from all-MiniLM-L6-v2 (Apache-2.0, see NOTICE) by ``tests/ml/make_lexicon.py``:
each word's sentence vector, reduced to its 64 main axes, longer for rarer words. A text is the mean of its
words. It costs microseconds and no dependency, and knows that a refund is closer to money back than to a
flight. Real sentence embeddings, which read the order of words, are in ``bot.ml.minilm``.
"""

from __future__ import annotations

import re
import zlib
from array import array
from collections.abc import Sequence
from functools import cache, lru_cache
from operator import add
from pathlib import Path

DIMENSIONS = 64
_FILE = Path(__file__).with_name("lexicon.bin")
_WORD = re.compile(r"[a-z]+|[0-9]+")


@cache
def _table() -> tuple[dict[str, int], bytes]:
    """(word → row, rows of signed bytes). The file is zlib: the words, one a line, an empty line, the
    rows.
    """
    names, _, rows = zlib.decompress(_FILE.read_bytes()).partition(b"\n\n")
    return {word: i for i, word in enumerate(names.decode("ascii").split("\n"))}, rows


def rank(word: str) -> int | None:
    """Place of a lower-case word in order of frequency, 0 the commonest; None when it is not in the table."""
    return _table()[0].get(word)


@lru_cache(maxsize=20_000)
def word_vector(word: str) -> Sequence[int] | None:
    """The 64 numbers (-127 to 127) of a lower-case word; None when it is not in the table."""
    index, rows = _table()
    row = index.get(word)
    return None if row is None else array("b", rows[row * DIMENSIONS : (row + 1) * DIMENSIONS])


def text_vector(text: str) -> list[float]:
    """Unit vector of a lower-case text; all zeros when no word of it is in the table."""
    known = [v for v in map(word_vector, _WORD.findall(text)) if v is not None]
    if not known:
        return [0.0] * DIMENSIONS
    total: Sequence[int] = known[0]
    for vector in known[1:]:
        total = list(map(add, total, vector))
    norm = sum(x * x for x in total) ** 0.5 or 1.0
    return [x / norm for x in total]
