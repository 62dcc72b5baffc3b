"""An older file is brought up to date with everything in it; a newer one is left alone."""

from __future__ import annotations

import asyncio
import gzip
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from bot.core.errors import SetupError
from bot.jobs.inbox import Effect, Inbox, Job
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from storage.database import open_engine
from storage.jobs import inbox
from storage.schema import STEPS
from storage.sqlite.file import connect, migrate
from storage.sqlite.writer import SqliteTx
from tests.storage.make_schemas import ASKED, CHANNEL, PERSON, SCHEMAS, question
from tests.support.engines import database_url
from tests.support.promises import kept
from tests.support.workspace import MANIFEST, started

pytestmark = pytest.mark.sqlite_file

SCHEMA = "select name, sql from sqlite_master where sql is not null"


def old_file(path: Path, steps: int) -> None:
    """A file of an earlier version, with three jobs waiting, one of which it died over."""
    db = connect(path)
    migrate(db, STEPS[:steps])
    tx = SqliteTx(db.conn)
    for key in "abc":
        inbox.put(tx, key, "conversation", "m", "{}", now=0)
    tx.run("update inbox set attempts = 1, running = 1 where key = 'a'")  # taken, by the columns there were
    db.close()


@pytest.mark.parametrize("steps", range(1, len(STEPS) + 1), ids=[name for name, _ in STEPS])
async def test_jobs_queued_in_an_older_file_are_worked_after_the_upgrade(tmp_path: Path, steps: int) -> None:
    old_file(tmp_path / "p.db", steps)
    done: list[str] = []

    async def handle(job: Job) -> Sequence[Effect]:
        done.append(job.key)
        return []

    async with open_engine(database_url(tmp_path / "p.db")) as engine:
        box = Inbox(engine)
        box.register("m", handle)
        async with box, asyncio.timeout(5):
            while len(done) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        applied = await engine.read(lambda tx: tx.all("select name from _sqlite_migrations order by id"))
    assert done == ["a", "b", "c"]
    assert [row["name"] for row in applied] == [name for name, _ in STEPS]


def kept_file(name: str, path: Path) -> None:
    path.write_bytes(gzip.decompress((SCHEMAS / f"{name}.db.gz").read_bytes()))


def schema(path: Path) -> set[tuple[str, str]]:
    db = connect(path)
    try:
        return {(name, " ".join(sql.split())) for name, sql in db.execute(SCHEMA)}
    finally:
        db.close()


# The first file of each form in which questions ever waited: columns, and what is in a payload.
WAITING = (
    "0001_inbox", "0005_accounts", "0006_quiet_threads", "0008_failed_summaries", "0013_suspicions",
    "0016_message_files",
)  # fmt: skip


def waiting(name: str) -> set[str]:
    """The forms of what waits in a file: the columns, and what is in a payload."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.deserialize(gzip.decompress((SCHEMAS / f"{name}.db.gz").read_bytes()))
        db.row_factory = sqlite3.Row
        rows = db.execute("select * from inbox").fetchall()
    return {str((row.keys(), sorted(json.loads(row["payload"])))) for row in rows}


def test_of_each_form_in_which_questions_ever_waited_there_is_a_file_that_is_answered() -> None:
    known = {form for name in WAITING for form in waiting(name)}
    assert {name for name, _ in STEPS if waiting(name) - known} == set()


@pytest.mark.parametrize("name", WAITING)
async def test_row_10_questions_in_a_file_of_every_earlier_schema_are_answered_by_this_version(
    tmp_path: Path, name: str
) -> None:
    kept_file(name, tmp_path / "parley.db")
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        general = slack.workspace.channels[CHANNEL]
        for ts in ASKED:
            asked = {"type": "message", "user": PERSON, "ts": ts, "text": question(ts).text}
            slack.workspace.put(general, asked)
        async with started(slack, model, tmp_path, PARLEY_MESSAGE_AGE_LIMIT_S="1e9") as team:
            assert len(await kept(team)) == len(ASKED)


@pytest.mark.parametrize("name", [name for name, _ in STEPS])
def test_a_file_of_every_earlier_schema_becomes_the_same_as_a_new_one(tmp_path: Path, name: str) -> None:
    kept_file(name, tmp_path / "old.db")
    for file in ("old.db", "new.db"):
        db = connect(tmp_path / file)
        migrate(db)
        db.close()
    assert schema(tmp_path / "old.db") == schema(tmp_path / "new.db")


async def test_opening_twice_changes_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        async with open_engine(database_url(tmp_path / "p.db")) as engine:
            tables = await engine.read(lambda tx: tx.all("select sql from sqlite_master order by name"))
    assert tables


async def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    db = connect(tmp_path / "p.db")
    migrate(db, (*STEPS, ("9999_from_the_future", "create table future (x {INT}){STRICT}")))
    db.close()
    with pytest.raises(SetupError, match="newer version of Parley"):
        await open_engine(database_url(tmp_path / "p.db")).__aenter__()


def test_a_step_that_fails_leaves_nothing_half_done(tmp_path: Path) -> None:
    db = connect(tmp_path / "p.db")
    broken = ("0001_broken", "create table half (x {INT}){STRICT}; create table oops (")
    with pytest.raises(Exception, match="incomplete"):
        migrate(db, (broken,))
    assert "half" not in db.table_names()
    db.close()


def test_names_of_steps_are_unique() -> None:
    names = [name for name, _ in STEPS]
    assert len(names) == len(set(names))
