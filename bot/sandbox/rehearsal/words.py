"""Splits text into words and measures how near two texts are: enough for a rehearsal, no language model.

Used for the vectors of /v1/embeddings, for verdicts, and to find the sentence that holds an answer.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import defaultdict
from functools import lru_cache
from itertools import pairwise

_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_STEM = 6  # letters of a word that count: cheap, and good enough for English and German endings

_COMMON = """
a about above after again all also am an and any are as at be because been before being both but by can
could did do does doing done down each few for from further get got had has have having he her here hers
him his how i if in into is it its just know let like make may me might more most my need no nor not now
of off on once only or other our out over own please same say says she should so some such tell than that
the their them then there these they thing this those through to too under until up us use very want was
we were what when where which while who whom why will with would you your yours der die das ein eine und
oder ist sind war ich du er sie es wir ihr nicht mit von zu im in auf fur für den dem des wie was wer wo
wann warum kann bitte parley question answer context passage message channel team assistant helpful
"""
STOP_WORDS = frozenset(_COMMON.split())


def content_words(text: str) -> list[str]:
    """The words that carry meaning, lower case and cut to their stems, in order."""
    return [_stem(word) for word in whole_words(text)]


def whole_words(text: str) -> list[str]:
    """The words that carry meaning as they are written, lower case."""
    found = (word.lower() for word in _WORD.findall(text))
    return [word for word in found if word not in STOP_WORDS and (len(word) > 1 or word.isdigit())]


def sentences(text: str) -> list[str]:
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]


def overlap(one: str, two: str) -> float:
    """Share of the first text's content words that the second has; 0 when it has none."""
    words = set(content_words(one))
    return len(words & set(content_words(two))) / len(words) if words else 0.0


# Words that mean about the same where somebody asks for something.
_ALIKE = """
sick ill unwell flu cold malade krank|holiday vacation pto off break leave urlaub urlaubstage vacances
doctor physician medic arzt|laptop computer machine macbook screen notebook ノートパソコン
broken smashed died defective dead kaputt|hotel room hotels|journey trip travel fly flight rail train tickets
receipt bill invoice taxi|cost expensive price costar|desk hours office start evening morning
chooses new get|tell call inform|euro money
"""
_MEANING = {
    word: group.split()[0] for group in _ALIKE.replace("\n", "|").split("|") for word in group.split()
}


def meanings(text: str) -> frozenset[str]:
    """The words of a text by what they mean: of those alike one, of the others the stem."""
    found = [word.lower() for word in _WORD.findall(text)]
    known = {
        _MEANING[word]
        for word in (w for one in found for w in (one, one.removesuffix("s")))
        if word in _MEANING
    }
    return frozenset(known) | {
        _stem(word)
        for word in whole_words(text)
        if word not in _MEANING and word.removesuffix("s") not in _MEANING
    }


def vector(text: str, dimensions: int) -> list[float]:
    """A unit vector in which similar texts are near: words, word pairs and letter triples by their hash."""
    values = [0.0] * dimensions
    for feature, weight in _features(text).items():
        place = _hash(feature)
        values[place % dimensions] += weight if place & 0x80000000 else -weight
    length = math.sqrt(sum(value * value for value in values))
    if not length:
        values[0] = length = 1.0
    return [value / length for value in values]


def _features(text: str) -> dict[str, float]:
    every = [word.lower() for word in _WORD.findall(text)]
    kept = content_words(text)
    features: defaultdict[str, float] = defaultdict(float)
    for word in every:
        features["w " + word] += 0.3
    for word in kept:
        features["s " + word] += 2.0
        for at in range(len(word) - 2):
            features["t " + word[at : at + 3]] += 0.5
    for pair in pairwise(kept):
        features["p " + " ".join(pair)] += 1.0
    return features


def _stem(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        word = word[:-3] + "y"
    elif len(word) > 3 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    return word[:_STEM]


@lru_cache(maxsize=20_000)
def _hash(feature: str) -> int:
    return zlib.crc32(feature.encode()) ^ (zlib.adler32(feature.encode()) << 7 & 0xFFFFFFFF)
