"""An owner describes fields in words, and is shown in the same words what was understood."""

from __future__ import annotations

import pytest

from bot.core.errors import NotUnderstood
from bot.fields.forms import decode_form, describe, encode_form, parse
from bot.fields.values import Check, Field


def test_a_form_is_read_from_one_line() -> None:
    form = parse("invoice: number, date, supplier, total with currency")
    assert form.name == "invoice"
    assert [(field.name, field.type) for field in form.fields] == [
        ("number", "text"),
        ("date", "date"),
        ("supplier", "text"),
        ("total", "money"),
    ]


def test_what_stands_in_brackets_says_more_of_a_field() -> None:
    form = parse("order: status (open, paid), hours, note (text, optional), price (EUR), delivery?")
    assert form.fields == (
        Field("status", "choice", choices=("open", "paid")),
        Field("hours", "number"),
        Field("note", "text", required=False),
        Field("price", "money", choices=("EUR",)),
        Field("delivery", "text", required=False),
    )


def test_what_is_meant_between_fields_is_checked_without_being_said() -> None:
    form = parse("Rechnung: Rechnungsdatum, Fälligkeitsdatum, Netto, MwSt, Gesamtbetrag")
    assert form.checks == (
        Check("sum", ("Netto", "MwSt"), "Gesamtbetrag"),
        Check("order", ("Rechnungsdatum", "Fälligkeitsdatum")),
    )


def test_what_is_said_between_fields_is_checked() -> None:
    form = parse(
        "lease: rent (money), heating (money), monthly (money), start, end\nrent + heating = monthly"
    )
    assert form.checks == (Check("sum", ("rent", "heating"), "monthly"), Check("order", ("start", "end")))


@pytest.mark.parametrize(
    "words",
    [
        "invoice: number, date, supplier, total with currency",
        "lease: rent (money), heating (money), monthly (money)\nrent + heating = monthly",
        "order: status (open, paid), note (text, in a few words, optional), price (EUR, USD), delivered on",
    ],
)
def test_what_is_shown_is_understood_as_it_was(words: str) -> None:
    form = parse(words)
    assert parse(describe(form)) == form
    assert decode_form(encode_form(form)) == form


@pytest.mark.parametrize(
    "words", ["number, date", "invoice:", "invoice: date, Date", "invoice: net\nnet + tax = total", ": a, b"]
)
def test_what_is_no_form_is_refused_with_an_example_or_a_reason(words: str) -> None:
    with pytest.raises(NotUnderstood):
        parse(words)
