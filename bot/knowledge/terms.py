"""The words that chunks are found by: what is written becomes stems, and a question loses its small words.

A script without blanks (Chinese, Japanese, Korean, Thai) is found by each two letters that stand together.
Both sides of a search pass through here, so what is kept in the database fits only this version of it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from bot.knowledge.small_words import drop_small
from bot.ml.features import strip_invisible
from bot.ml.stemming import stem

_WORD = re.compile(r"\d{1,3}(?:[.,]\d{3})+(?!\d)|[^\W_]+")
_NO_BLANKS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_LONE = re.compile("[\u3400-\u9fff]")  # a sign that says something alone
_GRAMMAR = re.compile("[\u3040-\u309f]+")  # Hiragana, which alone is mostly grammar
_LATIN_MARK = re.compile("(?<=[a-z])[\u0300-\u036f]+")
_LONGEST = 60  # letters; longer ones are no words
_IES = re.compile("(?<=...)ie[sd]$")
_GERMAN = re.compile("(?<=....)(?:en|em|ern)$")


def list_terms(text: str) -> list[str]:
    """Every word of a text in order, as it is indexed."""
    return [term for word in list_written(text) for term in _divide(word)]


def list_written(text: str) -> list[str]:
    """The words as they are written, in small letters and without marks over Latin ones."""
    return _WORD.findall(_plain(text))


def list_asked(question: str) -> list[str]:
    """The words of a question that it is searched by, each once; all of them where all are small."""
    words = list_written(question)
    terms = [term for word in drop_small(words) for term in _divide(word)]
    return list(dict.fromkeys([term for term in terms if not _GRAMMAR.fullmatch(term)] or terms))


@lru_cache(maxsize=50_000)
def list_letters(word: str) -> str:
    """What a word is found by when it is misspelt or composed: each three of its letters."""
    framed = f"0{word}0"
    return " ".join(dict.fromkeys(framed[at : at + 3] for at in range(len(framed) - 2)))


def _plain(text: str) -> str:
    """Without marks over Latin letters, which many leave out."""
    plain = unicodedata.normalize("NFKC", strip_invisible(text)).casefold()
    if plain.isascii():
        return plain
    return unicodedata.normalize("NFC", _LATIN_MARK.sub("", unicodedata.normalize("NFD", plain)))


@lru_cache(maxsize=100_000)
def _divide(word: str) -> tuple[str, ...]:
    if word[0].isdigit():
        word = word.replace(".", "").replace(",", "")
    if not _NO_BLANKS.search(word):
        return (_stem(word),)
    found = list[str]()
    at = 0
    for run in _NO_BLANKS.finditer(word):
        found += [_stem(word[at : run.start()])] if run.start() > at else []
        found += [run[0][i : i + 2] for i in range(len(run[0]) - 1)]
        found += _LONE.findall(run[0]) if len(run[0]) > 1 else [run[0]]
        at = run.end()
    return tuple(found + ([_stem(word[at:])] if at < len(word) else []))


def _stem(word: str) -> str:
    return stem(_IES.sub("y", _GERMAN.sub("", word)))[:_LONGEST]
