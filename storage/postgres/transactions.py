"""Functions of storage/ run as transactions, and run again where that may help.

What fails for a reason that passes (a conflict with another transaction, a server that restarts) is run
again. That is why such a function has no effect but on the database. Whether a commit took place whose answer
was lost nobody knows: it is told as Busy, and whoever writes again has to be ready for both.

Who runs them: writes the event loop (tasks.py), reads and what takes long threads (threads.py).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

from storage.engine import Dialect
from storage.postgres.connections import PostgresConnection
from storage.postgres.errors import AGAIN
from storage.postgres.wire import read_rows

LOCK = "select pg_advisory_xact_lock(hashtextextended(:name, 7))"
LOCK_SHARED = "select pg_advisory_xact_lock_shared(hashtextextended(:name, 7))"
TRIES = 50
PAUSE_S = 0.002  # before another run, growing with each
RECONNECT_S = 2.0  # so long a server may be away before it is told; Slack waits for 3 s
RECONNECT_EVERY_S = 0.1


class PostgresTx:
    """A transaction on a connection; see storage.engine.Tx."""

    __slots__ = ("_locked", "_wire", "bit_distance")
    dialect: Dialect = "postgresql"

    def __init__(self, conn: PostgresConnection) -> None:
        self._wire = conn.wire
        self.bit_distance = conn.bit_distance
        self._locked: set[tuple[str, bool]] = set()  # name, and whether it is shared

    def all(self, sql: str, /, **params: Any) -> list[dict[str, Any]]:
        return read_rows(self._wire.execute(sql, params))

    def one(self, sql: str, /, **params: Any) -> dict[str, Any] | None:
        rows = read_rows(self._wire.execute(sql, params))
        return rows[0] if rows else None

    def run(self, sql: str, /, **params: Any) -> None:
        self._wire.put_off(sql, params)

    def changed(self, sql: str, /, **params: Any) -> int:
        return self._wire.execute(sql, params).command_tuples or 0

    def lock(self, name: str, *, shared: bool = False) -> None:
        if (name, False) not in self._locked and (name, shared) not in self._locked:
            self._wire.put_off(LOCK_SHARED if shared else LOCK, {"name": name})
            self._locked.add((name, shared))

    def wake(self) -> None:
        self._wire.put_off("notify parley", {})


class Attempts:
    """The runs of one function, from the first on."""

    def __init__(self) -> None:
        self._ends_at = time.monotonic() + RECONNECT_S
        self._count = 0
        self._committing = False  # the end of the last run was asked for

    def run(
        self, conn: PostgresConnection, fn: Callable[..., Any], args: tuple[Any, ...], kw: dict[str, Any]
    ) -> Any:
        """One transaction; what the function returned."""
        self._committing = False
        try:
            conn.begin()
            value = fn(PostgresTx(conn), *args, **kw)
            self._committing = not conn.read_only
            conn.end()
        except BaseException:
            with suppress(psycopg.Error):
                conn.give_up()
            raise
        return value

    def pause_s(self, exc: BaseException, *, lost: bool) -> float | None:
        """How long to wait before another run after this error; None when there is to be none. `lost`: there
        is no connection any more."""
        self._count += 1
        if not lost and _is_passing(exc) and self._count < TRIES:
            return random.random() * PAUSE_S * self._count
        if lost and _is_away(exc) and not self._committing and time.monotonic() < self._ends_at:
            return RECONNECT_EVERY_S
        return None


class Figures:
    """What the runs of an engine came across."""

    def __init__(self) -> None:
        self._count = threading.Lock()
        self.retries = self.reconnects = self.connections = 0

    def note(self, *, retries: int = 0, reconnects: int = 0, connections: int = 0) -> None:
        with self._count:
            self.retries += retries
            self.reconnects += reconnects
            self.connections += connections


def _is_passing(exc: BaseException) -> bool:
    return isinstance(exc, psycopg.Error) and exc.sqlstate in AGAIN


def _is_away(exc: BaseException) -> bool:
    """A server that restarts says so, or does not answer."""
    return isinstance(exc, (psycopg.OperationalError, psycopg.InterfaceError)) and not (
        exc.sqlstate or "57"
    ).startswith(("28", "3D"))
