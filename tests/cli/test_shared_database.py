"""The commands of `parley` on a PostgreSQL database, with no bot on this machine and with one."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from bot.cli import audit as audit_cli
from bot.cli.main import main
from bot.core.settings import Settings
from storage import audit
from storage.database import open_engine
from storage.engine import Tx
from storage.jobs import inbox
from tests.support.engines import POSTGRESQL, database_url
from tests.support.rows import FILE
from tests.support.workspace import Workspace, workspace

pytestmark = pytest.mark.parametrize("database_engine", [POSTGRESQL], indirect=True)
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """A command as an operator types it: its status, and all that it printed."""
    monkeypatch.setenv("PARLEY_DATABASE", database_url(tmp_path / FILE))
    monkeypatch.setenv("PARLEY_ENV_FILE", "")

    def typed(*words: str) -> tuple[int, str]:
        status = main(list(words))
        told = capsys.readouterr()
        return status, told.out + told.err

    return typed


def park_one(tx: Tx) -> None:
    now = time.time()  # an older one would be housekeeping's
    inbox.put(tx, "m:T1:C1:1.0", "one", "message", "{}", team="T1", person="U1", now=now)
    job = inbox.take(tx, "one", now=now)
    assert isinstance(job, inbox.Job)
    inbox.park(tx, job, "it failed")


async def fill(tmp_path: Path) -> None:
    async with open_engine(database_url(tmp_path / FILE)) as engine:
        await engine.write(park_one)


def test_commands_work_where_no_bot_runs_on_this_machine(run: Run, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path))
    assert "it failed" in run("inbox", "list")[1]
    assert json.loads(run("inbox", "show", "1")[1])["state"] == "parked"
    assert run("inbox", "replay", "1") == (0, "1: replayed\n")
    assert "m:T1:C1:1.0" in run("inbox", "list", "--waiting")[1]
    assert run("inbox", "discard", "1") == (0, "1: discarded\n")
    assert run("inbox", "discard", "9")[0] == 1
    assert run("forget", "U1", "--team", "T1")[0] == 0
    assert run("retention", "--apply")[0] == 0
    assert run("usage", "today", "--team", "T1")[0] == 0
    status, told = run("audit")
    assert (status, "unbroken" in told) == (0, True)
    for looked in ("inbox (all of job 1)", "usage ("):
        assert looked in told, "this look was written down by the command itself"
    status, told = run("backup", str(tmp_path / "copy"))
    assert (status, "pg_dump" in told) == (2, True)
    status, told = run("health")
    assert (status, "each is asked on its own machine" in told) == (1, True)
    assert not (tmp_path / "copy").exists()


async def in_thread(run: Run, *words: str) -> tuple[int, str]:
    return await asyncio.to_thread(run, *words)


async def test_commands_ask_the_bot_that_runs_here(run: Run, tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        assert await in_thread(run, "health") == (0, "ready\n")
        await team.bot.services.engine.write(park_one)
        assert (await in_thread(run, "inbox", "show", "1"))[0] == 0
        assert await in_thread(run, "inbox", "discard", "1") == (0, "1: discarded\n")
        while "all of job 1" not in (told := (await in_thread(run, "audit"))[1]):
            pass
        assert "unbroken" in told
        await _expect_unready(run, team)


async def _expect_unready(run: Run, team: Workspace) -> None:
    engine = team.bot.services.engine
    await engine.write(lambda tx: tx.changed("delete from workers where id = :id", id=engine.worker))
    await engine.wait_until_expelled()
    status, told = await in_thread(run, "health")
    assert (status, "off the list" in told) == (1, True)


async def test_who_follows_the_audit_list_waits_for_a_server_that_is_away(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from storage.postgres.connections import connect

    monkeypatch.setattr(audit_cli, "FOLLOW_S", 0.05)
    url, told = database_url(tmp_path / FILE), ""
    address = urlsplit(url)
    async with open_engine(url) as engine:
        await engine.write(audit.note, "looked at", "the earth", now=1.0)
    wanted = argparse.Namespace(last=50, team="", seal="", json=False, follow=True)
    following = asyncio.create_task(audit_cli.run(wanted, Settings(database=url)))

    async def hear(words: str) -> None:
        nonlocal told
        while words not in told:
            await asyncio.sleep(0.02)
            told += "".join(capsys.readouterr())

    await hear("the earth")
    with connect(urlunsplit(address._replace(path="/postgres"))) as server:
        server.autocommit = True
        for open_to_all in ("false", "true"):
            change = f'alter database "{address.path[1:]}" allow_connections {open_to_all}'
            server.execute(change.encode())
            await hear("waiting for the database")
    async with open_engine(url) as engine:
        await engine.write(audit.note, "looked at", "the moon", now=1.0)
    await hear("the moon")
    following.cancel()
    await asyncio.wait([following])
