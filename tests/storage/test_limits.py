"""What processes on one PostgreSQL hold of a limit is never more than there is."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from bot.limits.division import Claim
from bot.limits.sharing import Division, Limit
from storage.database import open_engine
from storage.engine import Engine, Tx
from storage.limits import channel_turns, holdings
from tests.support.engines import POSTGRESQL, database_url

PROCESSES = 4
ISOLATION = ["read committed", "serializable"]
MOST = 20
APART_S = 0.1

pytestmark = pytest.mark.parametrize("database_engine", [POSTGRESQL], indirect=True)


@asynccontextmanager
async def processes(tmp_path: Path, isolation: str = ISOLATION[0]) -> AsyncIterator[Sequence[Engine]]:
    """Each with connections of its own, as if it were one."""
    url = database_url(tmp_path / "parley.db")
    joined = "&" if "?" in url else "?"
    options = f"options=-c%20default_transaction_isolation%3D{isolation.replace(' ', '%5C%20')}"
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_engine(url + joined + options)) for _ in range(PROCESSES)]


def read_held(tx: Tx) -> list[float]:
    return [json.loads(row["holdings"])["limit"][2] for row in tx.all("select holdings from limit_holdings")]


@pytest.mark.parametrize("isolation", ISOLATION)
async def test_four_processes_never_hold_more_than_there_is(tmp_path: Path, isolation: str) -> None:
    most = 0.0

    async def divide(engine: Engine, wants: int) -> None:
        nonlocal most
        held = 0.0
        for turn in range(25):
            claim = Claim(held // 2, wants * (turn % 3), held)
            division = Division({"limit": (Limit(MOST, whole=True), claim)})
            await engine.write(holdings.exchange, engine.worker, division.write)
            held = division.parts["limit"].held
            most = max(most, sum(await engine.read(read_held)))

    async with processes(tmp_path, isolation) as engines:
        await asyncio.gather(*(divide(engine, 7 + n) for n, engine in enumerate(engines)))
    assert 0 < most <= MOST


@pytest.mark.parametrize("isolation", ISOLATION)
async def test_of_four_processes_one_at_a_time_has_its_turn_in_a_channel(
    tmp_path: Path, isolation: str
) -> None:
    taken = list[tuple[float, int]]()

    async def come(engine: Engine) -> None:
        for _ in range(8):
            while True:
                turn = await engine.write(channel_turns.take, "C1", engine.worker, hold_s=60.0)
                if not turn.wait_s:
                    break
                await asyncio.sleep(0.005)
            began = time.monotonic()
            await asyncio.sleep(0.003)
            taken.append((began, engine.worker))
            taken.append((time.monotonic(), engine.worker))
            await engine.write(channel_turns.set_free, "C1", engine.worker, in_s=0.0)

    async with processes(tmp_path, isolation) as engines:
        # Everybody is known to come there before the first one has its turn.
        await engines[0].write(channel_turns.take, "C1", 0, hold_s=0.05)
        await engines[1].write(channel_turns.take, "C1", 1, hold_s=0.05)
        await asyncio.gather(*(come(engine) for engine in engines))
    assert len(taken) == 2 * 8 * PROCESSES
    turns = list(zip(taken[::2], taken[1::2], strict=True))
    assert all(one[0][1] == one[1][1] for one in turns), "nobody came between"
    assert all(before[1][0] <= after[0][0] for before, after in itertools.pairwise(turns))


async def test_what_a_process_held_in_a_channel_that_died_is_free_again(tmp_path: Path) -> None:
    async with processes(tmp_path) as engines:
        one, other, *_ = engines
        for place, hold_s in (("C1", 60.0), ("C2", 0.1)):
            assert not (await one.write(channel_turns.take, place, one.worker, hold_s=hold_s)).wait_s
        for _ in range(1000):
            if not (await other.write(channel_turns.take, "C2", other.worker, hold_s=60.0)).wait_s:
                break
            await asyncio.sleep(0.02)
        assert (await other.write(channel_turns.take, "C1", other.worker, hold_s=60.0)).wait_s
        # Whoever answers late has no say any more.
        await one.write(channel_turns.set_free, "C2", one.worker, in_s=0.0)
        assert (await one.write(channel_turns.take, "C2", one.worker, hold_s=60.0)).wait_s


async def test_the_clock_of_a_process_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with processes(tmp_path) as engines:
        one, other, *_ = engines
        assert not (await one.write(channel_turns.take, "C1", one.worker, hold_s=30.0)).wait_s
        monkeypatch.setattr(time, "time", lambda: 4e9)
        assert (await other.write(channel_turns.take, "C1", other.worker, hold_s=30.0)).wait_s > 10
        rows = list[holdings.Holding]()
        for engine in (one, other):
            rows = await engine.write(holdings.exchange, engine.worker, lambda others: "{}")
    assert [(row.lives, row.age_s < 30) for row in rows] == [(True, True)]
