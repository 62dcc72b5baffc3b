"""How often an app may ask: so many questions in a channel within an hour, then silence for an hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.conversation.asking_apps import HOUR_S, PAUSE, Weighed, weigh
from bot.core.ids import message_key
from bot.core.values import Conversation, Incoming
from storage.jobs import inbox
from storage.sqlite.writer import SqliteTx
from tests.support.rows import open_rows

LIMIT = 3


@pytest.fixture
def tx(tmp_path: Path) -> Iterator[SqliteTx]:
    with open_rows(tmp_path / "p.db") as tx:
        yield tx


def question(now: float, *, channel: str = "C1", app: str = "B1", message: str = "") -> Incoming:
    ts = message or f"{now:.6f}"
    at = datetime.fromtimestamp(now, UTC)
    place = Conversation("T", channel, ts)
    return Incoming(message_key("T", channel, ts), place, app, ts, "why?", at, mentioned=True, by_app=True)


def ask(tx: SqliteTx, asked: Incoming, now: float) -> Weighed:
    """As Turns.take_from_app does with what is decided."""
    decided = weigh(tx, asked, limit=LIMIT, now=now)
    if decided != "ignore":
        key = asked.key + PAUSE * (decided == "pause")
        inbox.put(tx, key, asked.conversation.key, "message", "{}", team="T", person=asked.user, now=now)
    return decided


def test_an_app_is_told_once_and_then_ignored_for_an_hour(tx: SqliteTx) -> None:
    decided = [ask(tx, question(now), now) for now in (0, 10, 20, 30, 40, 50)]
    assert decided == ["ask", "ask", "ask", "pause", "ignore", "ignore"]
    assert ask(tx, question(HOUR_S + 25), HOUR_S + 25) == "ignore", "its hour counts from when it was told"
    assert ask(tx, question(HOUR_S + 35), HOUR_S + 35) == "ask"


def test_channels_and_apps_are_counted_apart(tx: SqliteTx) -> None:
    for now in range(4):
        ask(tx, question(now), now)
    assert ask(tx, question(5), 5) == "ignore"
    assert ask(tx, question(5, channel="C12"), 5) == "ask"
    assert ask(tx, question(6, app="B2"), 6) == "ask"


def test_another_event_of_the_same_post_is_no_other_question(tx: SqliteTx) -> None:
    posts = [question(now) for now in range(5)]
    first = [ask(tx, post, post.sent_at.timestamp()) for post in posts]
    again = [ask(tx, post, 10) for post in posts]
    assert first == ["ask", "ask", "ask", "pause", "ignore"]
    assert again == ["ask", "ask", "ask", "ignore", "ignore"]


@given(st.lists(st.floats(min_value=0.1, max_value=1500), max_size=40))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_an_app_asks_no_hour_has_more_answers_and_none_two_notices(
    tx: SqliteTx, pauses: list[float]
) -> None:
    tx.run("delete from inbox")
    now, answered, told = 1e6, list[float](), list[float]()
    for pause in pauses:
        now += pause
        {"ask": answered, "pause": told, "ignore": []}[ask(tx, question(now), now)].append(now)
    assert all(sum(at - HOUR_S < other <= at for other in answered) <= LIMIT for at in answered)
    assert all(later - earlier >= HOUR_S for earlier, later in pairwise(told))
