"""Budgets in words: what is ordered, and what is refused instead of guessed at."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import BotError, NotUnderstood, UnknownName
from bot.costs.budget_syntax import FOR_HOW_LONG, Order, Put, Raise, Remove, Show, parse
from bot.costs.budgets import EACH, Budget


def read(words: str) -> Order:
    return parse(words, team="T1", here="C9", asker="U9")


def budget(scope: str, target: str, period: str, cap: str, **more: object) -> Put:
    return Put(Budget("T1", scope, target, period, Decimal(cap), **{"owner": "U9", **more}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "order"),
    [
        ("channel 20 per month", budget("channel", "C9", "month", "20")),
        ("Set Channel here $20 A Month.", budget("channel", "C9", "month", "20")),
        ("channel 20 dollars monthly", budget("channel", "C9", "month", "20")),
        ("channel <#C1> 1,000/week", budget("channel", "C1", "week", "1000")),
        ("`person <@U1> 1.50 every day`", budget("person", "U1", "day", "1.50")),
        ("each person 2 per week degrade", budget("person", EACH, "week", "2", degrade=True)),
        ("per channel five dollars daily", budget("channel", EACH, "day", "5")),
        ("kind Answer 5 per day", budget("kind", "answer", "day", "5")),
        ("model “gpt-4o” 5 per day", budget("model", "gpt-4o", "day", "5")),
        (
            "workspace 500 per month warn at 70 % owner <@U2>",
            budget("workspace", "", "month", "500", warn_percent=70, owner="U2"),
        ),
        ("remove 3", Remove(3)),
        ("Delete budget #3", Remove(3)),
        ("SHOW 3", Show(3)),
        (
            "raise 3 to $50 for a week because “launch”,  R&D",
            Raise(3, Decimal(50), timedelta(days=7), "“launch”,  R&D"),
        ),
        ("raise 3 to 50 for 12 hours", Raise(3, Decimal(50), timedelta(hours=12), "")),
        ("raise 3 to 50 for 2", Raise(3, Decimal(50), timedelta(days=2), "")),
    ],
)
def test_an_order_is_understood_as_people_write_it(words: str, order: Order) -> None:
    assert read(words) == order


@pytest.mark.parametrize(
    "words",
    [
        *("", "channel", "20 per month", "bananas 5 per day", "channel per month", "person 5 per day"),
        *(
            "model 5 per day",
            "kind answers 5 per day",
            "channel 20 per month foo",
            "workspace 5 per day warn 0",
        ),
        *("raise 3 to 50", "raise 3 to 50 for 400 days", "raise 3 to 50 for a month", "show", "remove three"),
        *("channel €20 per month", "channel 1.000,50 per month", "each person <@U1> 5 per day"),
        *("person <#C1> 5 per day", "channel <@U1> 5 per day", "person <@bob> 5 per day"),
    ],
)
def test_what_is_not_understood_is_said(words: str) -> None:
    with pytest.raises(NotUnderstood):
        read(words)


@pytest.mark.parametrize("words", ["channel 20", "channel 20 per year", "channel 20 permonth"])
def test_a_budget_without_a_period_is_asked_for_one(words: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        read(words)
    assert caught.value.hint.startswith(FOR_HOW_LONG)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("person @bob 5 per day", "@bob"),
        ("person bob 5 per day", "bob"),
        ("person @everyone 5 per day", "@everyone"),
        ("channel #general 5 per day", "#general"),
        ("channel general 5 per day", "general"),
        ("each person @bob 5 per day", "@bob"),
        ("workspace #general 5 per day", "#general"),
        ("workspace 5 per day owner @bob", "@bob"),
    ],
)
def test_a_name_that_nobody_resolved_is_never_taken_for_one(words: str, name: str) -> None:
    with pytest.raises(UnknownName) as caught:
        read(words)
    assert caught.value.name == name


WORDS = (
    "channel person each model kind workspace <@U1> <#C1> @bob #general 20 $20 20$ 1.000 per a month day "
    "week daily degrade warn 70 % owner raise remove show 3 to for days because twenty € / here"
)


@given(st.lists(st.sampled_from(WORDS.split(" ")), max_size=12).map(" ".join) | st.text())
def test_whatever_is_written_is_an_order_or_a_sentence(words: str) -> None:
    with suppress(BotError):
        order = read(words)
        if isinstance(order, Put):
            assert order.budget.cap_usd >= 0
            assert not set("@#<>") & set(order.budget.target + order.budget.owner)
