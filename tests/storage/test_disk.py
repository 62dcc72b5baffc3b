"""A disk that fails to write or to sync, under the real process: a failed commit is never acknowledged.

tests/support/failing_io.c makes the system's calls fail on the database's files; it is built with the C
compiler of the machine and needs Linux.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import itertools
import sqlite3
from pathlib import Path

import pytest

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from storage.database import open_engine
from tests.faults.reliability import note
from tests.support.preload import built, needs_compiler
from tests.support.promises import kept_in
from tests.support.supervised import supervised
from tests.support.waiting import until
from tests.support.workspace import MANIFEST, is_final

pytestmark = [pytest.mark.timeout(300), pytest.mark.sqlite_file, needs_compiler]
PATIENT = (0.5, *[1.0] * 60)
SOME = (1, 60, 450)  # at the start, while tables are made, and in the work
QUESTIONS = 2
AT_A_TIME = 4


@pytest.fixture(scope="session")
def bad_disk() -> Path:
    return built("failing_io")


def count_open(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return int(db.execute("select count(*) from inbox where state = 'new'").fetchone()[0])


async def answered(
    tmp_path: Path, library: Path, *, questions: int, failures: int = 1, **failing: str
) -> None:
    """Asks on a disk that fails and is started again when it gives up: each is answered once.

    `failures`: so many requests may have been booked and then not made, because the booking seemed to fail.
    """
    how = {"LD_PRELOAD": str(library), "FAIL_NAME": "parley.db", **failing}
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, ack_deadline_s=1.0, retry_delays_s=PATIENT) as slack,
        FakeModel() as model,
        supervised(slack, model, tmp_path, PARLEY_LOG_LEVEL="ERROR", **how) as bot,
    ):
        asked = [await slack.say("alice", "#general", f"@parley question {n}") for n in range(questions)]

        def said(thread: str) -> list[bool]:
            return [is_final(m) for m in slack.thread("#general", thread) if m.get("user") == slack.bot]

        await slack.until(lambda: all(said(thread) for thread in asked), 180)
        path = tmp_path / "parley.db"
        await until(lambda: not count_open(path))
        assert len(await kept_in(tmp_path, slack, model, unseen=bot.lives - 1 + failures)) == questions
    db = sqlite3.connect(path)
    assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
    db.close()


@pytest.mark.parametrize("at", SOME)
async def test_row_43_one_write_that_fails_loses_nothing_and_doubles_nothing(
    tmp_path: Path, bad_disk: Path, at: int
) -> None:
    await answered(tmp_path, bad_disk, questions=QUESTIONS, FAIL_AT=str(at), FAIL_MARK=f"{tmp_path}/mark")
    assert (tmp_path / "mark").exists(), "no call had that number"


async def test_row_42_a_disk_that_fails_now_and_then_delays_answers(tmp_path: Path, bad_disk: Path) -> None:
    async with open_engine(f"sqlite:///{tmp_path}/parley.db"):
        pass  # the tables are made while the disk is well: a start on a failing one takes many tries
    await answered(tmp_path, bad_disk, questions=3, failures=6, FAIL_EVERY="50")


async def test_row_41_a_disk_that_is_full_now_and_then_delays_answers(tmp_path: Path, bad_disk: Path) -> None:
    async with open_engine(f"sqlite:///{tmp_path}/parley.db"):
        pass
    full = {"FAIL_EVERY": "50", "FAIL_ERRNO": str(errno.ENOSPC)}
    await answered(tmp_path, bad_disk, questions=3, failures=6, **full)


@pytest.mark.slow
@pytest.mark.timeout(7200)
async def test_row_43_whichever_write_fails_nothing_is_lost_or_doubled(
    tmp_path: Path, bad_disk: Path
) -> None:
    """Number after number, several at a time, until there is no such write any more."""

    async def reached(number: int) -> bool:
        folder = tmp_path / str(number)
        folder.mkdir()
        await answered(folder, bad_disk, questions=1, FAIL_AT=str(number), FAIL_MARK=f"{folder}/mark")
        return (folder / "mark").exists()

    writes = 0
    for first in itertools.count(1, AT_A_TIME):
        made = sum(await asyncio.gather(*map(reached, range(first, first + AT_A_TIME))))
        writes += made
        print(f"{writes} writes, each failed once", flush=True)
        if made < AT_A_TIME:
            break
    note("Each write to the disk fails once", f"{writes} writes of one message's way, each answered once")
