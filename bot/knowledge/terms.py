"""The words that chunks are found by: what is written becomes stems, and a question loses its small words.

A script without blanks (Chinese, Japanese, Korean, Thai) is found by each two letters that stand together.
Both sides of a search pass through here, so what is kept in the database fits only this version of it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from bot.ml.features import strip_invisible
from bot.ml.stemming import COMMON, NEGATIONS, stem

_WORD = re.compile(r"[^\W_]+")
_NO_BLANKS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")
_LONGEST = 60  # letters; longer ones are no words


def list_terms(text: str) -> list[str]:
    """Every word of a text in order, as it is indexed."""
    found = list[str]()
    for word in _WORD.findall(_plain(text)):
        found += _divide(word)
    return found


def list_asked(question: str) -> list[str]:
    """The words of a question that it is searched by, each once."""
    words = [word for word in _WORD.findall(_plain(question)) if word not in COMMON | NEGATIONS]
    return list(dict.fromkeys(term for word in words for term in _divide(word)))


def list_letters(word: str) -> str:
    """What a word is found by when it is misspelt or composed: each three of its letters."""
    framed = f"_{word}_"
    return " ".join(dict.fromkeys(framed[at : at + 3].replace("_", "0") for at in range(len(framed) - 2)))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", strip_invisible(text)).casefold()


@lru_cache(maxsize=100_000)
def _divide(word: str) -> tuple[str, ...]:
    if not _NO_BLANKS.search(word):
        return (stem(word)[:_LONGEST],)
    found = list[str]()
    at = 0
    for run in _NO_BLANKS.finditer(word):
        found += [stem(word[at : run.start()])[:_LONGEST]] if run.start() > at else []
        found += [run[0][i : i + 2] for i in range(max(1, len(run[0]) - 1))]
        at = run.end()
    return tuple(found + ([stem(word[at:])[:_LONGEST]] if at < len(word) else []))
