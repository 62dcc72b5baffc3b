"""Numbers and money as documents write them: 1.234,56 and 1,234.56, €, EUR, US$.

A number whose separator could mean either, 1.234, is read by how the rest of the document writes numbers; a
sign that several currencies share, $, by the code that stands elsewhere. Where nothing tells, it stays open.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

_BLANK = "\u00a0\u202f\u2009 "
NUMBER = re.compile(
    r"(?<![\w.,])[-−+]?\s?(?:\d{1,3}(?:['’.,\u00a0\u202f\u2009 ]\d{3})+(?![\d])|\d+)"
    r"(?:[.,]\d+)?(?![\w]|[.,]\d|[./-]\d)-?"
)
_DAY_LIKE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}")
_SIGNS = {
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "zł": "PLN",
    "₺": "TRY",
    "₩": "KRW",
    "₽": "RUB",
    "₴": "UAH",
    "US$": "USD",
    "USD$": "USD",
    "CA$": "CAD",
    "C$": "CAD",
    "AU$": "AUD",
    "A$": "AUD",
    "NZ$": "NZD",
    "HK$": "HKD",
    "S$": "SGD",
    "R$": "BRL",
    "Kč": "CZK",
    "Ft": "HUF",
    "Fr.": "CHF",
    "SFr.": "CHF",
    "Euro": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "EURO": "EUR",
}
SHARED = {
    "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"),
    "¥": ("JPY", "CNY"),
    "kr": ("SEK", "NOK", "DKK"),
}
_CODES = """
EUR USD GBP CHF JPY CNY SEK NOK DKK PLN CZK HUF RON BGN TRY CAD AUD NZD SGD HKD INR BRL MXN ZAR KRW ILS AED
SAR THB IDR MYR PHP TWD RUB UAH ISK CLP COP ARS
"""
CODES = frozenset(_CODES.split())
WHOLE = frozenset({"JPY", "KRW", "CLP", "ISK"})  # without cents
_WRITTEN = "|".join(map(re.escape, sorted([*_SIGNS, *SHARED, *CODES], key=len, reverse=True)))
CURRENCY = re.compile(rf"(?<![^\W\d_])(?:{_WRITTEN})(?![^\W\d_])")

_NEAR = 12  # characters beside a number in which its currency stands
_BEFORE = re.compile(rf"({CURRENCY.pattern})[{_BLANK}:]*$")
_MINUS = re.compile(r"(?<!\w)[-−]$")
_BEHIND = re.compile(rf"[{_BLANK}]*({CURRENCY.pattern})")


@dataclass(frozen=True, slots=True)
class WrittenNumber:
    """A number where it stands in a text, with the currency beside it ("" without). `values`: what it may
    be, more than one where nobody can tell."""

    start: int
    end: int
    values: tuple[Decimal, ...]
    currency: str = ""  # a code, or a sign that several share
    decimals: int = 0

    @property
    def is_money(self) -> bool:
        return bool(self.currency) or self.decimals == 2


def list_numbers(text: str, style: str = "") -> Iterator[WrittenNumber]:
    """Every number of a text but those that are parts of days. `style`: "." or ",", as `find_style` says."""
    for match in _find_numbers(text):
        values = read_number(match[0], style)
        if not values:
            continue
        decimals = _count_decimals(match[0], values)
        start, end, currency = _find_currency(text, *match.span())
        brackets = _find_brackets(text, *match.span()) if decimals == 2 else None
        if brackets:
            outside = _find_currency(text, *brackets)
            start, end = min(start, outside[0]), max(end, outside[1])
            currency = currency or outside[2]
        if brackets or text[start] in "-−":
            values = tuple(-abs(value) for value in values)
        yield WrittenNumber(start, end, values, currency, decimals)


def read_number(written: str, style: str = "") -> tuple[Decimal, ...]:
    """What a number may be: one value, two where its separator says nothing, none where it is no number."""
    plain = re.sub(r"['’\s]", "", written)
    negative = plain.startswith(("-", "−")) or plain.endswith("-")
    plain = plain.strip("-−+")
    found = [value * (-1 if negative else 1) for value in _read_plain(plain, style)]
    return tuple(dict.fromkeys(found))


def find_style(text: str) -> str:
    """Which sign stands before the decimals in a text: "." or ","; "" where it says neither, or both."""
    seen = set[str]()
    for match in _find_numbers(text):
        signs = re.findall(r"[.,]", match[0])
        last = re.split(r"[.,]", match[0])[-1].rstrip("-")
        if len(set(signs)) == 2 or (len(signs) == 1 and len(last) == 2):
            seen.add(signs[-1])
        elif len(signs) > 1:
            seen.add("," if signs[0] == "." else ".")
    return seen.pop() if len(seen) == 1 else ""


def list_currencies(text: str) -> set[str]:
    """Codes of the currencies that a text names for sure."""
    found = {_SIGNS.get(word, word) for word in CURRENCY.findall(text)}
    return {code for code in found if code in CODES}


def list_signs(text: str) -> set[str]:
    """Signs in a text that several currencies share."""
    return {word for word in CURRENCY.findall(text) if word in SHARED}


def write_money(value: Decimal, currency: str) -> str:
    """As it is kept: "EUR 12.50"."""
    cents = Decimal(1) if currency in WHOLE and value == value.to_integral_value() else Decimal("0.01")
    exact = value.quantize(cents) if value == value.quantize(cents) else value
    return f"{currency} {exact:f}".strip()


def write_number(value: Decimal) -> str:
    """As it is kept: 1234.5"""
    return f"{value.normalize():f}" if value else "0"


def _find_numbers(text: str) -> Iterator[re.Match[str]]:
    """What looks like a number and is no part of a day."""
    days = [match.span() for match in _DAY_LIKE.finditer(text)]
    for match in NUMBER.finditer(text):
        if not _is_in_day(match, days):
            yield match


def _is_in_day(match: re.Match[str], days: Sequence[tuple[int, int]]) -> bool:
    """Whether a number overlaps with the last day that begins before its end."""
    before = bisect_left(days, (match.end(), 0))
    return before > 0 and match.start() < days[before - 1][1]


def _read_plain(plain: str, style: str) -> list[Decimal]:
    signs = re.findall(r"[.,]", plain)
    parts = re.split(r"[.,]", plain)
    if not all(part.isdigit() for part in parts):
        return []
    if not signs:
        return [Decimal(plain)]
    grouped = len(parts[0]) <= 3 and all(len(part) == 3 for part in parts[1:])
    if len(set(signs)) == 2:
        inner = len(parts[0]) <= 3 and all(len(part) == 3 for part in parts[1:-1])
        alone = signs.count(signs[-1]) == 1
        return [Decimal("".join(parts[:-1]) + "." + parts[-1])] if inner and alone else []
    if len(signs) > 1:
        return [Decimal("".join(parts))] if grouped else []
    decimal = Decimal(".".join(parts))
    if not grouped or parts[0].startswith("0"):
        return [decimal]
    if style and style != signs[0]:
        return [Decimal("".join(parts))]
    return [Decimal("".join(parts)), decimal]


def _count_decimals(written: str, values: tuple[Decimal, ...]) -> int:
    if len(values) > 1:
        return 0
    exponent = values[0].as_tuple().exponent
    return -exponent if isinstance(exponent, int) and re.search(r"[.,]", written) else 0


def _find_brackets(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Brackets right round a number, in which bookkeepers write what is below zero: (54.00)."""
    opened = text.rfind("(", max(0, start - _NEAR), start)
    closed = re.compile(rf"[{_BLANK}]*(?:{CURRENCY.pattern})?[{_BLANK}]*\)").match(text, end)
    if opened < 0 or closed is None or CURRENCY.sub("", text[opened + 1 : start]).strip():
        return None
    return opened, closed.end()


def _find_currency(text: str, start: int, end: int) -> tuple[int, int, str]:
    """The currency right before or behind a number, and where the two begin and end."""
    near = max(0, start - _NEAR)
    before = _BEFORE.search(text[near:start])
    behind = _BEHIND.match(text[end : end + _NEAR])
    if before:
        begin = near + before.start(1)
        return begin - bool(_MINUS.search(text[:begin][-2:])), end, _SIGNS.get(before[1], before[1])
    if behind:
        return start, end + behind.end(), _SIGNS.get(behind[1], behind[1])
    return start, end, ""
