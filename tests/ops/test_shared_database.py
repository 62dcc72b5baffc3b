"""What a monitor reads of processes that share a PostgreSQL database."""

from __future__ import annotations

import math
import re
from pathlib import Path

import aiohttp
import pytest

from bot import health
from storage.database import open_engine
from storage.engine import Tx
from storage.jobs import inbox
from tests.support.engines import POSTGRESQL, database_url
from tests.support.rows import FILE
from tests.support.workspace import Workspace, started, workspace

pytestmark = pytest.mark.parametrize("database_engine", [POSTGRESQL], indirect=True)
GONE = 999


async def get(team: Workspace, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as http, http.get(team.bot.ops_url + path) as answer:
        return answer.status, await answer.text()


async def gauges(team: Workspace) -> dict[str, float]:
    _, text = await get(team, "/metrics")
    return {name: float(value) for name, value in re.findall(r"^(parley_\w+) (\S+)$", text, re.MULTILINE)}


async def test_metrics_tell_of_this_process_and_of_all_on_its_database(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team, started(team.slack, team.model, tmp_path) as other:
        mine, theirs = await gauges(team), await gauges(other)
    assert mine["parley_workers"] == theirs["parley_workers"] == 2
    assert 0 < mine["parley_worker"] < theirs["parley_worker"]
    assert math.isfinite(mine["parley_worker_silent_seconds"]), "it is on the list"
    assert mine["parley_db_connections"] >= 3, "one that reads, one that writes, one that gives signs of life"
    assert mine["parley_db_write_seconds_count"] > 0
    assert mine["parley_db_writes_total"] > 0
    assert mine["parley_db_retries_total"] == mine["parley_db_reconnects_total"] == 0


async def test_lost_connections_are_counted(tmp_path: Path) -> None:
    def end_others(tx: Tx) -> None:
        tx.all(
            "select pg_terminate_backend(pid, 2000) from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid()"
        )

    async with workspace(tmp_path) as team, open_engine(database_url(tmp_path / FILE)) as other:
        await other.write(end_others)
        await team.bot.services.engine.read(lambda tx: None)
        assert (await gauges(team))["parley_db_reconnects_total"] > 0


async def test_a_process_that_is_off_the_list_or_silent_is_not_ready_and_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with workspace(tmp_path) as team, open_engine(database_url(tmp_path / FILE)) as other:
        assert await get(team, "/readyz") == (200, "ready\n")
        with monkeypatch.context() as patched:
            patched.setattr(health, "LATE_S", 0.0)
            status, told = await get(team, "/readyz")
            assert (status, "no sign of life could be given" in told) == (503, True)
        worker = team.bot.services.engine.worker
        await other.write(lambda tx: tx.changed("delete from workers where id = :id", id=worker))
        await team.bot.services.engine.wait_until_expelled()
        status, told = await get(team, "/readyz")
        assert (status, "is off the list" in told) == (503, True)


async def test_what_is_taken_over_from_a_dead_process_is_counted(tmp_path: Path) -> None:
    def begin_and_die(tx: Tx) -> None:
        inbox.put(tx, "key", kind="of nothing", conversation="one", payload="{}", now=0.0)
        inbox.take(tx, "one", worker=GONE, now=0.0)

    async with workspace(tmp_path) as team, open_engine(database_url(tmp_path / FILE)) as other:
        before = (await gauges(team)).get("parley_taken_over_total", 0)
        await other.write(begin_and_die)

        async def counted() -> bool:
            return (await gauges(team)).get("parley_taken_over_total", 0) == before + 1

        while not await counted():
            await team.bot.services.engine.read(lambda tx: None)
