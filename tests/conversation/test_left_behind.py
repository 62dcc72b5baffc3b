"""What a process that died left in Slack is taken back by the next one, and what cannot be now is later."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.conversation.left_behind import LeftBehind
from bot.conversation.running import Running, RunningTurns
from bot.core.errors import SlackUnavailable
from bot.core.values import Conversation, Incoming
from bot.jobs.inbox import Job
from bot.workers.duties import Duties
from storage.conversation import replies
from storage.database import open_engine
from storage.engine import Engine, Tx
from tests.support.engines import database_url


class Slack:
    """Notes what is ended; while `away`, takes nothing. `meanwhile`: what happens while a session ends."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.ended: list[tuple[str, str]] = []
        self.away = False
        self._meanwhile = meanwhile

    async def end_session(self, channel: str, thread: str) -> None:
        self._meanwhile()
        self._note("session", thread)

    async def end_stream(self, channel: str, message: str) -> None:
        self._note("stream", message)

    def _note(self, what: str, where: str) -> None:
        if self.away:
            raise SlackUnavailable("away")
        self.ended.append((what, where))


def leave(tx: Tx) -> None:
    """A reply of each kind: asked only, streamed with a session, finished with a session, finished."""
    for number, (opened, session, sent) in enumerate(
        [(False, False, False), (True, True, False), (False, True, True), (True, False, True)]
    ):
        id = f"r{number}"
        place = Conversation("T", "C", f"{number}.0")
        replies.begin(tx, id, number, place, "U", sending=True, now=number)
        if opened:
            replies.mark_opened(tx, id, [f"{number}.1", f"{number}.2"])
        if sent:
            replies.mark_sent(tx, id, [f"{number}.1"], now=number, session=session)
        elif session:
            replies.mark_session(tx, id, shown=True)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(database_url(tmp_path / "rows.db")) as engine:
        await engine.write(leave)
        yield engine


async def sweep(left: LeftBehind) -> None:
    await left.look()
    await left.sweep()


@pytest.mark.both_engines
async def test_open_streams_and_sessions_are_ended_at_the_start_and_once(engine: Engine) -> None:
    slack = Slack()
    await sweep(LeftBehind(engine, slack, RunningTurns(), Duties(engine)))
    assert slack.ended == [("stream", "1.2"), ("session", "1.0"), ("session", "2.0")]
    slack.ended.clear()
    await sweep(LeftBehind(engine, slack, RunningTurns(), Duties(engine)))
    assert slack.ended == [("stream", "1.2")]  # until its turn has put it in order


async def test_what_slack_does_not_take_is_still_known_the_next_time(engine: Engine) -> None:
    slack = Slack()
    slack.away = True
    await sweep(LeftBehind(engine, slack, RunningTurns(), Duties(engine)))
    slack.away = False
    await sweep(LeftBehind(engine, slack, RunningTurns(), Duties(engine)))
    assert ("session", "2.0") in slack.ended


def begin_turn(running: RunningTurns) -> None:
    """Of the reply that was streamed."""
    place = Conversation("T", "C", "1.0")
    asked = Incoming("k", place, "U", "1.0", "hello", datetime.now(UTC))
    running.begin(place, Running(Job(1, "k", place.key, "message", "{}", 2, 0, 0, 0.0), (asked,)))


async def test_a_thread_in_which_a_turn_is_at_work_again_is_left_to_it(engine: Engine) -> None:
    slack, running = Slack(), RunningTurns()
    begin_turn(running)
    await sweep(LeftBehind(engine, slack, running, Duties(engine)))
    assert slack.ended == [("session", "2.0")]


async def test_a_session_that_a_turn_may_show_again_meanwhile_is_still_known(engine: Engine) -> None:
    running = RunningTurns()
    await sweep(LeftBehind(engine, Slack(lambda: begin_turn(running)), running, Duties(engine)))
    assert [left.id for left in await engine.read(replies.list_left) if left.session] == ["r1"]
