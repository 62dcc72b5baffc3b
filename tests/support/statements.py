"""Storage functions on PostgreSQL without an engine: each statement is a transaction of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from storage.engine import Tx
from storage.postgres.connections import connect
from storage.postgres.transactions import PostgresTx


class StatementTx(PostgresTx):
    """One that puts nothing off: there is no end of a transaction at which it would be done."""

    def run(self, sql: str, /, **params: Any) -> None:
        self.changed(sql, **params)


@contextmanager
def open_statements(url: str) -> Iterator[Tx]:
    with connect(url) as conn:
        conn.autocommit = True
        yield StatementTx(conn)


@contextmanager
def holding_rows(url: str, table: str) -> Iterator[None]:
    """Whoever changes a row that stands there waits until the block ends."""
    with connect(url) as conn, conn.transaction():
        conn.execute(f"select 1 from {table} for update".encode())
        yield


@contextmanager
def holding_lock(url: str, name: str) -> Iterator[None]:
    """Whoever takes `tx.lock(name)` waits until the block ends."""
    with open_statements(url) as tx:
        tx.one("select pg_advisory_lock(hashtextextended(:name, 7))", name=name)
        yield
