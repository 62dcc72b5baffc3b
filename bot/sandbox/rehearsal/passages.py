"""Finds, in the numbered passages of a request, what answers a question: a sentence, or a row of a table.

A line counts by the words of the question that it has, rare ones more than frequent ones; what its heading
and its table's header say counts for half. Words are compared by their stems and by a few that mean the same.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.sandbox.rehearsal.words import content_words, meanings, sentences, whole_words

ENOUGH = 0.42  # share of a question's weight that its answer must hold
ENOUGH_OF_TWO = 0.52
_BESIDE = 0.55  # what a word counts that stands in the heading or the header alone
_AROUND = 0.4  # …or in the rest of the passage
_BASE = 1.5  # of a word that every line has
_EXACT = 0.05  # what a word counts more that is not only alike
_LEAST_OWN = 0.2  # of the weight must stand in the line itself
_PASSAGE = re.compile(r"^\[(\d+)\] (.+?)(?=\n\n\[\d+\] |\Z)", re.S | re.M)
_ORIGIN = re.compile(r"(?P<where>[^\n]+?)(?:, added on [\d-]+|(?<=”)):\n")  # a note's ends with its title
_CELLS = re.compile(r"\s*\|\s*")
_ENDING = re.compile(r"(?<=\w{3})(ed|ing|e)$")  # "moving" is "move"
_CONTENTS = re.compile(r"•?\s*(page|slide) \d+\b", re.I)  # a line of a table of contents
_LEAST_QUOTE = 3  # words of a quote
# Of a question, words that ask and mean nothing themselves.
_ASKING_WORDS = """
anybody big early everybody far find kind know late long many mean much often old really said say says
somebody someone soon sort tell there
"""
_ASKING = frozenset(_ASKING_WORDS.split())


@dataclass(frozen=True, slots=True)
class Evidence:
    """What answers a question. `quotes` stand word for word in the passage of that number."""

    number: int
    text: str
    quotes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str
    own: frozenset[str]
    beside: frozenset[str]
    around: frozenset[str]
    header: str = ""
    asked: bool = False  # its title is a question, which it answers


def read_passages(text: str) -> list[tuple[int, str]]:
    """The numbered passages in a text."""
    return [(int(number), passage) for number, passage in _PASSAGE.findall(text)]


def find_evidence(passages: Sequence[tuple[int, str]], question: str) -> Evidence | None:
    """The line that answers, if one does."""
    lines = [line for number, text in passages for line in _split(number, text)]
    weights = _weigh(_read_words(question) - _ASKING, lines)
    if not weights:
        return None
    exact = set(content_words(question))
    best = max(
        lines,
        key=lambda line: _score(line, weights) + _EXACT * len(exact & set(content_words(line.text))),
        default=None,
    )
    return _quote(best) if best and _score(best, weights) >= _least(weights) else None


def _least(weights: Mapping[str, float]) -> float:
    """Of two words, one alone is often of another thing: the code of the door is no dress code."""
    return ENOUGH_OF_TWO if len(weights) == 2 else ENOUGH


def _split(number: int, passage: str) -> list[_Line]:
    """A passage in lines, without the line above it that says where it stands."""
    origin = _ORIGIN.match(passage)
    where = origin["where"] if origin else ""
    body = passage[origin.end() :] if origin else passage
    rows = [row for row in body.splitlines() if "|" in row]
    header = rows[0] if len(rows) > 1 else ""
    around = _read_words(body)
    told = sentences(body)
    leads = " ".join(text for text in told if text.endswith(":"))  # they say what the rows below are
    return [
        _Line(
            number,
            text,
            _read_words(text),
            _read_words(f"{where} {leads} {header if '|' in text else ''}"),
            around if "|" not in text else frozenset(),
            header,
            "?" in where,
        )
        for text in told
        if text != header and not _CONTENTS.match(text) and not text.endswith(":")
    ]


def _read_words(text: str) -> frozenset[str]:
    return frozenset(_ENDING.sub("", word) for word in meanings(text))


def _weigh(asked: frozenset[str], lines: Sequence[_Line]) -> Mapping[str, float]:
    """What each word of a question counts: the fewer lines have it, the more."""
    seen = Counter(word for line in lines for word in line.own | line.beside)
    return {word: math.log((len(lines) + 2) / (seen[word] + 1)) + _BASE for word in asked}


def _score(line: _Line, weights: Mapping[str, float]) -> float:
    total = sum(weights.values())
    own = sum(weight for word, weight in weights.items() if word in line.own)
    if line.asked and all(word in line.beside | line.own for word in weights):
        return 1.0
    if own < _LEAST_OWN * total:
        return 0.0
    beside = sum(weight for word, weight in weights.items() if word in line.beside - line.own)
    around = sum(weight for word, weight in weights.items() if word in line.around - line.own - line.beside)
    return (own + _BESIDE * beside + _AROUND * around) / total


def _quote(line: _Line) -> Evidence:
    """A sentence is quoted as it is; a row of a table is told with the names of its columns."""
    if "|" not in line.text or not line.header:
        return Evidence(line.number, line.text, (line.text,))
    names, cells = _CELLS.split(line.header), _CELLS.split(line.text)
    told = ", ".join(f"{name}: {cell}" for name, cell in zip(names[1:], cells[1:], strict=False))
    quotes = [one for one in (line.header, line.text) if len(whole_words(one)) >= _LEAST_QUOTE]
    return Evidence(line.number, f"{cells[0]} – {told}.", tuple(quotes or (line.text,)))
