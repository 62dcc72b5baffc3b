"""Several processes on one database keep Slack's limits together, and each goes on without the others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

import pytest

from bot.core.background import run_alongside
from bot.limits.sharing import REMEMBERED_S, SharedLimits
from handlers.slack.pacing import APPEND_STREAM, START_STREAM, WINDOW_S, Pacing
from storage.limits import channel_turns, holdings
from tests.support.shared_database import SharedDatabase, sharing
from tests.support.virtual_time import now, run

SETTLED_S = 3.0


def most_within(times: list[float], span_s: float) -> int:
    return max((sum(at <= other < at + span_s for other in times) for at in times), default=0)


def pacings(limits: list[SharedLimits]) -> list[Pacing]:
    return [Pacing(20, now, limits=each, workspace="T1") for each in limits]


async def keep_taking(pacing: Pacing, method: str, taken: list[float], every_s: float) -> None:
    while True:
        if pacing.rate(method).try_take():
            taken.append(now())
        await asyncio.sleep(every_s)


async def let_all(seconds: float, *work: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.create_task(each) for each in work]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()


@pytest.mark.parametrize(("method", "most"), [(START_STREAM, 18), (APPEND_STREAM, 90)])
def test_four_processes_together_take_what_one_may_and_most_of_it(method: str, most: int) -> None:
    async def story() -> list[float]:
        taken = list[float]()
        async with sharing(SharedDatabase(now), 4) as limits:
            there = pacings(limits)
            for pacing in there:
                pacing.rate(method)
            await asyncio.sleep(SETTLED_S)
            busy = [keep_taking(pacing, method, taken, 0.1 + n) for n, pacing in enumerate(there)]
            await let_all(300, *busy)
        return taken

    taken = run(story())
    assert most_within(taken, 60.0) <= most
    assert len(taken) >= 0.9 * most * 5


def test_whoever_waits_gets_what_another_process_does_not_need() -> None:
    async def story() -> float:
        async with sharing(SharedDatabase(now), 2) as limits:
            one, other = pacings(limits)
            one.rate(START_STREAM), other.rate(START_STREAM)
            await asyncio.sleep(SETTLED_S)
            began = now()
            for _ in range(18):
                await one.take(START_STREAM)
            return now() - began

    assert run(story()) < 5


def test_a_refusal_is_heard_by_all_and_only_once() -> None:
    async def story() -> tuple[float, float]:
        async with sharing(SharedDatabase(now), 3) as limits:
            there = pacings(limits)
            for pacing in there:
                pacing.rate(APPEND_STREAM)
            await asyncio.sleep(SETTLED_S)
            there[0].rate(APPEND_STREAM).refuse(20)
            await asyncio.sleep(2)
            heard = there[2].rate(APPEND_STREAM).wait_s()
            await asyncio.sleep(heard + 0.5)
            return heard, max(pacing.rate(APPEND_STREAM).wait_s() for pacing in there)

    heard, afterwards = run(story())
    assert 17 < heard < 18.5
    assert afterwards == 0


def test_what_a_process_held_that_died_is_there_again_after_a_minute() -> None:
    async def story() -> tuple[float, float]:
        database = SharedDatabase(now)
        dying = database.join()
        limits = dying.limits
        async with sharing(database, 1) as (staying,):
            one, other = pacings([limits, staying])
            async with run_alongside(limits.keep_divided()):
                one.rate(START_STREAM), other.rate(START_STREAM)
                await asyncio.sleep(SETTLED_S)
                for _ in range(12):
                    await one.take(START_STREAM)
                await asyncio.sleep(SETTLED_S)
            dying.die()
            await asyncio.sleep(SETTLED_S)
            soon = other.rate(START_STREAM).free
            await asyncio.sleep(WINDOW_S + 1)
            return soon, other.rate(START_STREAM).free

    soon, later = run(story())
    assert soon <= 6
    assert later == 18


def test_without_its_database_a_process_goes_on_with_what_it_holds_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    posted = list[float]()

    async def story() -> list[float]:
        database, taken = SharedDatabase(now), list[float]()
        async with sharing(database, 2) as limits:
            there = pacings(limits)
            for pacing in there:
                pacing.rate(START_STREAM)
            await asyncio.sleep(SETTLED_S)
            database.away = True
            streams = [keep_taking(pacing, START_STREAM, taken, 0.5) for pacing in there]
            await let_all(120, *streams, *(keep_posting(pacing, posted) for pacing in there))
        return taken

    with caplog.at_level(logging.WARNING):
        taken = run(story())
    assert most_within(taken, 60.0) == 18
    assert len(posted) > 200, "each posts on"
    assert len(caplog.records) == 2, "one of each process"


async def keep_posting(pacing: Pacing, arrived: list[float]) -> None:
    """In one channel, as fast as it may. Slack has each post after 50 ms, and says when that was."""
    while True:
        async with pacing.posting("C1") as posting:
            await asyncio.sleep(0.05)
            posting.message = f"{1_790_000_000 + now():.6f}"
            arrived.append(now())
            await asyncio.sleep(0.05)


def test_two_processes_post_by_turns_in_a_channel_a_second_apart() -> None:
    async def story() -> list[list[float]]:
        arrived: list[list[float]] = [[], []]
        async with sharing(SharedDatabase(now), 2) as limits:
            one, other = pacings(limits)
            await asyncio.sleep(SETTLED_S)
            await let_all(120, keep_posting(one, arrived[0]), keep_posting(other, arrived[1]))
        return arrived

    arrived = run(story())
    assert most_within(sorted(arrived[0] + arrived[1]), 1.0) == 1
    assert sum(map(len, arrived)) >= 100
    assert min(map(len, arrived)) >= 40


def test_a_process_that_has_its_database_alone_writes_nothing() -> None:
    async def story() -> int:
        database = SharedDatabase(now)
        async with sharing(database, 1) as limits:
            (pacing,) = pacings(limits)
            for _ in range(18):
                await pacing.take(START_STREAM)
            async with pacing.posting("C1"):
                await asyncio.sleep(10)
        return database.writes

    assert run(story()) == 0


def test_dividing_ends_when_it_is_told_to_also_in_the_moment_in_which_somebody_runs_short() -> None:
    async def story() -> None:
        async with asyncio.timeout(60), sharing(SharedDatabase(now), 2) as limits:
            await asyncio.sleep(SETTLED_S)
            async with run_alongside(limits[0].keep_divided()):
                await asyncio.sleep(0.7)  # what it does has been done, and it waits
                limits[0].hurry()

    run(story())


def test_a_place_that_was_taken_before_the_clock_was_set_back_by_a_day_is_not_held_for_a_day() -> None:
    clock = [100_000.0]
    tx = SharedDatabase(lambda: clock[0]).tx
    assert not channel_turns.take(tx, "C1", 1, hold_s=30.0).wait_s
    assert channel_turns.take(tx, "C1", 2, hold_s=30.0).wait_s
    clock[0] -= 86_400
    assert not channel_turns.take(tx, "C1", 2, hold_s=30.0).wait_s
    assert channel_turns.take(tx, "C1", 1, hold_s=30.0).wait_s


def test_what_a_process_held_that_died_before_the_clock_was_set_back_by_a_day_is_not_held_for_a_day() -> None:
    clock = [100_000.0]
    tx = SharedDatabase(lambda: clock[0]).tx
    holdings.exchange(tx, 1, lambda others: "{}")
    clock[0] -= 86_400
    (held,) = holdings.exchange(tx, 2, lambda others: "{}")
    assert not held.lives
    assert held.age_s > REMEMBERED_S
    assert not holdings.exchange(tx, 2, lambda others: "{}"), "it is forgotten"
