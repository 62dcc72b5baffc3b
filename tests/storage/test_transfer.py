"""Everything moves from one engine to the other, or nothing does; the bot finds out where its data went."""

from __future__ import annotations

import argparse
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bot.cli import move as command
from bot.core.errors import BotError, InUse, SetupError
from bot.core.settings import Settings
from storage import audit
from storage.database import open_engine
from storage.engine import Tx
from storage.schema import NO_WORDS, WORDS_OF
from storage.sqlite.file import connect
from storage.sqlite.writer import SqliteTx
from storage.transfer import LIVING, TABLES, list_columns, move, unmark
from tests.support.engines import POSTGRESQL, database_url
from tests.support.rows import read_rows
from tests.support.statements import open_statements

pytestmark = [
    pytest.mark.parametrize("database_engine", [POSTGRESQL], indirect=True),
    pytest.mark.usefixtures("database_engine"),
]
ROWS = 3
VALUES = {"INT": 1 << 40, "REAL": 0.1, "TEXT": "Ünï ‮ 🙂 \\ \t\n \\N ' \"", "BLOB": b"\0\xff"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


@pytest.fixture
def server(tmp_path: Path, database_engine: str) -> str:
    return database_url(tmp_path / "parley.db")


def url_of(path: Path) -> str:
    return f"sqlite:///{path}"


@contextmanager
def look(url: str) -> Iterator[Tx]:
    if url.startswith("sqlite"):
        with closing(connect(Path(url.removeprefix("sqlite:///")))) as db:
            yield SqliteTx(db.conn)
    else:
        with open_statements(url) as tx:
            yield tx


def fill(tx: Tx) -> None:
    """Rows in every table, with the first and the last number of each gone."""
    for table in TABLES:
        columns = list_columns(table).items()
        for row in range(ROWS if table != "audit" else 0):
            given = {name: row if kind == "INT" else VALUES[kind] for name, kind in columns if kind != "ID"}
            given |= {name: f"{row} {VALUES['TEXT']}" for name, kind in columns if kind == "TEXT"}
            given |= {name: 1 << 40 for name, _ in columns if name in ("cost", "spent", "cap")}
            names = ", ".join(given)
            tx.run(f"insert into {table} ({names}) values (:{', :'.join(given)})", **given)
    for row in range(ROWS):
        audit.note(tx, "looked at", f"{row}", now=0.1)
    tx.run("delete from messages where seq in (1, 3)")


async def make(url: str) -> None:
    async with open_engine(url) as engine:
        await engine.write(fill)


def contents(url: str) -> dict[str, list[tuple[object, ...]]]:
    with look(url) as tx:
        found = {table: tx.all(f"select {', '.join(list_columns(table))} from {table}") for table in TABLES}
    return {
        table: sorted((tuple(sorted(row.items())) for row in rows), key=repr) for table, rows in found.items()
    }


def test_every_table_but_the_list_of_the_living_moves() -> None:
    assert set(TABLES) == {*WORDS_OF, *NO_WORDS} - {LIVING}


async def test_everything_moves_to_postgresql_and_back(file: Path, server: str) -> None:
    await make(url_of(file))
    moved = move(url_of(file), server)
    assert moved.rows == {table: 1 if table == "messages" else ROWS for table in TABLES}
    assert contents(server) == contents(url_of(file))
    assert read_rows(server, "select count(*) from document_signs") == [(ROWS,)]
    back = file.with_name("b.db")
    move(server, url_of(back))
    assert contents(url_of(back)) == contents(url_of(file))
    async with open_engine(url_of(back)) as engine:
        assert await engine.write(next_message) == ROWS + 1


def next_message(tx: Tx) -> int:
    row = tx.one(
        "insert into messages (conversation, team, channel, message, role, person, text, tokens, whole, at)"
        " values ('', '', '', 'new', '', '', '', 0, 1, 0) returning seq"
    )
    assert row
    return int(row["seq"])


async def test_numbers_go_on_behind_those_that_were_ever_given(file: Path, server: str) -> None:
    await make(url_of(file))
    move(url_of(file), server)
    async with open_engine(server) as engine:
        assert await engine.write(next_message) == ROWS + 1


async def test_a_bot_that_starts_on_what_moved_is_told_where_it_went(file: Path, server: str) -> None:
    await make(url_of(file))
    move(url_of(file), server)
    with pytest.raises(SetupError, match=r"moved to postgresql://.*parley move --undo"):
        await open_engine(url_of(file)).__aenter__()
    assert unmark(url_of(file))
    assert not unmark(url_of(file))
    async with open_engine(url_of(file)) as engine:
        assert await engine.read(lambda tx: tx.one("select count(*) as n from audit")) == {"n": ROWS}


async def test_a_server_s_database_that_moved_is_told_of_as_well(file: Path, server: str) -> None:
    await make(server)
    move(server, url_of(file))
    with pytest.raises(SetupError, match=r"moved to sqlite:///.*a\.db.*parley move --undo"):
        await open_engine(server).__aenter__()
    assert unmark(server)
    async with open_engine(server):
        pass


async def test_nothing_moves_into_a_database_with_rows(file: Path, server: str) -> None:
    await make(url_of(file))
    await make(server)
    with pytest.raises(SetupError, match="not empty"):
        move(url_of(file), server)
    async with open_engine(url_of(file)):
        pass


async def test_nothing_moves_while_a_bot_is_at_work_on_either(file: Path, server: str) -> None:
    async with open_engine(url_of(file)):
        with pytest.raises(InUse):
            move(url_of(file), server)
    async with open_engine(server):
        with pytest.raises(SetupError, match="1 bots are at work"):
            move(url_of(file), server)
        with pytest.raises(SetupError, match="1 bots are at work"):
            move(server, url_of(file.with_name("b.db")))


async def test_nothing_is_written_when_the_audit_list_is_broken(file: Path, server: str) -> None:
    await make(url_of(file))
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("update audit set about = 'somebody else' where seq = 2")
    with pytest.raises(SetupError, match="audit list is broken at entry 2"):
        move(url_of(file), server)
    assert not any(contents(server).values())


async def test_nothing_is_written_when_a_value_is_lost_on_the_way(file: Path, server: str) -> None:
    await make(url_of(file))
    with look(server) as tx:
        tx.run("create rule lost as on insert to budgets do instead nothing")
        tx.run(
            "create function less() returns trigger language plpgsql as"
            " 'begin if new.cost > 5 then new.cost = new.cost - 1; end if; return new; end'"
        )
        tx.run("create trigger less before insert on ledger for each row execute function less()")
    with pytest.raises(SetupError, match="ledger: cost adds up to"):
        move(url_of(file), server)
    with look(server) as tx:
        assert tx.one("select count(*) as n from messages") == {"n": 0}
    async with open_engine(url_of(file)):
        pass


async def test_text_that_postgresql_does_not_take_is_told_and_nothing_moves(file: Path, server: str) -> None:
    async with open_engine(url_of(file)) as engine:
        await engine.write(
            lambda tx: tx.changed(
                "insert into learned_ratios (model, ratio, at) values ('a' || char(0), 1, 0)"
            )
        )
    with pytest.raises(BotError):
        move(url_of(file), server)
    assert not any(contents(server).values())


async def test_the_command_moves_and_takes_it_back(
    file: Path, server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await make(url_of(file))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    assert await command.run(parser.parse_args([url_of(file), server]), Settings()) == 0
    assert "Now set PARLEY_DATABASE to postgresql://" in capsys.readouterr().out
    assert await command.run(parser.parse_args([url_of(file), "--undo"]), Settings()) == 0
    with pytest.raises(SetupError, match="nothing of that database was moved"):
        await command.run(parser.parse_args([url_of(file), "--undo"]), Settings())
