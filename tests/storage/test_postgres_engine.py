"""What the engine of several processes does otherwise than that of a file."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from bot.core.errors import Busy, SetupError
from storage.database import open_engine
from storage.engine import Tx
from storage.provider import model_traits
from tests.support.engines import POSTGRESQL, database_url
from tests.support.statements import holding_lock

pytestmark = [
    pytest.mark.parametrize("database_engine", [POSTGRESQL], indirect=True),
    pytest.mark.usefixtures("database_engine"),
]


def learn(tx: Tx, model: str) -> None:
    model_traits.set_ratio(tx, model, 1.0, now=0)


def terminate(tx: Tx) -> None:
    """Ends the connection on which a transaction is, as an operator or a restart would."""
    tx.one("select pg_terminate_backend(pg_backend_pid()) as done")


def models(tx: Tx) -> list[str]:
    return sorted(model_traits.ratios(tx))


async def test_on_postgresql_others_write_beside_a_write_aside(tmp_path: Path) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def long(tx: Tx) -> None:
        begun.set()
        assert may_end.wait(30)
        learn(tx, "aside")

    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        aside = asyncio.create_task(engine.write_aside(long))
        await asyncio.to_thread(begun.wait, 30)
        await engine.write(learn, "beside")
        may_end.set()
        await aside
        assert await engine.read(models) == ["aside", "beside"]


async def test_postgresql_is_backed_up_with_its_own_tools(tmp_path: Path) -> None:
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        with pytest.raises(SetupError, match="pg_dump"):
            await engine.backup(tmp_path / "copy.db")


@pytest.mark.parametrize("aside", [False, True], ids=["write", "write aside"])
async def test_what_waits_for_a_lock_keeps_nobody_else_from_working(tmp_path: Path, aside: bool) -> None:
    url = database_url(tmp_path / "parley.db")

    def wait(tx: Tx) -> list[str]:
        tx.lock("one")
        for n in range(60):  # more than the lines to the server and back hold
            tx.run(
                "insert into learned_ratios (model, ratio, at) values (:model, 1, 0)", model=f"{n}" * 100_000
            )
        tx.run("delete from learned_ratios where model <> :other", other="meanwhile")
        return models(tx)

    def waits(tx: Tx) -> bool:
        return bool(tx.all("select pid from pg_locks where locktype = 'advisory' and not granted"))

    async with open_engine(url) as engine:
        with holding_lock(url, "one"):
            found = asyncio.create_task((engine.write_aside if aside else engine.write)(wait))
            while not await engine.read(waits):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await engine.write(learn, "meanwhile")
        assert await found == ["meanwhile"]


async def test_a_connection_that_is_lost_is_replaced_and_what_was_put_off_is_done_again(
    tmp_path: Path,
) -> None:
    runs: list[list[str]] = []

    def write(tx: Tx) -> None:
        learn(tx, f"run {len(runs)}")
        runs.append(models(tx))
        learn(tx, "unseen")
        if len(runs) == 1:
            terminate(tx)

    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        await engine.write(write)
        assert runs == [["run 0"], ["run 1"]]
        assert await engine.read(models) == ["run 1", "unseen"]


async def test_a_connection_that_is_lost_with_the_commit_is_told_and_nothing_is_done_twice(
    tmp_path: Path,
) -> None:
    runs: list[int] = []

    def write(tx: Tx) -> None:
        tx.one("select 1 as n")
        learn(tx, f"run {len(runs)}")
        runs.append(1)
        tx.run("select pg_terminate_backend(pg_backend_pid())")

    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        with pytest.raises(Busy):
            await engine.write(write)
        assert len(runs) == 1
        await engine.write(learn, "after it")
        assert await engine.read(models) == ["after it"]
