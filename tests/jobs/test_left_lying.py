"""Several processes on one inbox: what one of them leaves lying, another does."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.jobs.inbox import LEFT_LYING_S, Effect, Inbox, Job
from storage.database import open_engine
from storage.engine import Engine
from storage.jobs import inbox
from tests.support.engines import database_url
from tests.support.waiting import until

pytestmark = pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)


class Lasting:
    """The process that lasts: what it did, and what it thinks that the time is."""

    def __init__(self, engine: Engine) -> None:
        self.done: list[str] = []
        self.later_s = 0.0
        self.inbox = Inbox(engine, clock=lambda: time.time() + self.later_s)
        self.inbox.register("message", self._work)

    async def _work(self, job: Job) -> Sequence[Effect]:
        self.done.append(job.key)
        return []


@pytest.fixture
async def two(tmp_path: Path, database_engine: str) -> AsyncIterator[tuple[Engine, Lasting, AsyncExitStack]]:
    """The engine of a process that dies when the stack ends, and a process that lasts."""
    url = database_url(tmp_path / "parley.db")
    async with open_engine(url) as engine, AsyncExitStack() as life:
        dying = await life.enter_async_context(open_engine(url))
        lasting = Lasting(engine)
        async with lasting.inbox:
            yield dying, lasting, life


Two = tuple[Engine, Lasting, AsyncExitStack]


async def store(engine: Engine, key: str, *, ahead_s: float = 0.0) -> None:
    """A process, whose clock is ahead by so much, has a message on disk, and nothing more."""
    await engine.write(inbox.put, key, "C", "message", "{}", now=time.time() + ahead_s)


async def test_what_a_process_stored_and_did_not_live_to_begin_is_done_by_another(two: Two) -> None:
    dying, lasting, life = two
    await store(dying, "a")
    await life.aclose()
    lasting.later_s = LEFT_LYING_S + 1
    await lasting.inbox.look(False)
    await until(lambda: lasting.done == ["a"], 20)


async def test_what_a_process_died_over_is_done_again_by_another_and_what_waited_behind_it_after_it(
    two: Two,
) -> None:
    dying, lasting, life = two
    await store(dying, "a")
    await store(dying, "b")
    assert await dying.write(inbox.take, "C", worker=dying.worker, now=time.time())
    await life.aclose()
    await lasting.inbox.look(False)
    await until(lambda: lasting.done == ["a", "b"], 20)


async def test_what_has_just_been_received_is_left_to_who_received_it_unless_that_one_asks(two: Two) -> None:
    dying, lasting, _ = two
    await store(dying, "a")
    await lasting.inbox.look(False)
    assert lasting.inbox.idle
    await lasting.inbox.look(True)
    await until(lambda: lasting.done == ["a"], 20)


async def test_what_was_stored_before_the_clock_was_set_back_by_a_day_is_not_put_off_for_a_day(
    tmp_path: Path, database_engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.jobs.inbox.LONGEST_WAIT_S", 0.05)
    url = database_url(tmp_path / "parley.db")
    async with open_engine(url) as engine, open_engine(url) as ahead:
        lasting = Lasting(engine)
        async with lasting.inbox:
            await store(ahead, "a", ahead_s=86_400)
            await lasting.inbox.look(False)
            await until(lambda: lasting.done == ["a"], 20)
