"""How words are compared when a question is held against a passage: stems, weights, likeness.

English only in its lists; in other languages words simply match as written.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from operator import mul

from bot.ml import lexicon

_TOKEN = re.compile(r"\d[\d.,]*\d|\w+")
_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+(?=[\"'(\[]?[A-Z0-9])")

# Words that say nothing about the subject of a question.
_COMMON = """
    a about after all also am an and any are as at be been before being between both but by can could did do
    does done during each for from had has have having he her here him his how i if in into is it its just
    may me might more most must my no nor not of on only or other our over own s same shall she should so
    some such t than that the their them then there these they this those to under us very was we were what
    when where which who whom whose why will with would you your
"""
_NEGATIONS = """
    aren cannot couldn didn doesn don hadn hasn haven isn neither never no none nor not t wasn weren without
    won wouldn
"""
COMMON, NEGATIONS = frozenset(_COMMON.split()), frozenset(_NEGATIONS.split())
_ENDINGS = (  # (ending, letters that must stay)
    *(
        ("ations", 5),
        ("ation", 5),
        ("ments", 4),
        ("ment", 4),
        ("ingly", 4),
        ("edly", 4),
        ("ings", 4),
        ("ing", 4),
    ),
    *(
        ("ies", 3),
        ("ied", 3),
        ("ness", 4),
        ("ers", 4),
        ("ion", 4),
        ("ions", 4),
        ("ed", 3),
        ("es", 3),
        ("er", 4),
    ),
    *(("ly", 3), ("s", 3), ("e", 4)),
)
_UNKNOWN_RANK = 22_606  # words in the lexicon, which stands in order of frequency


def split_words(text: str) -> list[str]:
    return _TOKEN.findall(text)


def split_sentences(text: str) -> list[str]:
    return _SENTENCE_END.split(text)


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """The word without its commonest ending, so that "founded", "founder" and "founds" are one."""
    for ending, stays in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= stays:
            word = word[: -len(ending)]
            break
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word[:-1] + "i" if len(word) > 3 and word[-1] == "y" else word


@lru_cache(maxsize=50_000)
def weight(word: str) -> float:
    """How much a lower-case word says, about 1 for frequent words to 7 for unknown ones."""
    rank = lexicon.rank(word)
    return math.log(30 + (_UNKNOWN_RANK if rank is None else rank)) - 3


@lru_cache(maxsize=50_000)
def _direction(word: str) -> Sequence[float] | None:
    vector = lexicon.word_vector(word)
    if vector is None:
        return None
    norm = math.sqrt(sum(x * x for x in vector)) or 1.0
    return [x / norm for x in vector]


@lru_cache(maxsize=200_000)
def likeness(a: str, b: str) -> float:
    """0 to 1: cosine of the two words' meanings; for unknown words the share of a common beginning."""
    if a == b:
        return 1.0
    u, v = _direction(a), _direction(b)
    if u is not None and v is not None:
        return max(0.0, float(sum(map(mul, u, v))))
    common = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        common += 1
    return common / max(len(a), len(b)) if common >= 4 else 0.0
