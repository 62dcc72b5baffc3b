"""Days as documents write them. 03.04.2026 is the third of April; 03/04/2026 may be the fourth of March.

Which it is tells another day of the same document, 25/04/2026, or nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

from bot.knowledge.stated_numbers import MONTHS

DayOrder = Literal["", "dmy", "mdy"]
_MONTH = "|".join(
    sorted((word for word in MONTHS if word.isascii() or word.isalpha()), key=len, reverse=True)
)
_DAY = re.compile(
    r"(?<![\w./-])(?:"
    r"(?P<iso>\d{4}[-/.]\d{1,2}[-/.]\d{1,2})"
    r"|(?P<dotted>\d{1,2}\.\s?\d{1,2}\.\s?(?:\d{4}|\d{2}))"
    r"|(?P<slashed>\d{1,2}[/-]\d{1,2}[/-](?:\d{4}|\d{2}))"
    rf"|(?P<named>\d{{1,2}}(?:\.|st|nd|rd|th|er|º)?(?:\s+(?:of|de|di)\s+|[\s.-]+)(?:{_MONTH})\b\.?,?[\s.-]*(?:(?:of|de|del)\s+)?\d{{4}})"
    rf"|(?P<american>(?:{_MONTH})\b\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}})"
    r"|(?P<wide>\d{4}\s?年\s?\d{1,2}\s?月\s?\d{1,2}\s?日)"
    r")(?![\w/]|-\d|\.\d)",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class WrittenDay:
    """A day where it stands in a text. `days`: what it may be, as 2026-04-03, the third of April first."""

    start: int
    end: int
    days: tuple[str, ...]
    slashed: bool = False


def list_days(text: str, order: DayOrder = "") -> Iterator[WrittenDay]:
    """Every day of a text. `order`: how it writes days with slashes, as `find_order` says."""
    for match in _DAY.finditer(text):
        slashed = match["slashed"] is not None
        if days := _read(match, order):
            yield WrittenDay(*match.span(), days, slashed)


def read_days(written: str, order: DayOrder = "") -> tuple[str, ...]:
    """What one day may be; none where it is no day."""
    found = _DAY.fullmatch(written.strip())
    return _read(found, order) if found else ()


def find_order(text: str) -> DayOrder:
    """How a text writes days with slashes, where one of them can be read in one way only."""
    seen = set[DayOrder]()
    for match in _DAY.finditer(text):
        if match["slashed"]:
            first, second, _ = map(int, re.split(r"[/-]", match["slashed"]))
            if first > 12 >= second:
                seen.add("dmy")
            elif second > 12 >= first:
                seen.add("mdy")
    return seen.pop() if len(seen) == 1 else ""


def _read(match: re.Match[str], order: DayOrder) -> tuple[str, ...]:
    numbers = [int(part) for part in re.findall(r"\d+", match[0])]
    if match["iso"] or match["wide"]:
        return _make(numbers[0], numbers[1], numbers[2])
    if match["named"] or match["american"]:
        month = next(MONTHS[word] for word in _WORDS.findall(match[0].casefold()) if word in MONTHS)
        return _make(numbers[1], month, numbers[0])
    year = numbers[2] + (2000 if numbers[2] < 100 else 0)
    day_first, month_first = _make(year, numbers[1], numbers[0]), _make(year, numbers[0], numbers[1])
    if match["dotted"] or order == "dmy":
        return day_first
    if order == "mdy":
        return month_first
    return tuple(dict.fromkeys(day_first + month_first))


def _make(year: int, month: int, day: int) -> tuple[str, ...]:
    try:
        return (date(year, month, day).isoformat(),)
    except ValueError:
        return ()
