"""Numbers, money and days as documents write them, and as people type them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.fields.amounts import find_style, list_numbers, read_number, write_money
from bot.fields.days import find_order, list_days, read_days
from bot.fields.typed_values import read_typed
from bot.fields.values import Field

AMOUNTS = st.decimals(min_value=0, max_value=10**9, places=2, allow_nan=False)
DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2089, 12, 31))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1.234,56", ["1234.56"]),
        ("1,234.56", ["1234.56"]),
        ("1'234.50", ["1234.50"]),
        ("1 234,50", ["1234.50"]),
        ("1.234.567", ["1234567"]),
        ("12,5", ["12.5"]),
        ("0.125", ["0.125"]),
        ("1.234", ["1234", "1.234"]),
        ("12-", ["-12"]),
        ("1.23.456", []),
        ("1.234,567.89", []),
    ],
)
def test_a_number_is_read_in_the_ways_it_may_be_meant(written: str, meant: list[str]) -> None:
    assert read_number(written) == tuple(map(Decimal, meant))


def test_how_a_document_writes_numbers_tells_what_one_of_them_means() -> None:
    assert read_number("1.234", find_style("Betrag 12,50")) == (Decimal(1234),)
    assert len(read_number("1.234", find_style("Amount 12.50"))) == 2
    assert find_style("12.50 and 12,50") == ""


@given(AMOUNTS, st.sampled_from([",.", ".,", "’.", " ,"]))
def test_an_amount_is_found_whole_however_its_digits_are_set_apart(amount: Decimal, signs: str) -> None:
    written = f"{amount:,.2f}".translate(str.maketrans(",.", signs))
    (found,) = list_numbers(f"Total | {written} EUR")
    assert (found.values, found.currency) == ((amount,), "EUR")


@pytest.mark.parametrize(
    ("line", "currency"),
    [("€12.50", "EUR"), ("12,50 €", "EUR"), ("US$ 12.50", "USD"), ("$12.50", "$"), ("12.50 EUROPE", "")],
)
def test_the_currency_of_an_amount_is_the_one_beside_it(line: str, currency: str) -> None:
    assert [one.currency for one in list_numbers(line)] == [currency]


@given(DAYS)
def test_a_day_is_read_from_every_way_of_writing_it_that_leaves_no_doubt(day: date) -> None:
    for written in (
        f"{day:%Y-%m-%d}",
        f"{day:%d.%m.%Y}",
        f"{day.day} {day:%B %Y}",
        f"{day:%B} {day.day}, {day.year}",
    ):
        assert read_days(written) == (day.isoformat(),), written


def test_a_day_with_slashes_may_be_two_until_the_document_tells() -> None:
    assert read_days("03/04/2026") == ("2026-04-03", "2026-03-04")
    assert find_order("due 25/04/2026") == "dmy"
    assert read_days("03/04/2026", "mdy") == ("2026-03-04",)
    assert read_days("03.04.2026") == ("2026-04-03",)


def test_what_is_no_day_is_none() -> None:
    assert [list(list_days(text)) for text in ("31.02.2026", "1.2.3.4", "10/2026", "May I?")] == [[]] * 4


def test_money_is_kept_with_its_cents() -> None:
    assert (write_money(Decimal("12.5"), "EUR"), write_money(Decimal(1200), "JPY")) == (
        "EUR 12.50",
        "JPY 1200",
    )


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("3 April 2026", Field("date", "date"), "2026-04-03"),
        ("03/04/2026", Field("date", "date"), None),
        ("12,50 €", Field("total", "money"), "EUR 12.50"),
        ("12,50", Field("total", "money", choices=("EUR",)), "EUR 12.50"),
        ("about 12 EUR", Field("total", "money"), None),
        ("PAID", Field("status", "choice", choices=("open", "paid")), "paid"),
        ("lost", Field("status", "choice", choices=("open", "paid")), None),
        ("  two   words ", Field("name"), "two words"),
        ("1.5", Field("hours", "number"), "1.5"),
    ],
)
def test_what_a_person_types_has_to_be_of_the_type(text: str, field: Field, value: str | None) -> None:
    assert read_typed(text, field) == value
