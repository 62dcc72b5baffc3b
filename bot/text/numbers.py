"""Numbers in digits and in English words, as people type them: 20, 1.5, 1,5, ½, two, twenty-five, half a.

A number that could be meant in two ways is not guessed at: 1.000 is one here and a thousand there.
"""

from __future__ import annotations

import re
from decimal import Decimal

from bot.core.errors import NotUnderstood

Tokens = tuple[str, ...]
Taken = tuple[Decimal, Tokens]  # a number, and the tokens after it

TWO_WAYS = "That number can be read in two ways: write a thousand as 1000, and one and a half as 1.5."
MOST_DIGITS = 15

# A clock time, a fraction, a number with whatever separates its digits, a word, or a mark.
_TOKEN = re.compile(r"\d+(?::\d+)+|\d+/\d+|\d+(?:[.,']\d+)*|\.\d+|[^\W\d_]+|[^\s\w]|_")
_FRACTION = re.compile(r"(\d+)/(\d+)")
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:([,'])\d{3}(?:\1\d{3})*)(?:\.\d+)?")
_COMMA = re.compile(r"\d+,\d{1,2}|0,\d+")
_POINT = re.compile(r"\d*\.\d+|\d+")
_POINT_GROUPED = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+")

_ONES = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
_VALUES = dict(zip(_ONES.split(), range(20), strict=True)) | dict(
    zip(_TENS.split(), range(20, 100, 10), strict=True)
)
_TIMES = {"hundred": 100, "thousand": 1000}
_SETS = {"couple": Decimal(2), "dozen": Decimal(12)}
_PARTS = {"half": Decimal("0.5"), "quarter": Decimal("0.25")}
_MANY_PARTS = {"halves": Decimal("0.5"), "quarters": Decimal("0.25")}
_ARTICLES = ("a", "an")


def split_tokens(text: str) -> Tokens:
    """Numbers, words and marks of a tidy text, in small letters: `1h30` is three."""
    return tuple(_TOKEN.findall(text.casefold()))


def take_number(tokens: Tokens, *, commas_group: bool = True) -> Taken | None:
    """The number that the tokens begin with; None where they begin with none.

    `commas_group`: 1,000 is a thousand; otherwise it can be read in two ways. NotUnderstood for such.
    """
    taken = _take_digits(tokens, commas_group) or _take_part(tokens) or _take_set(tokens)
    taken = taken or _take_words(tokens)
    if taken is None:
        return None
    number, rest = taken
    if rest and rest[0] in _MANY_PARTS:  # three quarters of an
        return number * _MANY_PARTS[rest[0]], skip(rest[1:], "of", *_ARTICLES)
    part = take_and_part(rest)
    return (number + part[0], part[1]) if part and part[1] else taken  # one and a half hours


def take_and_part(tokens: Tokens) -> Taken | None:
    """`and a half`, as it stands behind a number or its unit; not the beginning of `and half an hour`."""
    if tokens[:1] != ("and",):
        return None
    rest = skip(tokens[1:], *_ARTICLES)
    if not rest or rest[0] not in _PARTS or rest[1:2] in (("of",), ("a",), ("an",)):
        return None
    return _PARTS[rest[0]], rest[1:]


def skip(tokens: Tokens, *words: str) -> Tokens:
    """The tokens without these words at their beginning, each at most once and in this order."""
    for word in words:
        if tokens[:1] == (word,):
            tokens = tokens[1:]
    return tokens


def _take_digits(tokens: Tokens, commas_group: bool) -> Taken | None:
    if not tokens or not any(letter.isdigit() for letter in tokens[0]):
        return None
    number, rest = read_digits(tokens[0], commas_group=commas_group), tokens[1:]
    if rest and "/" not in tokens[0] and _FRACTION.fullmatch(rest[0]):  # 1 1/2
        return number + read_digits(rest[0]), rest[1:]
    return number, rest


def _take_part(tokens: Tokens) -> Taken | None:
    """`half a`, `a half`, `a quarter of an`."""
    rest = skip(tokens, *_ARTICLES)
    if not rest or rest[0] not in _PARTS:
        return None
    return _PARTS[rest[0]], skip(rest[1:], "of", *_ARTICLES)


def _take_set(tokens: Tokens) -> Taken | None:
    """`a couple of`, `two dozen`."""
    times, rest = _take_small(skip(tokens, "a")) or (1, skip(tokens, "a"))
    if not rest or rest[0] not in _SETS:
        return None
    return times * _SETS[rest[0]], skip(rest[1:], "of")


def _take_words(tokens: Tokens) -> Taken | None:
    """`two`, `twenty-five`, `a hundred`, `one thousand two hundred and fifty`, `an`."""
    first = _take_small(tokens)
    if first is None and tokens[:1] in (("a",), ("an",)):
        first = 1, tokens[1:]
    if first is None:
        return None
    total, rest = first
    while rest and rest[0] in _TIMES:
        total, rest = total * _TIMES[rest[0]], rest[1:]
        if more := _take_small(skip(rest, "and")):
            hundreds = more[1][:1] == ("hundred",)
            total, rest = total + more[0] * (100 if hundreds else 1), more[1][hundreds:]
    return Decimal(total), rest


def _take_small(tokens: Tokens) -> tuple[int, Tokens] | None:
    """A number word below a hundred."""
    if not tokens or tokens[0] not in _VALUES:
        return None
    value, rest = _VALUES[tokens[0]], tokens[1:]
    one = skip(rest, "-")
    if value >= 20 and one and 0 < _VALUES.get(one[0], 0) < 10:
        return value + _VALUES[one[0]], one[1:]
    return value, rest


def read_digits(word: str, *, commas_group: bool = True) -> Decimal:
    """20, 1.5, 1,5, 1,000, 3/4. NotUnderstood for what can be read in two ways, and for what is no number."""
    if sum(map(str.isdigit, word)) > MOST_DIGITS:
        raise NotUnderstood(word, "That is more than I can count.")
    if fraction := _FRACTION.fullmatch(word):
        if int(fraction[2]) == 0:
            raise NotUnderstood(word, "Nothing can be divided by zero.")
        return Decimal(fraction[1]) / Decimal(fraction[2])
    if (grouped := _GROUPED.fullmatch(word)) and (commas_group or grouped[1] == "'"):
        return Decimal(word.replace(grouped[1], ""))
    if _COMMA.fullmatch(word):
        return Decimal(word.replace(",", "."))
    if _POINT.fullmatch(word) and not _POINT_GROUPED.fullmatch(word):
        return Decimal(word)
    raise NotUnderstood(word, TWO_WAYS)
