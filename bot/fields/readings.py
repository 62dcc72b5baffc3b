"""A place in a document read as a value of a field's type: one value, or several where it may be each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import islice

from bot.fields.amounts import CODES, SHARED, WrittenNumber, list_numbers, write_money, write_number
from bot.fields.days import WrittenDay, list_days
from bot.fields.items import list_item_lines
from bot.fields.labels import Label, find_line
from bot.fields.patterns import Learned
from bot.fields.pieces import DocumentPiece
from bot.fields.places import FoundPlace
from bot.fields.style import WritingStyle
from bot.fields.values import Field, FieldCandidate

NO_DAY = "“{text}” is no day."
NO_NUMBER = "“{text}” is no number."
NO_CHOICE = "“{text}” is none of {choices}."
TWO_DAYS = "“{text}” may be {first} or {second}."
TWO_NUMBERS = "“{text}” may be {first} or {second}."
SHARED_SIGN = "“{sign}” is the sign of several currencies, and the document does not say which."
NO_CURRENCY = "The document does not say the currency."
SEVERAL_CURRENCIES = "The document names several currencies, and none beside it."
MOST_SHARED = 3  # currencies of a sign that are offered
MOST_READ = 500  # days or sums of one page: no bill states more


@dataclass(frozen=True, slots=True)
class ReadValue:
    """What stands at a place. `values`: what it may be, none where it is no value of that type; `why`: what
    is doubtful about it; `pattern`: what a review of that settles."""

    place: FoundPlace
    values: tuple[str, ...]
    label: Label
    why: str = ""
    pattern: str = ""

    @property
    def value(self) -> str:
        return self.values[0] if len(self.values) == 1 else ""

    def list_candidates(self) -> Iterator[FieldCandidate]:
        """Each value that it may be."""
        place = self.place
        for value in self.values:
            yield FieldCandidate(
                place.text, value, place.page.page, place.page.place, place.line, self.label.words
            )


def read_place(field: Field, place: FoundPlace, style: WritingStyle, learned: Learned) -> ReadValue:
    """A place as a value of a field."""
    if field.type == "date":
        return _read_day(field, place, style, learned)
    if field.type in ("money", "number"):
        return _read_amount(field, place, style, learned)
    text = " ".join(place.text.replace("|", " ").split())
    if field.type == "choice":
        chosen = [one for one in field.choices if one.casefold() == text.casefold()]
        why = "" if chosen else NO_CHOICE.format(text=text, choices=", ".join(field.choices))
        return ReadValue(place, tuple(chosen[:1]), place.label, why)
    return ReadValue(place, (text,), place.label)


def list_readings(
    field: Field, piece: DocumentPiece, style: WritingStyle, learned: Learned
) -> list[ReadValue]:
    """Every day, or every sum of money but those of items, that a piece states."""
    found = list[ReadValue]()
    for page in piece.pages:
        items = list_item_lines(page.text)
        spans: Sequence[WrittenDay | WrittenNumber] = ()
        if field.type == "date":
            spans = list(islice(list_days(page.text, style.order), MOST_READ))
        elif field.type == "money":
            sums = (one for one in list_numbers(page.text, style.decimal) if one.is_money)
            spans = list(islice(sums, MOST_READ))
        places = [FoundPlace(page, one.start, one.end) for one in spans]
        found += [
            read_place(field, place, style, learned)
            for place in places
            if find_line(page.text, place.start)[0] not in items
        ]
    return found


def _read_day(field: Field, place: FoundPlace, style: WritingStyle, learned: Learned) -> ReadValue:
    found = list(list_days(place.text, style.order))
    if len(found) != 1:
        return ReadValue(place, (), place.label, NO_DAY.format(text=place.text))
    days = found[0].days
    if len(days) == 1:
        return ReadValue(place, days, place.label)
    orders = dict(zip(days, ("dmy", "mdy"), strict=True))
    known = learned.orders.get((field.name, style.sender))
    if settled := [day for day, order in orders.items() if order == known]:
        return ReadValue(place, (settled[0],), place.label)
    why = TWO_DAYS.format(text=place.text, first=days[0], second=days[1])
    asked = {"about": "days", "sender": style.sender, "days": orders}
    return ReadValue(place, days, place.label, why, json.dumps(asked))


def _read_amount(field: Field, place: FoundPlace, style: WritingStyle, learned: Learned) -> ReadValue:
    begin, line = find_line(place.page.text, place.start)
    left, right = place.start - begin, place.end - begin
    found = [one for one in _numbers_of(line, style.decimal) if one.start < right and left < one.end]
    if len(found) != 1:
        return ReadValue(place, (), place.label, NO_NUMBER.format(text=place.text))
    number = found[0]
    place = FoundPlace(place.page, begin + number.start, begin + number.end)
    if field.type == "number":
        values = tuple(map(write_number, number.values))
        return ReadValue(place, values, place.label, _tell_two(place.text, values))
    if len(number.values) > 1:
        currency = _find_currency(field, number, style, learned)[0]
        values = tuple(
            write_money(value, currency[0] if len(currency) == 1 else "") for value in number.values
        )
        return ReadValue(place, values, place.label, _tell_two(place.text, values))
    return _read_money(field, place, number, style, learned=learned)


def _read_money(
    field: Field, place: FoundPlace, number: WrittenNumber, style: WritingStyle, *, learned: Learned
) -> ReadValue:
    (value,) = number.values
    currencies, why = _find_currency(field, number, style, learned)
    asked = {"about": "sign", "sender": style.sender, "sign": number.currency} if why else {}
    pattern = json.dumps(asked) if number.currency in SHARED and why else ""
    return ReadValue(place, _write_all(value, currencies), place.label, why, pattern)


def _write_all(value: Decimal, currencies: Sequence[str]) -> tuple[str, ...]:
    return tuple(write_money(value, currency) for currency in currencies or ("",))


def _find_currency(
    field: Field, number: WrittenNumber, style: WritingStyle, learned: Learned
) -> tuple[list[str], str]:
    """The currency of an amount; several, or none, with the sentence why nobody can tell."""
    sign = number.currency
    if sign in CODES:
        return [sign], ""
    meant = SHARED.get(sign, ())
    told = [code for code in sorted(style.currencies) if not meant or code in meant]
    wanted = [code for code in field.choices if not meant or code in meant]
    if known := learned.signs.get((style.sender, sign)):
        return [known], ""
    if len(told) == 1 and (meant or not style.signs):
        return told, ""
    if len(wanted) == 1 and not told and (meant or not style.signs):
        return wanted, ""
    if meant:
        return list(meant[:MOST_SHARED]), SHARED_SIGN.format(sign=sign)
    return [], SEVERAL_CURRENCIES if len(told) > 1 or style.signs else NO_CURRENCY


@lru_cache(maxsize=512)
def _numbers_of(line: str, style: str) -> tuple[WrittenNumber, ...]:
    return tuple(list_numbers(line, style))


def _tell_two(text: str, values: Sequence[str]) -> str:
    return TWO_NUMBERS.format(text=text, first=values[0], second=values[1]) if len(values) > 1 else ""
