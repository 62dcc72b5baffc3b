"""A database file as one side of a move (storage/transfer.py)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from storage.sqlite.file import connect, locked, migrate, refuse_broken, require
from storage.sqlite.library import Database
from storage.sqlite.moved import mark_moved, refuse_moved
from storage.sqlite.writer import SqliteTx

TOGETHER = 2_000  # rows


class SqliteSide:
    """See storage.transfer.Side."""

    def __init__(self, db: Database) -> None:
        self._conn = db.conn
        self.tx = SqliteTx(db.conn)

    def read(self, table: str, columns: list[str]) -> Iterator[tuple[Any, ...]]:
        cursor = self._conn.execute(f"select {', '.join(columns)} from {table}")
        while rows := cursor.fetchmany(TOGETHER):
            yield from rows

    def write(self, table: str, columns: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
        places = ", ".join("?" for _ in columns)
        self._conn.executemany(f"insert into {table} ({', '.join(columns)}) values ({places})", rows)

    def read_next_ids(self) -> dict[str, int]:
        return {name: seq + 1 for name, seq in self._conn.execute("select name, seq from sqlite_sequence")}

    def set_next_ids(self, ids: Mapping[str, int]) -> None:
        for table, following in ids.items():
            self._conn.execute("delete from sqlite_sequence where name = ?", [table])
            self._conn.execute("insert into sqlite_sequence values (?, ?)", [table, following - 1])

    def commit(self) -> None:
        self._conn.execute("commit")


@contextmanager
def open_file(path: Path, *, new: bool) -> Iterator[tuple[SqliteSide, Callable[[str], None]]]:
    """The file, held against any bot; and what marks it. InUse while one runs."""
    path = path.absolute()
    made = new and not path.exists()
    if not new:
        require(path)
    with closing(locked(path)):
        refuse_moved(path)
        if not made:
            refuse_broken(path)
        with closing(connect(path)) as db:
            migrate(db)
            db.conn.execute("begin immediate")
            try:
                yield SqliteSide(db), partial(mark_moved, path)
            finally:
                if db.conn.in_transaction:
                    db.conn.execute("rollback")
