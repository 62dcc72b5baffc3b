"""How much, in the ways people write money."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import NotUnderstood
from bot.costs.amounts import NOT_CONVERTED, read_amount

UNDERSTOOD = {
    "20": [
        *("20", "$20", "20$", "$ 20", "20 $", "20 USD", "USD 20", "usd20", "US$20", "US$ 20", "20 US$"),
        *(
            "20 dollars",
            "20 Dollars.",
            "20 US dollars",
            "20 bucks",
            "twenty dollars",
            "twenty",
            "２０",
            "＄２０",
        ),
        *("20.", "20.00", "20\u00a0$", "20\u202fUSD", "20\n$"),
    ],
    "1000": [
        "1000",
        "1,000",
        "$1,000",
        "1,000.00",
        "1 000",
        "1\u202f000",
        "1'000",
        "1’000",
        "a thousand dollars",
    ],
    "1500.5": ["1500.50", "1,500.50", "$1,500.50", "1 500,50", "1'500.50"],
    "1.5": ["1.50", "1,50", "1,5", "1.5$", "one and a half dollars", "1½ dollars"],
    "0.5": ["0.50", ".5", "$.50", "50 cents", "50¢", "half a dollar", "0,50"],
    "0.005": ["0.005"],
    "0": ["0", "$0", "zero"],
    "12345678": ["12,345,678"],
}
OTHER_CURRENCIES = [
    *(
        "€20",
        "20€",
        "20 EUR",
        "20 euros",
        "£5",
        "5 pounds",
        "¥100",
        "100 yen",
        "CHF 20",
        "C$20",
        "A$ 5",
        "20 CAD",
    ),
    *("20eur", "eur20", "₹20", "20 rupees", "kr 20", "₿1", "20 £"),
]
NOT_UNDERSTOOD = [
    *("", "$", "abc", "20k", "20 20", "1e3", "inf", "nan", "-5", "−5", "$-5", "20 dollars 50", "99999999999"),
    *("1.000", "1.000,50", "1.234.567", "1,0000", "12,34,567", "2²", "1/0", "20 per month", "0x10", "1.2.3"),
]


@pytest.mark.parametrize(
    ("typed", "meant"), [(t, meant) for meant, typed in UNDERSTOOD.items() for t in typed]
)
def test_an_amount_is_understood_as_people_write_it(typed: str, meant: str) -> None:
    assert read_amount(typed) == Decimal(meant)


@pytest.mark.parametrize("typed", OTHER_CURRENCIES)
def test_another_currency_is_refused_and_not_converted(typed: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        read_amount(typed)
    assert caught.value.hint == NOT_CONVERTED


@pytest.mark.parametrize("typed", NOT_UNDERSTOOD)
def test_what_is_no_amount_or_two_of_them_is_said(typed: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        read_amount(typed)
    assert caught.value.hint not in ("", NOT_CONVERTED)


@given(st.text() | st.from_regex(r"[\d.,' $€USDcents-]{0,16}", fullmatch=True))
def test_whatever_is_typed_is_an_amount_or_not_understood(typed: str) -> None:
    with suppress(NotUnderstood):
        assert read_amount(typed) >= 0


@given(
    st.integers(0, 10**8),
    st.integers(0, 99),
    st.sampled_from(["${}", "{}$", "{} USD", "USD {}", "{} dollars"]),
    st.booleans(),
)
def test_dollars_and_cents_come_out_as_they_went_in(
    whole: int, cents: int, spelled: str, grouped: bool
) -> None:
    number = f"{whole:,}" if grouped else str(whole)
    assert read_amount(spelled.format(f"{number}.{cents:02}")) == Decimal(f"{whole}.{cents:02}")
