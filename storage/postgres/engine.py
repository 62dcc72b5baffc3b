"""The engine of several processes: one PostgreSQL, a connection for each transaction under way.

Transactions are READ COMMITTED; what SQLite gives with its single writer is said with `tx.lock`. Each process
has a number on the database (storage/postgres/presence.py), by which others know what it leaves when it dies.

Source: https://www.postgresql.org/docs/current/transaction-iso.html
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, Self

import psycopg

from bot.core.errors import SetupError, StorageError
from storage.engine import EngineFigures, P, T, Tx
from storage.postgres import requirements
from storage.postgres.connections import PostgresConnection, connect
from storage.postgres.migrations import is_migrated, migrate, refuse_newer
from storage.postgres.moved import name_database, refuse_moved
from storage.postgres.periodic import run_periodically
from storage.postgres.presence import APPLICATION, Presence, require_listed
from storage.postgres.signs import find_distance, keep_signs
from storage.postgres.tasks import TransactionTasks
from storage.postgres.threads import TransactionThreads
from storage.postgres.transactions import Figures

READERS, WRITERS = 4, 8
# A thread needs Python's interpreter lock back after each statement, and a busy event loop lets go of it only
# after a switch interval; 5 ms is Python's default.
SWITCH_INTERVAL_S = 0.001


class PostgresEngine:
    """See storage.engine.Engine. An async context manager: entering connects, migrates and registers."""

    shared = True

    def __init__(self, url: str, *, read_only: bool = False, must_exist: bool = False) -> None:
        self._url = url
        self._name = name_database(url)
        self._read_only = read_only
        self._must_exist = must_exist or read_only
        self._presence: Presence | None = None
        self._listeners: list[Callable[[], None]] = []
        self._watches: list[Callable[[float], None]] = []
        self._open = False
        self._writes = 0
        self._figures = Figures()
        self._expelled = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        try:
            await asyncio.to_thread(self._start)
        except psycopg.Error as exc:
            words = " ".join(str(exc).split())
            raise SetupError([f"database {self._name}: {words}"]) from exc
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_INTERVAL_S))
        name, figures = self._name, self._figures
        self._reads = TransactionThreads(READERS, self._open_reader, name=name, figures=figures)
        if not self._read_only:
            self._writing = TransactionTasks(WRITERS, self._open_writer, name=name, figures=figures)
            self._aside = TransactionThreads(1, self._open_writer, name=name, figures=figures)
        self._open = True
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._open = False
        await self._reads.close()
        if not self._read_only:
            await self._writing.close()
            await self._aside.close()
        if self._presence:
            await asyncio.to_thread(self._presence.close)

    @property
    def worker(self) -> int:
        return self._presence.worker if self._presence else 0

    @property
    def slot(self) -> int:
        return self._presence.slot if self._presence else 0

    def is_member(self) -> bool:
        return self._presence is None or self._presence.is_current()

    async def wait_until_expelled(self) -> None:
        await self._expelled.wait()

    def listen(self, woken: Callable[[], None]) -> None:
        self._listeners.append(woken)

    def figures(self) -> EngineFigures:
        return EngineFigures(
            retries=self._figures.retries,
            reconnects=self._figures.reconnects,
            connections=self._figures.connections + (self._presence is not None),
            silent_s=self._presence.silent_s() if self._presence else 0.0,
        )

    def observe(self, watch: Callable[[float], None]) -> None:
        self._watches.append(watch)

    async def write(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kw: P.kwargs) -> T:
        self._require_open(to_write=True)
        self._writes += 1
        asked_at = self._loop.time()
        value: T = await self._writing.run(fn, args, kw)
        for watch in self._watches:
            watch(self._loop.time() - asked_at)
        return value

    async def write_aside(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kw: P.kwargs) -> T:
        self._require_open(to_write=True)
        value: T = await self._aside.run(fn, args, kw)
        return value

    @property
    def writes(self) -> int:
        return self._writes

    async def read(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kw: P.kwargs) -> T:
        self._require_open()
        value: T = await self._reads.run(fn, args, kw)
        return value

    def hourly(self, works: Mapping[str, Callable[[], Awaitable[None]]]) -> AbstractAsyncContextManager[None]:
        application = self._presence.application if self._presence else APPLICATION
        return run_periodically(self._url, works, worker=self.worker, application=application)

    async def backup(self, path: Path) -> None:
        raise SetupError(["PostgreSQL is backed up with its own tools, such as pg_dump (docs/scale.md)"])

    async def check(self) -> list[str]:
        return await asyncio.to_thread(requirements.check_server, self._url, self._name)

    async def scrub(self) -> None:
        """What was deleted leaves the files with the next vacuum, and the archive when that expires."""
        self._require_open(to_write=True)

    def _require_open(self, *, to_write: bool = False) -> None:
        if not self._open:
            raise StorageError("the database is closed")
        if to_write and self._read_only:
            raise SetupError([f"database {self._name}: opened for reading only"])

    # In threads

    def _start(self) -> None:
        with connect(self._url) as conn:
            if not self._must_exist:
                conn.autocommit = True
                requirements.require(self._url, conn, self._name)
                migrate(conn)
                keep_signs(conn, self._name)
            elif not is_migrated(conn):
                raise SetupError([f"database {self._name}: there is none yet; `parley serve` makes it"])
            refuse_newer(conn)
            self._bit_distance = find_distance(conn)
            if not self._read_only:
                refuse_moved(conn, self._url)
        if not self._read_only:
            self._presence = Presence(self._url, woken=self._tell_woken, expelled=self._tell_expelled)

    def _open_reader(self) -> PostgresConnection:
        return self._equip(connect(self._url, read_only=True))

    def _open_writer(self) -> PostgresConnection:
        assert self._presence is not None
        conn = connect(self._url, application=self._presence.application)
        require_listed(conn, self._presence.worker)
        return self._equip(conn)

    def _equip(self, conn: PostgresConnection) -> PostgresConnection:
        conn.bit_distance = self._bit_distance
        return conn

    def _tell_woken(self) -> None:
        self._call(self._wake)

    def _tell_expelled(self) -> None:
        self._call(self._expelled.set)

    def _call(self, what: Callable[[], Any]) -> None:
        try:
            self._loop.call_soon_threadsafe(what)
        except RuntimeError:  # the loop has ended
            return

    def _wake(self) -> None:
        for woken in self._listeners:
            woken()
