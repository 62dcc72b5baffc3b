"""Whether the numbers, dates and names of an answer stand in what it quotes.

What the question says need not be quoted, nor what the title and the heading above a quote say. Where a text
is of another language, or says a number in a way that is not read here, doubt speaks for the answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from bot.knowledge.stated_names import list_names
from bot.knowledge.stated_numbers import MONTHS, UNREAD, WEEKDAYS, Readings, list_numbers, list_spelled

# "1." at the start of a line, "[1]" and "page 3" count what is said, and say nothing.
_MARKS = re.compile(r"^\s*(?:\d+[.)]|[-*•])\s|\[\d+(?:, ?\d+)*\]", re.MULTILINE)
_ITEMS = re.compile(r",|;|\n|、|，|\band\b|\bund\b|\bet\b|\by\b|\be\b|\ben\b|\bor\b|\boder\b", re.IGNORECASE)
_FIRST_LETTERS = re.compile(r"\b[^\W\d_]")
_AKIN = 4  # letters; names that begin with the same ones are forms of one


def find_uncovered_numbers(answer: str, quotes: str, *, known: str = "") -> list[str]:
    """What an answer states in numbers, months and weekdays that neither its quotes nor `known` say."""
    said, shown = _MARKS.sub(" ", answer), f"{quotes}\n{known}"
    there = _join([*list_numbers(shown), *list_spelled(shown)])
    lenient = UNREAD.search(quotes) is not None
    counts = {f"d{n}" for n in _count_items(said, quotes)}
    missing = [number for number in list_numbers(said) if not number & (there | counts)]
    if _join([*list_numbers(quotes), *list_spelled(quotes)]):
        spelled = [number for number in list_spelled(said) if not number & {"d0", "d1"}]
        missing += [number for number in spelled if not number & (there | counts)]
    if lenient and len(missing) < 2:
        return []
    return [min(number) for number in missing]


def find_uncovered_names(answer: str, quotes: str, *, known: str = "", nouns: bool = False) -> list[str]:
    """The names in an answer that neither its quotes nor `known` have, in one form or another."""
    there = unicodedata.normalize("NFKC", f"{quotes}\n{known}").casefold()
    words = set(re.findall(r"\w+", there))
    initials = "".join(_FIRST_LETTERS.findall(there))
    return [
        name
        for name in list_names(_MARKS.sub(" ", unicodedata.normalize("NFKC", answer)), nouns=nouns)
        if not _is_there(name.casefold(), there, words, initials)
    ]


def _is_there(name: str, text: str, words: Iterable[str], initials: str) -> bool:
    parts = [part for part in re.split(r"[\W_]+", name) if part and part != "s"]
    if name in MONTHS or name in WEEKDAYS or name in text:
        return True
    if name.isalpha() and len(name) <= _AKIN and name in initials:
        return True
    return all(any(_are_akin(part, word) for word in words) for part in parts)


def _are_akin(one: str, other: str) -> bool:
    return one == other or (
        min(len(one), len(other)) >= _AKIN and (one[:_AKIN] == other[:_AKIN] or one in other or other in one)
    )


def _count_items(said: str, quotes: str) -> set[int]:
    """How many things are listed: an answer may count them."""
    return {
        len([part for part in _ITEMS.split(text) if part.strip()]) for text in (said, quotes, *_lines(quotes))
    } - {0, 1}


def _lines(text: str) -> Sequence[str]:
    return [part.rpartition(":")[2] for part in text.split("\n")]


def _join(numbers: Iterable[Readings]) -> frozenset[str]:
    return frozenset().union(*numbers)
