"""Spans of time as people type them: 7d, 90 minutes, 1,5 hours, two weeks, half an hour, 1h30.

The one reader for every place in which somebody says how long.
"""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from bot.core.errors import NotUnderstood
from bot.text.numbers import Tokens, skip, split_tokens, take_and_part, take_number
from bot.text.typed import find_nearest, tidy

HINT = "Give a time like 90 minutes, 1.5 hours, 7 days or 2 weeks."
CLOCK_HINT = "Write 1 h 30 min, or 1:30:00 with its seconds."
NO_FIXED_LENGTH = "Months and years differ in length: give days or weeks, like 30 days."
MOST_DAYS = 36_500
_NAMES = {
    1: "s sec secs second seconds",
    60: "m min mins minute minutes",
    3600: "h hr hrs hour hours",
    86_400: "d day days",
    604_800: "w wk wks week weeks",
    1_209_600: "fortnight fortnights",
}
UNITS = {name: seconds for seconds, names in _NAMES.items() for name in names.split()}
_UNSTEADY = frozenset(("mo", "mos", "month", "months", "y", "yr", "yrs", "year", "years"))
# What a number without a unit counts behind one: 1h30, 5m30.
_FINER = {3600: 60, 60: 1}
_CLOCK = re.compile(r"(\d+):([0-5]\d):([0-5]\d)")


def read_duration(words: str, *, bare: str = "") -> timedelta:
    """The span of time in these words, more than nothing. NotUnderstood says what is wrong.

    `bare`: the unit of a number that stands alone; without it such a number is not understood.
    """
    tokens = skip(split_tokens(tidy(words).rstrip(" .,!?")), "for")
    seconds = _read_clock(tokens) or _read_parts(words, tokens, bare)
    if not 0 < seconds <= MOST_DAYS * 86_400:
        raise NotUnderstood(words, HINT)
    return timedelta(seconds=float(seconds))


def resembles_duration(words: str) -> bool:
    """Whether somebody probably meant a span of time: numbers, and words that are units or nearly so."""
    typed = skip(split_tokens(tidy(words)), "for")
    tokens = [token for token in typed if token.isalnum() or token[0].isdigit()]
    if len(tokens) > 6:
        return False
    try:
        taken = take_number(tuple(tokens), commas_group=False)
    except NotUnderstood:
        return True
    if taken is None:
        return False
    after = taken[1]
    return not after or after[0] in UNITS or after[0] in _UNSTEADY or bool(_near_units(after[0]))


def _near_units(word: str) -> bool:
    return len(word) > 3 and bool(find_nearest(word, (name for name in UNITS if len(name) > 3)))


def _read_clock(tokens: Tokens) -> int:
    """1:30:00; 1:30 alone could be minutes as well."""
    found = _CLOCK.fullmatch(tokens[0]) if len(tokens) == 1 else None
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3]) if found else 0


def _read_parts(words: str, tokens: Tokens, bare: str) -> Decimal:
    """Sums up `2 hours 30 minutes`."""
    total, last, seen = Decimal(0), 0, set[int]()
    while tokens:
        if seen:
            tokens = skip(tokens, ",", "and", "&", "+")
        if tokens and ":" in tokens[0]:
            raise NotUnderstood(words, CLOCK_HINT)
        taken = take_number(tokens, commas_group=False)
        if taken is None:
            raise NotUnderstood(words, HINT)
        number, tokens = taken
        unit, tokens = _take_unit(words, tokens, _FINER.get(last, 0) or (0 if seen else UNITS.get(bare, 0)))
        if unit in seen and number >= 1:
            raise NotUnderstood(words, HINT)
        if part := take_and_part(tokens):  # an hour and a half
            number, tokens = number + part[0], part[1]
        total += number * unit
        last = unit
        seen.add(unit)
    return total


def _take_unit(words: str, tokens: Tokens, alone: int) -> tuple[int, Tokens]:
    """The seconds of the unit; `alone`: of a number at the end without one, 0 where it needs one."""
    if not tokens and alone:
        return alone, tokens
    named = skip(tokens, "-")
    if named and named[0] in UNITS:
        return UNITS[named[0]], skip(named[1:], ".") if len(named) > 2 else named[1:]
    raise NotUnderstood(words, NO_FIXED_LENGTH if named and named[0] in _UNSTEADY else HINT)
