"""Storage functions on a real database file, without an engine around them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.sqlite_file import connect, migrate
from storage.sqlite_writer import SqliteTx


@contextmanager
def open_rows(path: Path) -> Iterator[SqliteTx]:
    """A transaction that never ends."""
    db = connect(path)
    try:
        migrate(db)
        yield SqliteTx(db.conn)
    finally:
        db.close()
