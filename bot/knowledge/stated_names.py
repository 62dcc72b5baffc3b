"""The names that a text states: words with a capital where its language gives none to other words.

In German, where every noun has one, a name is what stands beside another such word or behind "Frau"; in
scripts without capitals, a word in Latin letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from bot.ml import lexicon
from bot.ml.stemming import COMMON

_WORD = re.compile(r"[^\W\d_][\w’'-]*")
_SENTENCE = re.compile(r"(?:^|[.!?:;\n•。！？：]|[-*]\s|\d[.)]\s)[\s\"“„«(\[*_]*")
_TITLES = {"herr", "herrn", "frau", "dr", "prof", "mr", "mrs", "ms"}
_WORDS_ALONE = """
i i'm i'll i've ok pm am tv pdf id no yes bzw usw oui non sí si ja nein sim não nee twice both none nobody
everybody everyone anybody anyone nothing partly correct indeed
"""
# Written with a capital, and of no use in telling one statement from another.
_NO_NAMES = set(_WORDS_ALONE.split())
_ENDS_SOON = re.compile(r"\s*(?:[,.;(]|$|and\s+[A-Z])")
_EVERYDAY = 1_000  # of the commonest words
_SHORT = 2


def list_names(text: str, *, nouns: bool) -> list[str]:
    """Names in a text, each once. `nouns`: its language writes nouns with a capital."""
    found = _list_paired(text) if nouns else _list_capitals(text)
    return list(dict.fromkeys(name for name in found if name.casefold() not in _NO_NAMES))


def _list_capitals(text: str) -> Iterator[str]:
    """Words with a capital that do not begin a sentence; those that do, where nobody writes them small."""
    starts = {match.end() for match in _SENTENCE.finditer(text)}
    for word in _WORD.finditer(text):
        if len(word[0]) < _SHORT or not word[0][0].isupper():
            continue
        alone = _ENDS_SOON.match(text, word.end()) and not word[0].endswith("ly")
        if word.start() not in starts or _is_unusual(word[0]) or (alone and not is_everyday(word[0])):
            yield word[0]


def is_everyday(word: str) -> bool:
    """Whether it is a word that often begins a sentence: "Yes, …"."""
    rank = lexicon.rank(word.casefold())
    return word.casefold() in COMMON or (rank is not None and rank < _EVERYDAY)


def _is_unusual(word: str) -> bool:
    """An abbreviation, or a mixed spelling."""
    return word[1:] != word[1:].lower() and word.casefold() not in COMMON


def _list_paired(text: str) -> Iterator[str]:
    words = list(_WORD.finditer(text))
    for before, word in pairwise(words):
        beside = text[before.end() : word.start()] in (" ", ". ")
        if not beside or not word[0][0].isupper() or len(word[0]) < _SHORT:
            continue
        if before[0].casefold() in _TITLES:
            yield word[0]
    yield from (word[0] for word in words if _is_unusual(word[0]))
