"""Reads the values of a form from the pages of a document, by the labels beside them, and errs as models do.

Of two lines that could be meant it takes the first; asked once more, the last. It never looks whether sums
add up, and takes what stands at the top for the name of whoever wrote the document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

_MONTH = r"(?:jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[^\W\d_]*\.?"  # as it begins
_DAY = rf"\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}[./]\s?\d{{1,2}}[./]\s?\d{{2,4}}|\d{{1,2}}\.?\s{_MONTH}\s\d{{4}}"
_SHAPES = {
    "date": re.compile(rf"{_DAY}|{_MONTH}\s\d{{1,2}},?\s\d{{4}}", re.I),
    "money": re.compile(
        r"(?:(?:EUR|USD|GBP|CHF|€|\$|£)\s?)?-?\d[\d.,']*\d(?:\s?(?:EUR|USD|GBP|CHF|€|\$|£))?"
    ),
    "number": re.compile(r"-?\d[\d.,']*"),
}
_REST = re.compile(r"[\s:|#]*(?P<rest>[^|\n]+)")
# What fields are called, and how documents label them.
_LABELS = (
    (r"due|fällig|zahlbar", r"due|payable|fällig|zahlbar"),
    (r"net\b|netto|subtotal", r"\bnet\b|netto|subtotal|zwischensumme"),
    (r"tax|vat|steuer|mwst", r"\btax|\bvat\b|mwst|ust\b|steuer"),
    (r"total|gesamt|sum|betrag|amount", r"total|gesamt|amount due|summe|betrag"),
    (r"number|\bno\b|nummer|\bnr\b", r"\bno\b|number|nummer|\bnr\b"),
    (r"date|datum|day", r"date|datum"),
    (r"customer|kunde|client", r"customer|client|bill to|kunde|an:"),
)
_WRITER = re.compile(r"supplier|vendor|seller|lieferant|from|absender|company|firma", re.I)


@dataclass(frozen=True, slots=True)
class _Line:
    page: int
    text: str


def read_fields(text: str) -> dict[str, Any] | None:
    """The values that a request for fields asks for; None for a request of another kind."""
    try:
        asked = orjson.loads(text)
        fields, pages = asked["fields"], asked["pages"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None
    lines = [
        _Line(page["page"], line.strip())
        for page in pages
        for line in str(page["text"]).splitlines()
        if line.strip()
    ]
    found = (_read_field(field, lines, again="problems" in asked) for field in fields)
    return {"values": [value for value in found if value]}


def _read_field(field: dict[str, Any], lines: Sequence[_Line], *, again: bool) -> dict[str, Any] | None:
    values = list(_find_values(field, lines))
    if not values and _WRITER.search(field["name"]) and lines:
        values = [(lines[0], lines[0].text)]
    if not values:
        return None
    line, text = values[-1 if again else 0]
    return {"field": field["name"], "text": text, "page": line.page, "quote": line.text}


def _find_values(field: dict[str, Any], lines: Sequence[_Line]) -> Iterator[tuple[_Line, str]]:
    """Every line with such a label, and what stands behind the label there."""
    label = _find_label(field["name"])
    for line in lines:
        found = label.search(line.text)
        value = _find_value(field, line.text[found.end() :]) if found else ""
        if value:
            yield line, value


def _find_label(name: str) -> re.Pattern[str]:
    words = next((label for asked, label in _LABELS if re.search(asked, name, re.I)), re.escape(name))
    return re.compile(words, re.I)


def _find_value(field: dict[str, Any], rest: str) -> str:
    if field.get("type") == "choice":
        choices = field.get("choices", ())
        return next((one for one in choices if re.search(re.escape(one), rest, re.I)), "")
    if shape := _SHAPES.get(field.get("type", "text")):
        found = shape.findall(rest)
        return str(found[-1]).strip() if found else ""
    told = _REST.match(re.sub(r"^[\w.]*", "", rest))
    return told["rest"].strip() if told else ""
