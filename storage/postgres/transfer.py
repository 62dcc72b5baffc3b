"""A PostgreSQL database as one side of a move (storage/transfer.py), and the mark of one whose rows moved
away: a table, which a bot that starts on it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from bot.core.errors import SetupError
from storage.postgres import requirements
from storage.postgres.connections import PostgresConnection, connect
from storage.postgres.errors import map_error
from storage.postgres.migrations import migrate
from storage.postgres.moved import name_database, refuse_moved
from storage.postgres.presence import LOCK
from storage.postgres.transactions import PostgresTx

TOGETHER = 2_000  # rows
IDENTITIES = (
    "select table_name as name, pg_get_serial_sequence(table_name, column_name) as sequence"
    " from information_schema.columns where table_schema = current_schema() and is_identity = 'YES'"
)


class PostgresSide:
    """See storage.transfer.Side."""

    def __init__(self, conn: PostgresConnection) -> None:
        self._conn = conn
        self.tx = PostgresTx(conn)

    def read(self, table: str, columns: list[str]) -> Iterator[tuple[Any, ...]]:
        with self._conn.cursor(f"read_{table}", row_factory=tuple_row) as cursor:
            cursor.itersize = TOGETHER
            cursor.execute(SQL("select {} from {}").format(_join(columns), Identifier(table)))
            yield from cursor

    def write(self, table: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
        copy = SQL("copy {} ({}) from stdin").format(Identifier(table), _join(columns))
        with self._conn.cursor().copy(copy) as into:
            for row in rows:
                into.write_row(row)

    def read_next_ids(self) -> dict[str, int]:
        found = dict[str, int]()
        for row in self.tx.all(IDENTITIES):
            last = self.tx.one(f"select last_value + cast(is_called as int) as n from {row['sequence']}")
            found[row["name"]] = int(last["n"]) if last else 1
        return found

    def set_next_ids(self, ids: Mapping[str, int]) -> None:
        for row in self.tx.all(IDENTITIES):
            if following := ids.get(row["name"]):
                set_next = "select setval(cast(:sequence as regclass), :following, false)"
                self.tx.run(set_next, sequence=row["sequence"], following=following)

    def commit(self) -> None:
        self._conn.end()


@contextmanager
def open_database(url: str) -> Iterator[tuple[PostgresSide, Callable[[str], None]]]:
    """The database, held against any bot; and what marks it. SetupError while one runs."""
    try:
        with closing(connect(url)) as held, closing(connect(url)) as conn:
            held.autocommit = True
            requirements.require(url, held, name_database(url))
            migrate(held)
            refuse_moved(held, url)
            _hold(held, url)
            conn.execute("set idle_in_transaction_session_timeout = 0")
            conn.commit()
            conn.wire.execute("begin isolation level repeatable read", {})
            yield PostgresSide(conn), lambda to: _mark(held, to)
    except psycopg.Error as exc:
        error = map_error(exc, name_database(url))
        raise error from exc


def unmark_database(url: str) -> bool:
    """Takes the mark off; whether there was one."""
    with closing(connect(url)) as conn, conn:
        there = conn.execute("select to_regclass('_moved') is not null as there").fetchone()
        conn.execute("drop table if exists _moved")
    return bool(there and there["there"])


def _hold(conn: PostgresConnection, url: str) -> None:
    """No process gets a number while this connection lasts (presence.py); SetupError when one lives."""
    conn.execute("select pg_advisory_lock(hashtextextended('workers', 7))")
    with conn.transaction():
        living = conn.execute(
            "select count(*) as n from workers where not pg_try_advisory_xact_lock($1::int, id::int)", [LOCK]
        ).fetchone()
    if living and living["n"]:
        raise SetupError([f"database {name_database(url)}: {living['n']} bots are at work on it; stop them"])


def _mark(conn: PostgresConnection, to: str) -> None:
    with conn.transaction():
        conn.execute("create table _moved (into_database text not null)")
        conn.execute("insert into _moved values ($1)", [to])


def _join(columns: list[str]) -> Any:
    return SQL(", ").join(map(Identifier, columns))
