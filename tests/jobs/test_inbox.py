"""Receive once, work once, retry politely, bury visibly."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cli import inbox as inbox_command
from bot.core.errors import Busy, GaveUp, Missing, SlackRefused, SlackUnavailable
from bot.core.settings import Settings
from bot.jobs.inbox import Effect, GaveUpOn, Inbox, Job, Work
from bot.jobs.taking import PatientWriter
from bot.ops.metrics import METRICS
from storage import audit
from storage.database import open_engine
from storage.engine import Engine, Tx
from storage.jobs import inbox, queries, recovery
from storage.provider import model_traits
from tests.support.engines import database_url

pytestmark = pytest.mark.both_engines

PAYLOAD = '{"text": "a secret of somebody"}'


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(database_url(tmp_path / "p.db")) as engine:
        yield engine


class RecordingWorker:
    """A handler that writes down what it was given, and does what a test tells it."""

    def __init__(self) -> None:
        self.began: list[str] = []
        self.ended: list[str] = []
        self.at_work: set[str] = set()
        self.together = 0
        self.acts: dict[str, list[Callable[[], Awaitable[object]] | BaseException]] = {}

    async def __call__(self, job: Job) -> Sequence[Effect]:
        assert job.conversation not in self.at_work, "two jobs of one conversation at once"
        self.began.append(job.key)
        self.at_work.add(job.conversation)
        self.together = max(self.together, len(self.at_work))
        try:
            acts = self.acts.get(job.key)
            act = acts.pop(0) if acts else None
            if isinstance(act, BaseException):
                raise act
            await (act() if act else asyncio.sleep(0))
        finally:
            self.at_work.discard(job.conversation)
        self.ended.append(job.key)
        return []


def inbox_for(engine: Engine, work: Work, *, gave_up: GaveUpOn | None = None, **options: Any) -> Inbox:
    """An inbox whose jobs are of one kind or of another, all for the same worker."""
    box = Inbox(engine, **options)
    for kind in ("m", "message"):
        box.register(kind, work, gave_up=gave_up)
    return box


async def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    ends = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends, "it did not happen"
        await asyncio.sleep(0.005)


async def rows(engine: Engine, state: str) -> list[dict[str, Any]]:
    return await engine.read(queries.list_jobs, state)


def steady() -> float:
    return 0.5  # of a delay that is spread over 0.5 to 1.5 times itself


# Once


async def test_what_was_put_is_done_and_nothing_of_it_is_kept(engine: Engine) -> None:
    worker = RecordingWorker()
    async with inbox_for(engine, worker) as box:
        assert await box.put("a", "c", "message", PAYLOAD) is True
        await until(lambda: worker.ended == ["a"])
        await box.drain(5)
    row = await engine.read(queries.show, 1)
    assert (row["state"], row["payload"], row["running"]) == ("done", None, 0)


async def test_the_same_key_is_worked_once_also_after_it_was_done_and_after_a_restart(engine: Engine) -> None:
    worker = RecordingWorker()
    async with inbox_for(engine, worker) as box:
        stored = await asyncio.gather(*(box.put("a", "c", "m", "{}") for _ in range(5)))
        assert sorted(stored) == [False] * 4 + [True]
        await until(lambda: worker.ended == ["a"])
        assert await box.put("a", "c", "m", "{}") is False
    async with inbox_for(engine, worker) as box:
        assert await box.put("a", "c", "m", "{}") is False
        await asyncio.sleep(0.05)
    assert worker.began == ["a"]


@pytest.mark.sqlite_file
async def test_put_fails_when_it_could_not_be_stored(tmp_path: Path) -> None:
    async with (
        open_engine(database_url(tmp_path / "p.db")) as engine,
        inbox_for(engine, RecordingWorker()) as box,
    ):
        await engine.write(lambda tx: tx.all("pragma max_page_count = 1"))
        with pytest.raises(Busy):
            await box.put("a", "c", "m", "x" * 1_000_000)
        await engine.write(lambda tx: tx.all("pragma max_page_count = 100000"))
        assert await box.put("a", "c", "m", "{}") is True


async def test_effects_are_committed_together_with_the_end_of_the_job(engine: Engine) -> None:
    async def handle(job: Job) -> Sequence[Effect]:
        def learn(tx: Tx) -> None:
            model_traits.refuse(tx, "model", "parameter", now=0)

        def fail_once(tx: Tx) -> None:
            if job.attempts == 1:
                raise RuntimeError("broken effect")

        return [learn, fail_once]

    async with inbox_for(engine, handle, random=lambda: 0.0) as box:
        await box.put("a", "c", "m", "{}")
        await until_async(lambda: state_of(engine, 1), "done")
    assert await engine.read(model_traits.refused) == {"model": {"parameter"}}
    assert (await engine.read(queries.show, 1))["attempts"] == 2


async def state_of(engine: Engine, seq: int) -> str:
    return str((await engine.read(queries.show, seq))["state"])


async def until_async(
    read_state: Callable[[], Awaitable[object]], wanted: object, timeout_s: float = 20.0
) -> None:
    ends = time.monotonic() + timeout_s
    while await read_state() != wanted:
        assert time.monotonic() < ends, "it did not happen"
        await asyncio.sleep(0.01)


# In order


async def test_one_conversation_is_worked_one_at_a_time_in_order(engine: Engine) -> None:
    worker = RecordingWorker()
    async with inbox_for(engine, worker) as box:
        for n in range(50):
            await box.put(f"{n}", "c", "m", "{}")
        await until(lambda: len(worker.ended) == 50)
    assert worker.began == [f"{n}" for n in range(50)]


async def test_conversations_run_beside_each_other_up_to_the_bound(engine: Engine) -> None:
    worker, gate = RecordingWorker(), asyncio.Event()
    async with inbox_for(engine, worker, parallel=3) as box:
        for n in range(10):
            worker.acts[f"{n}"] = [gate.wait]
            await box.put(f"{n}", f"c{n}", "m", "{}")
        await until(lambda: len(worker.began) == 3)
        await asyncio.sleep(0.05)
        assert worker.together == 3
        gate.set()
        await until(lambda: len(worker.ended) == 10)
    assert worker.together == 3


async def test_a_busy_conversation_lets_others_have_their_turn(engine: Engine) -> None:
    worker, gate = RecordingWorker(), asyncio.Event()
    async with inbox_for(engine, worker, parallel=1) as box:
        worker.acts["long-0"] = [gate.wait]
        for n in range(20):
            await box.put(f"long-{n}", "long", "m", "{}")
        await box.put("short", "short", "m", "{}")
        gate.set()
        await until(lambda: len(worker.ended) == 21)
    assert worker.ended.index("short") <= 2


async def test_a_retry_holds_back_its_own_conversation_only(engine: Engine) -> None:
    worker = RecordingWorker()
    worker.acts["a1"] = [SlackUnavailable("down", retry_after_s=0.3)]
    async with inbox_for(engine, worker) as box:
        await box.put("a1", "a", "m", "{}")
        await box.put("a2", "a", "m", "{}")
        await box.put("b1", "b", "m", "{}")
        await until(lambda: "b1" in worker.ended)
        await asyncio.sleep(0.05)
        assert worker.began == ["a1", "b1"]
        await until(lambda: len(worker.ended) == 3)
    assert worker.ended == ["b1", "a1", "a2"]


async def test_order_survives_a_restart(engine: Engine) -> None:
    def put_three(tx: Tx) -> None:
        for key in "xyz":
            inbox.put(tx, key, "c", "m", "{}", now=0)

    await engine.write(put_three)
    worker = RecordingWorker()
    async with inbox_for(engine, worker):
        await until(lambda: len(worker.ended) == 3)
    assert worker.ended == ["x", "y", "z"]


# Outside


class WaitsOutside(RecordingWorker):
    """Its jobs wait outside, until the gate is opened, before they end."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.box: Inbox | None = None

    async def __call__(self, job: Job) -> Sequence[Effect]:
        effects = await super().__call__(job)
        assert self.box is not None
        with self.box.outside(job):
            await self.gate.wait()
        return effects


async def test_jobs_that_wait_outside_hold_up_no_others_and_their_own_channel_only_so_far(
    engine: Engine,
) -> None:
    worker = WaitsOutside()
    async with inbox_for(engine, worker, parallel=1, outside=2) as worker.box:
        for n in range(5):
            await worker.box.put(f"c{n}", f"T:C:{n}", "m", "{}")
        await worker.box.put("d", "T:D:1", "m", "{}")
        await worker.box.put("c0 again", "T:C:0", "m", "{}")
        await until(lambda: worker.began == ["c0", "c1", "d"])
        await asyncio.sleep(0.05)
        assert worker.began == ["c0", "c1", "d"]
        worker.gate.set()
        await until(lambda: worker.box is not None and worker.box.idle)
    assert worker.ended[3:] == ["c2", "c3", "c4", "c0 again"]


async def test_what_waits_outside_at_the_end_of_a_process_goes_back_without_a_mark(engine: Engine) -> None:
    worker = WaitsOutside()
    async with inbox_for(engine, worker) as worker.box:
        await worker.box.put("a", "T:C:1", "m", "{}")
        await until(lambda: worker.ended == ["a"])
        await worker.box.drain(0.05)
        assert worker.box.idle
    (row,) = await rows(engine, "new")
    assert (row["running"], row["tries"], row["crashes"]) == (0, 0, 0)


def put_many(tx: Tx) -> None:
    for n in range(500):
        inbox.put(tx, f"{n}", f"T:C{n % 40}:{n}", "m", "{}", team="T", person=f"U{n % 7}", now=n / 10)


async def test_many_conversations_that_wait_at_the_start_have_no_task_each(
    engine: Engine,
) -> None:
    await engine.write(put_many)
    worker = WaitsOutside()
    worker.box = inbox_for(engine, worker, parallel=3, outside=1, clock=lambda: 25.0)
    async with worker.box:
        assert len(asyncio.all_tasks()) == 1 + 3


# Failures


async def test_a_mistake_of_ours_is_tried_again_and_then_parked(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    worker, notified = RecordingWorker(), []

    async def gave_up(job: Job, error: GaveUp) -> None:
        notified.append((job.key, error.attempts))

    worker.acts["a"] = [RuntimeError("a secret of somebody") for _ in range(9)]
    caplog.set_level(logging.INFO)
    async with inbox_for(engine, worker, max_attempts=3, gave_up=gave_up, random=lambda: 0.0) as box:
        await box.put("a", "c", "m", PAYLOAD)
        await box.put("b", "c", "m", "{}")
        await until(lambda: bool(notified))
    assert worker.began == ["a", "a", "a", "b"]
    assert notified == [("a", 3)]
    (parked,) = await rows(engine, "parked")
    assert (parked["key"], parked["tries"], parked["error"]) == ("a", 3, "RuntimeError")
    assert all("secret" not in record.getMessage() for record in caplog.records)
    assert [r.getMessage() for r in caplog.records if "parked" in r.getMessage()] == [
        "job 1 (a) parked after 3: RuntimeError"
    ]


async def test_a_telling_that_fails_is_tried_again_until_it_is_told(engine: Engine) -> None:
    worker, notified = RecordingWorker(), []
    worker.acts["a"] = [SlackRefused("no")]
    failures = [SlackUnavailable("away", retry_after_s=0.01), RuntimeError("a mistake")]

    async def gave_up(job: Job, error: GaveUp) -> None:
        if failures:
            raise failures.pop(0)
        notified.append((job.key, job.payload, error.attempts))

    async with inbox_for(engine, worker, gave_up=gave_up, random=lambda: 0.0) as box:
        await box.put("a", "c", "m", PAYLOAD)
        await until(lambda: bool(notified))
    assert notified == [("a", PAYLOAD, 1)]
    assert [row["key"] for row in await rows(engine, "parked")] == ["a"]


async def test_a_process_that_ends_between_parking_and_telling_tells_in_its_next_life(
    engine: Engine,
) -> None:
    worker, notified = RecordingWorker(), []
    worker.acts["a"] = [SlackRefused("no")]

    async def never(job: Job, error: GaveUp) -> None:
        notified.append("begun")
        await asyncio.Event().wait()

    async def gave_up(job: Job, error: GaveUp) -> None:
        notified.append(job.key)

    async with inbox_for(engine, worker, gave_up=never) as box:
        await box.put("a", "c", "m", "{}")
        await until(lambda: notified == ["begun"])
    assert [row["key"] for row in await rows(engine, "parked")] == ["a"]
    async with inbox_for(engine, worker, gave_up=gave_up):
        await until(lambda: notified == ["begun", "a"])


async def test_a_telling_that_cannot_be_helped_ends_there(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    worker, notified = RecordingWorker(), []
    worker.acts["a"] = [SlackRefused("no")]

    async def gave_up(job: Job, error: GaveUp) -> None:
        notified.append(job.key)
        raise SlackRefused("is_archived")

    async with inbox_for(engine, worker, gave_up=gave_up) as box:
        await box.put("a", "c", "m", "{}")
        await box.put("b", "c", "m", "{}")
        await until(lambda: worker.ended == ["b"] and notified == ["a"])
        await until(lambda: box.idle)
    assert [row["key"] for row in await rows(engine, "parked")] == ["a"]
    assert not await rows(engine, "new")
    assert "nobody could be told: SlackRefused" in caplog.text


async def test_what_is_parked_again_after_a_replay_is_told_again(engine: Engine) -> None:
    worker, notified = RecordingWorker(), []
    worker.acts["a"] = [SlackRefused("no"), SlackRefused("no")]

    async def gave_up(job: Job, error: GaveUp) -> None:
        notified.append(job.key)

    async with inbox_for(engine, worker, gave_up=gave_up) as box:
        await box.put("a", "c", "m", "{}")
        await until(lambda: notified == ["a"])
        await box.replay((await rows(engine, "parked"))[0]["seq"])
        await until(lambda: notified == ["a", "a"])


async def test_an_error_that_cannot_be_helped_is_parked_at_once(engine: Engine) -> None:
    worker = RecordingWorker()
    worker.acts["a"] = [SlackRefused("is_archived")]
    async with inbox_for(engine, worker) as box:
        await box.put("a", "c", "m", "{}")
        await box.put("b", "c", "m", "{}")
        await until(lambda: worker.ended == ["b"])
    (parked,) = await rows(engine, "parked")
    assert parked["error"] == "SlackRefused: I could not write there (is_archived)."


async def test_being_told_when_to_come_back_is_no_failure(engine: Engine) -> None:
    worker = RecordingWorker()
    worker.acts["a"] = [SlackUnavailable("429", retry_after_s=0.02) for _ in range(10)]
    async with inbox_for(engine, worker, max_attempts=2) as box:
        begun = time.monotonic()
        await box.put("a", "c", "m", "{}")
        await until(lambda: worker.ended == ["a"])
    assert time.monotonic() - begun >= 10 * 0.02
    assert len(worker.began) == 11


async def test_whoever_says_when_to_come_back_is_given_that_and_a_little_more(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """A little more, spread at random: who was sent away together does not come back together."""
    worker = RecordingWorker()
    worker.acts["a"] = [SlackUnavailable("429", retry_after_s=60.0)]
    async with inbox_for(engine, worker, clock=lambda: 1_000.0, random=steady) as box:
        await box.put("a", "c", "m", "{}")
        await until(lambda: worker.began == ["a"] and box.idle)
    (row,) = await rows(engine, "new")
    assert row["due_at"] == pytest.approx(1_000.0 + 60.0 * 1.05)
    assert "job 1 (a) again in 63.0 s" in caplog.text


@pytest.mark.parametrize(("hours", "state"), [(5.9, "new"), (6.1, "parked")])
async def test_an_outage_is_outlasted_for_hours_and_not_for_ever(
    engine: Engine, hours: float, state: str
) -> None:
    worker = RecordingWorker()
    worker.acts["a"] = [SlackUnavailable("away")]
    await engine.write(put_for_later, due_at=0.0)
    async with inbox_for(engine, worker, max_attempts=1, clock=lambda: hours * 3_600) as box:
        await until(lambda: worker.began == ["a"] and box.idle)
    assert [row["key"] for row in await rows(engine, state)] == ["a"]


async def test_a_replayed_job_returns_to_its_old_place_with_its_tries_forgotten(engine: Engine) -> None:
    worker, gate = RecordingWorker(), asyncio.Event()
    worker.acts["a"] = [SlackRefused("no")]
    worker.acts["b"] = [gate.wait]
    async with inbox_for(engine, worker) as box:
        for key in "abc":
            await box.put(key, "c", "m", PAYLOAD)
        await until(lambda: worker.began == ["a", "b"])
        await box.replay(1)
        gate.set()
        await until(lambda: len(worker.ended) == 3)
        assert worker.ended == ["b", "a", "c"]
        with pytest.raises(Missing):
            await box.replay(1)
    row = await engine.read(queries.show, 1)
    assert (row["attempts"], row["tries"]) == (2, 0)


async def test_a_discarded_job_is_never_worked_and_holds_nothing(engine: Engine) -> None:
    worker = RecordingWorker()
    worker.acts["a"] = [SlackRefused("no")]
    async with inbox_for(engine, worker) as box:
        await box.put("a", "c", "m", PAYLOAD)
        await until_async(lambda: state_of(engine, 1), "parked")
        await box.discard(1)
        with pytest.raises(Missing):
            await box.replay(1)
        with pytest.raises(Missing):
            await box.discard(1)
    row = await engine.read(queries.show, 1)
    assert (row["state"], row["payload"], row["error"]) == ("done", None, "discarded")
    listed = await engine.read(lambda tx: list(audit.every(tx)))
    assert [(entry.act, entry.about) for entry in listed] == [("discarded", "job 1")]


async def test_a_cancelled_job_is_not_worked_and_the_next_one_is(engine: Engine) -> None:
    worker, gate = RecordingWorker(), asyncio.Event()
    worker.acts["a"] = [gate.wait]
    async with inbox_for(engine, worker) as box:
        for key in "abc":
            await box.put(key, "c", "m", PAYLOAD)
        await until(lambda: worker.began == ["a"])
        assert await engine.write(inbox.cancel, "b", now=0) is True
        assert await engine.write(inbox.cancel, "a", now=0) is False  # it is being worked on
        gate.set()
        await until(lambda: len(worker.ended) == 2)
    assert worker.ended == ["a", "c"]


async def test_what_a_waiting_job_holds_can_be_changed_and_what_is_over_stays_empty(engine: Engine) -> None:
    def scene(tx: Tx) -> tuple[str, None]:
        inbox.put(tx, "a", "c", "m", "first", now=0)
        inbox.amend(tx, "a", lambda payload: f"{payload}, second")
        inbox.amend(tx, "nobody's", str.upper)
        changed = queries.show(tx, 1)["payload"]
        inbox.cancel(tx, "a", now=0)
        inbox.amend(tx, "a", lambda payload: "back again")
        return changed, queries.show(tx, 1)["payload"]

    assert await engine.write(scene) == ("first, second", None)


async def test_the_jobs_about_one_post_are_found_by_its_key_and_no_other_posts_are(engine: Engine) -> None:
    def scene(tx: Tx) -> list[str]:
        for key in ("T:C:1", "T:C:1:retry", "T:C:1:gave_up:2", "T:C:10", "T:C:1;", "T:C:0"):
            inbox.put(tx, key, "c", "m", "{}", now=0)
        return queries.list_keys(tx, "T:C:1")

    assert await engine.write(scene) == ["T:C:1", "T:C:1:retry", "T:C:1:gave_up:2"]


async def test_a_conversation_is_known_as_long_as_something_waits_or_runs_in_it(engine: Engine) -> None:
    def scene(tx: Tx) -> None:
        inbox.put(tx, "a", "c", "m", "{}", now=0)
        assert queries.knows_conversation(tx, "c")
        assert not queries.knows_conversation(tx, "d")
        job = inbox.take(tx, "c", now=0)
        assert isinstance(job, Job)
        assert queries.knows_conversation(tx, "c")
        inbox.finish(tx, job, now=0)
        assert not queries.knows_conversation(tx, "c")

    await engine.write(scene)


async def test_a_list_of_jobs_is_no_longer_than_asked_for(engine: Engine) -> None:
    def scene(tx: Tx) -> list[str]:
        for n in range(101):
            inbox.put(tx, f"{n}", "c", "m", "{}", now=0)
        assert len(queries.list_jobs(tx, "new")) == 100
        return [row["key"] for row in queries.list_jobs(tx, "new", limit=2)]

    assert await engine.write(scene) == ["0", "1"]


async def test_a_worker_that_was_overtaken_changes_nothing(engine: Engine) -> None:
    def scene(tx: Tx) -> None:
        inbox.put(tx, "a", "c", "m", "{}", now=0)
        old = inbox.take(tx, "c", now=0)
        assert isinstance(old, Job)
        recovery.recover(tx, max_crashes=5, now=0)
        new = inbox.take(tx, "c", now=0)
        assert isinstance(new, Job)
        effects: list[str] = []
        assert not inbox.finish(tx, old, lambda tx: effects.append("stale"), now=1)
        assert not inbox.fail(tx, old, "stale", due_at=9)
        assert not inbox.park(tx, old, "stale")
        assert not inbox.give_back(tx, old)
        assert inbox.finish(tx, new, lambda tx: effects.append("new"), now=1)
        assert effects == ["new"]

    await engine.write(scene)


@pytest.mark.sqlite_file
async def test_a_full_database_while_finishing_delays_the_end_and_works_nothing_twice(engine: Engine) -> None:
    worker = RecordingWorker()

    async def fill_the_disk() -> None:
        await engine.write(lambda tx: tx.all("pragma max_page_count = 1"))

    worker.acts["a"] = [fill_the_disk]
    async with inbox_for(engine, worker) as box:
        await box.put("a", "c", "m", "{}")
        await until(lambda: worker.ended == ["a"])
        await engine.write(lambda tx: tx.all("pragma max_page_count = 100000"))
        await until_async(lambda: state_of(engine, 1), "done")
    assert worker.began == ["a"]


async def test_waiting_for_a_busy_database_grows_to_a_bound(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    write, sleep = engine.write, asyncio.sleep

    async def busy(fn: Any, /, *args: Any, **kw: Any) -> Any:
        if len(waits) < 9:
            raise Busy("locked")
        return await write(fn, *args, **kw)

    async def at_once(delay_s: float) -> None:
        waits.append(delay_s)
        await sleep(0)

    monkeypatch.setattr(engine, "write", busy, raising=False)
    monkeypatch.setattr("bot.jobs.taking.asyncio.sleep", at_once)
    await PatientWriter(engine, lambda: False).write(inbox.release, "c")
    assert waits == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


async def test_a_write_that_fails_for_good_is_in_the_log_and_frees_the_place(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(tx: Tx, *args: Any, **kw: Any) -> None:
        raise ValueError("no such column")

    worker = RecordingWorker()
    worker.acts["a"] = [RuntimeError("a mistake")]
    async with inbox_for(engine, worker) as box:
        monkeypatch.setattr(inbox, "fail", broken)
        await box.put("a", "c", "m", "{}")
        await until(lambda: "job 1 is left as it is" in caplog.text)
        await box.put("b", "d", "m", "{}")
        await until(lambda: worker.ended == ["b"])
        monkeypatch.setattr(inbox, "take", broken)
        box._lanes.wake("d")
        await until(lambda: "nothing can be taken" in caplog.text and box.idle)


# Kinds of jobs


def stored_by_a_newer_version(tx: Tx) -> None:
    inbox.put(tx, "new", "c", "of tomorrow", PAYLOAD, team="T1", person="U1", now=0)
    inbox.put(tx, "next", "c", "m", "{}", now=0)


async def test_a_job_of_a_kind_that_nobody_registered_is_parked_and_run_by_nobody(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    await engine.write(stored_by_a_newer_version)
    worker, notified, before = RecordingWorker(), list[str](), unknown_jobs()

    async def gave_up(job: Job, error: GaveUp) -> None:
        notified.append(job.key)

    async with inbox_for(engine, worker, gave_up=gave_up) as box:
        await until(lambda: worker.ended == ["next"] and box.idle)
    assert (worker.began, notified) == (["next"], [])
    (parked,) = await rows(engine, "parked")
    assert (parked["key"], parked["kind"]) == ("new", "of tomorrow")
    assert "no worker for jobs of kind 'of tomorrow'" in parked["error"]
    assert "job 1 (new) parked after 1: no worker for jobs of kind 'of tomorrow'" in caplog.text
    assert unknown_jobs() == before + 1


async def test_a_job_of_an_unknown_kind_is_listed_and_replayed_once_there_is_a_worker(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    worker, url = RecordingWorker(), database_url(tmp_path / "p.db")
    async with open_engine(url) as engine:
        await engine.write(stored_by_a_newer_version)
        async with inbox_for(engine, worker) as box:
            await until(lambda: worker.ended == ["next"] and box.idle)
    await parley_inbox(url, "list")
    assert "of tomorrow  new" in capsys.readouterr().out
    await parley_inbox(url, "replay", "1")
    async with open_engine(url) as engine:
        box = inbox_for(engine, worker)
        box.register("of tomorrow", worker)
        async with box:
            await until(lambda: worker.ended == ["next", "new"])
    await parley_inbox(url, "list")
    assert capsys.readouterr().out.endswith("nothing is parked\n")


async def parley_inbox(url: str, *words: str) -> None:
    parser = argparse.ArgumentParser()
    inbox_command.add_arguments(parser)
    settings = Settings(database=url)
    assert await inbox_command.run(parser.parse_args(words), settings) == 0


def unknown_jobs() -> int:
    found = [line for line in METRICS.render().splitlines() if line.startswith("parley_unknown_jobs_total ")]
    return int(found[0].split()[1]) if found else 0


async def test_a_kind_has_one_worker_from_before_the_inbox_starts(engine: Engine) -> None:
    box = inbox_for(engine, RecordingWorker())
    with pytest.raises(RuntimeError, match="have a worker already"):
        box.register("m", RecordingWorker())
    async with box:
        with pytest.raises(RuntimeError, match="comes too late"):
            box.register("of tomorrow", RecordingWorker())


# The end of a process


async def test_leaving_gives_back_what_runs(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    worker = RecordingWorker()
    worker.acts["a"] = [asyncio.Event().wait]
    async with inbox_for(engine, worker) as box:
        assert box.idle
        await box.put("a", "c", "m", "{}")
        await until(lambda: worker.began == ["a"])
        assert not box.idle
    (row,) = await rows(engine, "new")
    assert (row["running"], row["crashes"]) == (0, 0)
    assert "job 1 (a) goes back to the queue" in caplog.text


async def test_stopping_waits_for_what_runs_and_leaves_the_rest(engine: Engine) -> None:
    worker, gate = RecordingWorker(), asyncio.Event()
    worker.acts["a"] = [gate.wait]
    async with inbox_for(engine, worker) as box:
        for key in "ab":
            await box.put(key, "c", "m", "{}")
        await until(lambda: worker.began == ["a"])
        draining = asyncio.create_task(box.drain(5))
        await asyncio.sleep(0.02)
        assert box.stopping
        assert await box.put("late", "d", "m", "{}") is True  # still kept, for the next process
        gate.set()
        await draining
    assert worker.began == ["a"]
    assert [row["key"] for row in await rows(engine, "new")] == ["b", "late"]


async def test_what_is_not_ready_in_time_goes_back_without_a_mark(engine: Engine) -> None:
    worker = RecordingWorker()
    worker.acts["a"] = [asyncio.Event().wait]
    async with inbox_for(engine, worker) as box:
        await box.put("a", "c", "m", "{}")
        await until(lambda: worker.began == ["a"])
        await box.drain(0.05)
    (row,) = await rows(engine, "new")
    assert (row["running"], row["tries"], row["crashes"]) == (0, 0, 0)
    async with inbox_for(engine, worker):
        await until(lambda: worker.ended == ["a"])


async def test_what_arrives_while_stopping_is_kept_and_not_begun(engine: Engine) -> None:
    worker = RecordingWorker()
    async with inbox_for(engine, worker) as box:
        put = asyncio.create_task(box.put("a", "c", "m", "{}"))
        await asyncio.sleep(0)
        await box.drain(5)
        assert await put is True
    assert worker.began == []
    (row,) = await rows(engine, "new")
    assert row["running"] == 0


async def test_a_cancelled_put_is_either_stored_and_done_or_neither(engine: Engine) -> None:
    worker = RecordingWorker()
    async with inbox_for(engine, worker) as box:
        task = asyncio.create_task(box.put("a", "c", "m", "{}"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await box.put("b", "c", "m", "{}")
        await until(lambda: worker.ended == ["a", "b"])


class World:
    """Processes that come and go over one database file. Death is kill -9: nothing is written any more."""

    def __init__(self, path: Path) -> None:
        self.url = database_url(path / "p.db")
        self.deaths = 0
        self.done: list[str] = []
        self.death = asyncio.Event()

    async def live(self, handle: Callable[[Job], Awaitable[None]], puts: Sequence[tuple[str, str]]) -> bool:
        """One process's life; True when it was not killed and has nothing left to do."""

        async def work(job: Job) -> Sequence[Effect]:
            await handle(job)
            self.done.append(job.key)
            return []

        self.death.clear()
        monkeypatch = pytest.MonkeyPatch()
        monkeypatch.setattr("bot.jobs.inbox.LONGEST_WAIT_S", 0.05)  # after deaths that a job is charged with
        engine = await open_engine(self.url).__aenter__()
        box = await inbox_for(engine, work, parallel=8, max_crashes=5, random=lambda: 0.0).__aenter__()
        monkeypatch.undo()
        for key, conversation in puts:
            await box.put(key, conversation, "m", "{}")
        while not self.death.is_set() and (await engine.read(queries.depth))["waiting"]:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        died = self.death.is_set()
        await engine.__aexit__(None, None, None)  # type: ignore[attr-defined]
        await box.drain(0)
        self.deaths += died
        return not died


async def test_a_job_that_kills_the_process_is_parked_alone_however_much_else_there_is_to_do(
    tmp_path: Path,
) -> None:
    """Twice beside others, twice as a suspect beside others, and then five times alone."""
    world, more = World(tmp_path), count()

    async def handle(job: Job) -> None:
        if job.key == "poison":
            world.death.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0.02)

    def arrivals() -> list[tuple[str, str]]:
        return [(f"{n}", f"c{n % 12}") for n in islice(more, 24)]

    puts = [("poison", "p"), *arrivals()]
    while not await world.live(handle, puts):
        puts = arrivals()
    async with open_engine(world.url) as engine:
        (parked,) = await rows(engine, "parked")
    assert (parked["key"], parked["crashes"]) == ("poison", 5)
    assert world.deaths <= 9
    assert {f"{n}" for n in range(24 * world.deaths)} <= set(world.done)


async def test_no_job_is_parked_for_a_storm_of_kills_whatever_it_does_meanwhile(engine: Engine) -> None:
    """Forty kills two seconds apart, and one job alone on its way whenever it may be."""

    def storm(tx: Tx) -> tuple[str, int]:
        inbox.put(tx, "a", "c", "m", "{}", now=0)
        for kill in range(40):
            inbox.take(tx, "c", now=2.0 * kill)
            recovery.recover(tx, max_crashes=5, now=2.0 * kill)
        row = queries.show(tx, 1)
        return row["state"], row["crashes"]

    assert await engine.write(storm) == ("new", 4)


def found_running(tx: Tx, keys: str, *, crashes: int = 0, suspicions: int = 0) -> None:
    for key in keys:
        inbox.put(tx, key, f"of {key}", "m", "{}", now=0)
        inbox.take(tx, f"of {key}", now=0)
    tx.run(
        "update inbox set crashes = :crashes, suspicions = :suspicions",
        crashes=crashes,
        suspicions=suspicions,
    )


@pytest.mark.parametrize(("suspicions", "parallel", "together"), [(0, 4, 3), (1, 2, 2)])
async def test_what_died_twice_with_us_runs_few_at_a_time_beside_the_rest(
    engine: Engine, suspicions: int, parallel: int, together: int
) -> None:
    """Found running once more, each is under suspicion once more."""
    await engine.write(found_running, "abc", suspicions=suspicions)
    worker, gate = RecordingWorker(), asyncio.Event()
    worker.acts = {key: [gate.wait] for key in "abcd"}
    async with inbox_for(engine, worker, parallel=parallel) as box:
        await until(lambda: len(worker.began) == together)
        await box.put("d", "of d", "m", "{}")
        await until(lambda: len(worker.began) == together + 1)
        await asyncio.sleep(0.05)
        assert len(worker.at_work) == together + 1
        gate.set()
        await until(lambda: len(worker.ended) == 4 and box.idle)


@pytest.mark.parametrize(("died", "charged"), [("a", 1), ("ab", 0)])
async def test_a_death_is_charged_only_to_a_job_that_ran_alone(
    engine: Engine, died: str, charged: int
) -> None:
    await engine.write(found_running, died)
    worker = RecordingWorker()
    async with inbox_for(engine, worker) as box:
        await until(lambda: sorted(worker.ended) == list(died) and box.idle)
    assert (await engine.read(queries.show, 1))["crashes"] == charged


async def test_a_suspect_that_did_not_run_as_the_process_died_is_a_little_less_so(engine: Engine) -> None:
    def scene(tx: Tx) -> list[int]:
        found_running(tx, "abc", suspicions=2)
        tx.run("update inbox set running = 0 where key = 'c'")
        recovery.recover(tx, max_crashes=5, now=0)
        return [row["suspicions"] for row in tx.all("select suspicions from inbox order by seq")]

    assert await engine.write(scene) == [3, 3, 1]


def put_for_later(tx: Tx, *, due_at: float) -> None:
    inbox.put(tx, "a", "c", "m", "{}", now=due_at)


async def test_what_is_due_later_is_not_done_earlier_after_a_restart(engine: Engine) -> None:
    worker = RecordingWorker()
    await engine.write(put_for_later, due_at=1_100.0)
    async with inbox_for(engine, worker, clock=lambda: 1_000.0) as box:
        await box.put("b", "other", "m", "{}")
        await until(lambda: worker.ended == ["b"])
    assert worker.began == ["b"]


async def test_a_clock_that_was_set_back_does_not_put_a_retry_off_for_days(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.jobs.inbox.LONGEST_WAIT_S", 0.05)
    worker = RecordingWorker()
    await engine.write(put_for_later, due_at=1_000_000.0)
    async with inbox_for(engine, worker, clock=lambda: 1_000.0):
        await until(lambda: worker.ended == ["a"])


async def test_whoever_is_parked_for_killing_us_is_told_about_in_its_conversations_turn(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    notified: list[str] = []
    worker = RecordingWorker()

    async def gave_up(job: Job, error: GaveUp) -> None:
        assert job.conversation not in worker.at_work, "told beside another job of the conversation"
        notified.append(f"{job.key} {error.attempts} {job.payload}")

    def kill(tx: Tx) -> None:
        inbox.put(tx, "poison", "c", "m", "{}", now=0)
        inbox.take(tx, "c", now=0)
        tx.run("update inbox set crashes = 4, running = 1")
        inbox.put(tx, "next", "c", "m", "{}", now=0)

    async with open_engine(database_url(tmp_path / "p.db")) as engine:
        await engine.write(kill)
        worker.acts["next"] = [lambda: asyncio.sleep(0.1)]
        async with inbox_for(engine, worker, gave_up=gave_up):
            await until(lambda: notified == ["poison 5 {}"])
    assert worker.ended == ["next"]
    assert "job 1 (poison) parked after 5: the process died while it ran" in caplog.text


@settings(max_examples=20)
@given(kills=st.lists(st.integers(1, 40), max_size=4), conversations=st.integers(1, 6))
def test_whatever_moment_the_process_dies_nothing_is_lost_or_out_of_order(
    tmp_path_factory: pytest.TempPathFactory, kills: list[int], conversations: int
) -> None:
    async def story() -> None:
        world = World(tmp_path_factory.mktemp("world"))
        begun = 0
        left = list(kills)

        async def handle(job: Job) -> None:
            nonlocal begun
            begun += 1
            if left and begun >= left[0]:
                left.pop(0)
                begun = 0
                world.death.set()
            await asyncio.sleep(0.001)

        puts = [(f"{n:03}", f"c{n % conversations}") for n in range(30)]
        while not await world.live(handle, puts):
            pass  # what was put before is delivered again, as Slack does
        async with open_engine(world.url) as engine:
            assert await rows(engine, "parked") == []
        for c in range(conversations):
            mine = [key for key in world.done if int(key) % conversations == c]
            assert list(dict.fromkeys(mine)) == sorted(set(mine))
        assert set(world.done) == {key for key, _ in puts}

    asyncio.run(story())


# Costs


async def test_quiet_conversations_cost_nothing(engine: Engine) -> None:
    worker = RecordingWorker()
    async with inbox_for(engine, worker) as box:
        await box.put("warm", "up", "m", "{}")
        await until(lambda: bool(worker.ended))
        await asyncio.gather(*(box.put(f"{n}", f"c{n}", "m", "{}") for n in range(600)))
        await until(lambda: len(worker.ended) == 601)
        await asyncio.sleep(0.05)
        assert len(asyncio.all_tasks()) == 1
        gc.collect()
        lanes = box._lanes
        assert not (lanes._busy or lanes._woken or lanes._fresh or lanes._due or box._tasks)


async def test_keys_are_kept_for_more_than_a_day_then_go(engine: Engine) -> None:
    def scene(tx: Tx, later: float) -> tuple[int, bool]:
        return inbox.tidy(tx, now=later), inbox.put(tx, "a", "c", "m", "{}", now=later)

    worker = RecordingWorker()
    async with inbox_for(engine, worker, clock=lambda: 0.0) as box:
        await box.put("a", "c", "m", "{}")
        await until_async(lambda: state_of(engine, 1), "done")
    assert await engine.write(scene, 25 * 3600.0) == (0, False)
    assert await engine.write(scene, 8 * 86_400.0) == (1, True)


async def test_depth_says_what_waits_runs_and_is_parked(engine: Engine) -> None:
    def scene(tx: Tx) -> dict[str, Any]:
        for n, conversation in enumerate("aabc"):
            inbox.put(tx, f"{n}", conversation, "m", "{}", now=n)
        inbox.take(tx, "a", now=9)
        job = inbox.take(tx, "b", now=9)
        assert isinstance(job, Job)
        inbox.park(tx, job, "no")
        return queries.depth(tx)

    assert await engine.write(scene) == {"waiting": 3, "running": 1, "parked": 1, "oldest_at": 0.0}
