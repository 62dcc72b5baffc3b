"""Functions of storage/ run as transactions: by threads that each own a connection.

What fails for a reason that passes (a conflict with another transaction, a server that restarts) is run
again. That is why such a function has no effect but on the database. Whether a commit took place whose answer
was lost nobody knows: it is told as Busy, and whoever writes again has to be ready for both.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

import psycopg

from storage.postgres.connections import PostgresConnection, is_broken
from storage.postgres.errors import AGAIN, map_error
from storage.postgres.wire import read_rows
from storage.results import Job, Outcome, answer, resolve

LOCK = "select pg_advisory_xact_lock(hashtextextended(:name, 7))"
LOCK_SHARED = "select pg_advisory_xact_lock_shared(hashtextextended(:name, 7))"
TRIES = 50
PAUSE_S = 0.002  # before another run, growing with each
RECONNECT_S = 2.0  # so long a server may be away before it is told; Slack waits for 3 s
RECONNECT_EVERY_S = 0.1


class PostgresTx:
    """A transaction on a connection; see storage.engine.Tx."""

    __slots__ = ("_locked", "_wire")

    def __init__(self, conn: PostgresConnection) -> None:
        self._wire = conn.wire
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


class TransactionThreads:
    """Runs what is submitted, as many at a time as there are threads. `open_one` makes a connection.

    Somebody who waits for each answer has them run in that order.
    """

    def __init__(self, count: int, open_one: Callable[[], PostgresConnection], *, name: str) -> None:
        self._open_one = open_one
        self._count = threading.Lock()
        self.retries = self.reconnects = self.connections = 0
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._serve, name=f"parley-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, fn: Callable[..., Any], args: tuple[Any, ...], kw: dict[str, Any]) -> Any:
        """What the function returned. Who is cancelled hears so when it has ended, one way or the other."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put((fn, args, kw, future))
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if not future.cancelled():
                await asyncio.wait([future])
                future.exception()  # nobody is told
            raise

    async def close(self) -> None:
        """Waits until everything submitted has ended."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _serve(self) -> None:
        conn: PostgresConnection | None = None
        while (job := self._jobs.get()) is not None:
            conn, outcome = self._run(job, conn)
            answer(self._loop, resolve, [outcome])
        if conn is not None:
            conn.close()
            self._note(connections=-1)

    def _run(self, job: Job, conn: PostgresConnection | None) -> tuple[PostgresConnection | None, Outcome]:
        fn, args, kw, future = job
        ends_at = time.monotonic() + RECONNECT_S
        tries = 0
        while True:
            commit = _Commit()
            try:
                if conn is None or is_broken(conn):
                    conn = self._open(conn)
                return conn, (future, _transact(conn, fn, args, kw, commit), None)
            except BaseException as exc:
                lost = conn is None or is_broken(conn)
                tries += 1
                if not lost and _is_passing(exc) and tries < TRIES:
                    self._note(retries=1)
                    time.sleep(random.random() * PAUSE_S * tries)
                elif lost and _is_away(exc) and not commit.begun and time.monotonic() < ends_at:
                    time.sleep(RECONNECT_EVERY_S)
                else:
                    return conn, (future, None, map_error(exc, self._name))

    def _open(self, lost: PostgresConnection | None) -> PostgresConnection:
        opened = self._open_one()
        self._note(connections=lost is None, reconnects=lost is not None)
        return opened

    def _note(self, *, retries: int = 0, reconnects: int = 0, connections: int = 0) -> None:
        with self._count:
            self.retries += retries
            self.reconnects += reconnects
            self.connections += connections


class _Commit:
    """Whether the end of a transaction was asked for."""

    begun = False


def _transact(
    conn: PostgresConnection,
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    kw: dict[str, Any],
    commit: _Commit,
) -> Any:
    try:
        conn.begin()
        value = fn(PostgresTx(conn), *args, **kw)
        commit.begun = not conn.read_only
        conn.end()
    except BaseException:
        with suppress(psycopg.Error):
            conn.give_up()
        raise
    return value


def _is_passing(exc: BaseException) -> bool:
    return isinstance(exc, psycopg.Error) and exc.sqlstate in AGAIN


def _is_away(exc: BaseException) -> bool:
    """A server that restarts says so, or does not answer."""
    return isinstance(exc, (psycopg.OperationalError, psycopg.InterfaceError)) and not (
        exc.sqlstate or "57"
    ).startswith(("28", "3D"))
