"""Storage functions on a real database without an engine around them, and what stands in such a database.

`database_url` (tests/support/engines.py) says which: a file, or a database on a server.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from storage.engine import Tx
from storage.sqlite.file import connect, migrate
from storage.sqlite.writer import SqliteTx
from tests.support.engines import database_url

SECRET = "xylophone-7431"
TABLES = {
    "sqlite": "select name from sqlite_master where type = 'table'",
    "postgresql": "select tablename as name from pg_tables where schemaname = current_schema()",
}
FILE = "parley.db"  # of a workspace


@contextmanager
def open_rows(path: Path) -> Iterator[Tx]:
    """A transaction that never ends, on SQLite; on PostgreSQL each statement is one."""
    url = database_url(path)
    if url.startswith("sqlite:"):
        db = connect(path)
        try:
            migrate(db)
            yield SqliteTx(db.conn)
        finally:
            db.close()
        return
    from tests.support.statements import open_statements

    with open_statements(url) as tx:
        yield tx


@contextmanager
def look_into(path: Path) -> Iterator[Tx]:
    """A database that others are at work on."""
    url = database_url(path)
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(path)) as db:
            yield SqliteTx(db)
        return
    from tests.support.statements import open_statements

    with open_statements(url) as tx:
        yield tx


def is_settled(path: Path) -> bool:
    """Whether a bot that has its file in this folder has no job left to do."""
    with look_into(path / FILE) as tx:
        return not tx.all("select 1 as there from inbox where state = 'new'")


def table_names(tx: Tx) -> list[str]:
    engine = "sqlite" if isinstance(tx, SqliteTx) else "postgresql"
    return [row["name"] for row in tx.all(TABLES[engine])]


def read_rows(url: str, sql: str) -> list[tuple[Any, ...]]:
    """What a statement finds in the database, or what it changes there: it is committed."""
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as db:
            return db.execute(sql).fetchall()
    import psycopg

    with psycopg.connect(url, autocommit=True) as conn:
        cursor = conn.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def rows(tmp_path: Path, sql: str) -> list[tuple[Any, ...]]:
    """The same, in the workspace's database."""
    return read_rows(database_url(tmp_path / FILE), sql)


def tables(tmp_path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that stands there, by table."""
    with look_into(tmp_path / FILE) as tx:
        return {
            name: [tuple(row.values()) for row in tx.all(f"select * from {name}")] for name in table_names(tx)
        }


def kept(tmp_path: Path, text: str = SECRET) -> list[str]:
    """The tables in which a text can be found."""
    return [name for name, found in tables(tmp_path).items() if text in str(found)]


def on_disk(tmp_path: Path, text: str = SECRET) -> list[str]:
    """The files in which a text can be found, deleted or not; on a server whose files are not ours, the
    tables."""
    if not database_url(tmp_path / FILE).startswith("sqlite:"):
        return kept(tmp_path, text)
    return [
        path.name
        for path in tmp_path.glob("parley.db*")
        if path.is_file() and text.encode() in path.read_bytes()
    ]
