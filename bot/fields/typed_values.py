"""What a person typed as the value of a field, or picked: read by its type, or refused."""

from __future__ import annotations

from datetime import date

from bot.fields.amounts import CODES, list_numbers, read_number, write_money, write_number
from bot.fields.days import read_days
from bot.fields.values import Field

LONGEST = 500  # characters


def read_typed(text: str, field: Field) -> str | None:
    """The value that somebody means; None where it is none of the type, or may be two things."""
    plain = " ".join(text.split())[:LONGEST]
    if field.type == "text":
        return plain or None
    if field.type == "choice":
        return next((one for one in field.choices if one.casefold() == plain.casefold()), None)
    if field.type == "date":
        return _only(read_days(plain))
    if field.type == "number":
        values = read_number(plain)
        return write_number(values[0]) if len(values) == 1 else None
    found = list(list_numbers(plain))
    if len(found) != 1 or len(found[0].values) != 1 or found[0].end - found[0].start != len(plain):
        return None
    currency = found[0].currency or (field.choices[0] if len(field.choices) == 1 else "")
    return write_money(found[0].values[0], currency) if currency in CODES or not currency else None


def _only(days: tuple[str, ...]) -> str | None:
    return date.fromisoformat(days[0]).isoformat() if len(days) == 1 else None
