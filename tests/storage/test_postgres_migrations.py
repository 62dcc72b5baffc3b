"""Processes of two versions on one PostgreSQL: a step is taken once, and what breaks the older is known."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.errors import SetupError
from storage import schema
from storage.database import open_engine
from storage.postgres import migrations
from storage.postgres.connections import PostgresConnection, connect
from storage.postgres.migrations import migrate, refuse_newer
from storage.schema import BREAKING, STEPS
from tests.support.engines import POSTGRESQL, database_url

NEXT = (*STEPS, ("9998_next", "create table next (x {INT}){STRICT}"))
# What the version before cannot go on with: it does not write the column, or reads what is gone.
TAKES_AWAY = re.compile(
    r"\bdrop\b|\brename\b|\balter\s+column\b|\bset\s+not\s+null\b|\badd\s+(constraint|check|foreign)\b"
    r"|\bunique\s+index\b|\badd\s+column\s+\w+\s+\{\w+\}(?![^,;]*\bdefault\b)[^,;]*\bnot\s+null\b"
)
on_postgresql = pytest.mark.parametrize("database_engine", [POSTGRESQL], indirect=True)


@pytest.fixture
def conn(tmp_path: Path, database_engine: str) -> Iterator[PostgresConnection]:
    with connect(database_url(tmp_path / "parley.db")) as conn:
        conn.autocommit = True
        yield conn


def names(conn: PostgresConnection) -> list[str]:
    return [row["name"] for row in conn.execute("select name from _migrations order by name")]


@on_postgresql
@pytest.mark.usefixtures("database_engine")
def test_two_that_start_at_once_take_each_step_once(tmp_path: Path, conn: PostgresConnection) -> None:
    conn.execute("drop schema public cascade")
    conn.execute("create schema public")
    failed, begin = list[BaseException](), threading.Barrier(2)

    def start() -> None:
        try:
            with connect(database_url(tmp_path / "parley.db")) as other:
                other.autocommit = True
                begin.wait(10)
                migrate(other, NEXT)
        except BaseException as exc:
            failed.append(exc)

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert names(conn) == sorted(name for name, _ in NEXT)


@on_postgresql
async def test_a_process_of_the_version_before_runs_beside_an_added_step(
    tmp_path: Path, conn: PostgresConnection
) -> None:
    migrate(conn, NEXT)
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        assert await engine.read(lambda tx: tx.one("select count(*) as n from inbox")) == {"n": 0}
    refuse_newer(conn)


@on_postgresql
async def test_a_process_of_the_version_before_does_not_start_after_a_breaking_step(
    tmp_path: Path, conn: PostgresConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(migrations, "BREAKING", frozenset(["9998_next"]))
        migrate(conn, NEXT)
    with pytest.raises(SetupError, match=r"newer version of Parley \(9998_next\)"):
        await open_engine(database_url(tmp_path / "parley.db")).__aenter__()


@on_postgresql
def test_a_step_that_fails_leaves_nothing_half_done(conn: PostgresConnection) -> None:
    broken = (*STEPS, ("9999_broken", "create table half (x {INT}){STRICT}; create table oops ("))
    with pytest.raises(Exception, match="syntax error"):
        migrate(conn, broken)
    assert "9999_broken" not in names(conn)
    assert conn.execute("select to_regclass('half') as there").fetchone() == {"there": None}


RELEASED_ALONE = frozenset(name for name, _ in STEPS if name < "0080")  # before there was a second process


def test_what_takes_something_away_is_said_to_break_the_version_before() -> None:
    taking = {name for name, ddl in STEPS if TAKES_AWAY.search(" ".join(ddl.lower().split()))}
    assert taking - RELEASED_ALONE == set(schema.BREAKING)
    assert set(BREAKING) <= {name for name, _ in STEPS}


@pytest.mark.parametrize(
    "ddl",
    [
        "drop table a", "alter table a drop column b", "alter table a rename to b",
        "alter table a rename column b to c", "alter table a alter column b set not null",
        "alter table a add column b {INT} not null", "create unique index a_b on a (b)",
    ],
)  # fmt: skip
def test_it_is_known_what_takes_something_away(ddl: str) -> None:
    assert TAKES_AWAY.search(ddl)


@pytest.mark.parametrize(
    "ddl",
    ["alter table a add column b {INT} not null default 0", "alter table a add column b {TEXT}"],
)
def test_it_is_known_what_the_version_before_can_do_without(ddl: str) -> None:
    assert not TAKES_AWAY.search(ddl)
