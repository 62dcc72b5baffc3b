"""Storage functions on a real database file without an engine around them, and what stands in such a file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from storage.sqlite.file import connect, migrate
from storage.sqlite.writer import SqliteTx

SECRET = "xylophone-7431"


@contextmanager
def open_rows(path: Path) -> Iterator[SqliteTx]:
    """A transaction that never ends."""
    db = connect(path)
    try:
        migrate(db)
        yield SqliteTx(db.conn)
    finally:
        db.close()


def rows(tmp_path: Path, sql: str) -> list[tuple[Any, ...]]:
    """What a query finds in the file."""
    db = sqlite3.connect(tmp_path / "parley.db")
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def kept(tmp_path: Path, text: str = SECRET) -> list[str]:
    """The tables in which a text can be found."""
    db = sqlite3.connect(tmp_path / "parley.db")
    try:
        names = [name for (name,) in db.execute("select name from sqlite_master where type = 'table'")]
        return [name for name in names if text in str(db.execute(f"select * from {name}").fetchall())]
    finally:
        db.close()


def on_disk(tmp_path: Path, text: str = SECRET) -> list[str]:
    """The files in which a text can be found, deleted or not."""
    return [
        path.name
        for path in tmp_path.glob("parley.db*")
        if path.is_file() and text.encode() in path.read_bytes()
    ]
