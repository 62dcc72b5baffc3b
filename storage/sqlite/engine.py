"""The engine of a single process: one SQLite file, one connection that writes, two threads that read.

Writes are committed in groups (storage/sqlite/writer.py), durable when answered: WAL, synchronous=FULL.
Reads have connections of their own and never wait for writes.

SQLite before 3.51.3 can corrupt a WAL file when two connections write or checkpoint at the same moment;
hence the single writer, readers that never checkpoint, and one process per file (storage/sqlite/file.py).
Source: https://sqlite.org/wal.html#walresetbug
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import IO, Any, Concatenate, Self

from bot.core.background import repeat_alongside
from bot.core.errors import SetupError, StorageError
from storage.engine import EngineFigures, P, T, Tx
from storage.results import Job, Outcome, answer, resolve
from storage.sqlite.errors import map_error
from storage.sqlite.file import MARK, back_up, connect, locked, migrate, quick_check, refuse_broken, require
from storage.sqlite.full_text import merge
from storage.sqlite.library import Database
from storage.sqlite.moved import refuse_moved
from storage.sqlite.writer import SqliteTx, WriterThread

READERS = 2
HOUR_S = 3600.0


class SqliteEngine:
    """See storage.engine.Engine. An async context manager: entering opens, locks and migrates the file."""

    shared, worker, slot = False, 0, 0

    def __init__(self, path: Path, *, read_only: bool = False, must_exist: bool = False) -> None:
        self._path = path.absolute()
        self._read_only = read_only
        self._must_exist = must_exist or read_only
        self._lock: IO[str] | None = None
        self._db: Database | None = None
        self._readers: list[Database] = []
        self._reads: SimpleQueue[Job | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._open = False

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        try:
            await asyncio.to_thread(self._start)
        except BaseException as exc:
            self._give_up()
            error = map_error(exc, self._path)
            raise error from error.__cause__
        if self._db:
            self._writer = WriterThread(self._db.conn, self._path, check=self._require_same_file)
        self._open = True
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._open = False
        if self._db:
            await self._writer.close()
        for _ in range(READERS):
            self._reads.put(None)
        await asyncio.to_thread(self._stop)

    def is_member(self) -> bool:
        return True

    async def wait_until_expelled(self) -> None:
        await asyncio.Event().wait()

    def listen(self, woken: Callable[[], None]) -> None:
        """Nobody else is here."""

    def figures(self) -> EngineFigures:
        return EngineFigures()

    def observe(self, watch: Callable[[float], None]) -> None:
        """A write here takes less time than is worth a look at the clock."""

    async def write(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kw: P.kwargs) -> T:
        self._require_open(to_write=True)
        value: T = await self._writer.submit(fn, args, kw)
        return value

    async def write_aside(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kw: P.kwargs) -> T:
        self._require_open(to_write=True)
        value: T = await self._writer.submit_aside(fn, args, kw)
        return value

    @property
    def writes(self) -> int:
        return self._writer.submitted

    async def read(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kw: P.kwargs) -> T:
        self._require_open()
        future: asyncio.Future[T] = self._loop.create_future()
        self._reads.put((fn, args, kw, future))
        return await future

    def hourly(self, works: Mapping[str, Callable[[], Awaitable[None]]]) -> AbstractAsyncContextManager[None]:
        return repeat_alongside(works.values(), HOUR_S)

    async def backup(self, path: Path) -> None:
        await self._aside(back_up, self._path, path.absolute())

    async def check(self) -> list[str]:
        return await self._aside(quick_check, self._path)

    async def scrub(self) -> None:
        while await self.write(merge):
            pass
        await self._writer.scrub()

    def _require_open(self, *, to_write: bool = False) -> None:
        if not self._open:
            raise StorageError("the database is closed")
        if to_write and self._read_only:
            raise SetupError([f"database {self._path}: opened for reading only"])

    def _require_same_file(self) -> None:
        """SQLite goes on writing to a file that was deleted or replaced, and all of it is lost."""
        try:
            same = os.stat(self._path).st_ino == self._inode
        except OSError:
            same = False
        if not same:
            raise SetupError([f"database {self._path}: the file was deleted or replaced while in use"])

    async def _aside(self, fn: Callable[..., T], *args: Any) -> T:
        try:
            return await asyncio.to_thread(fn, *args)
        except sqlite3.Error as exc:
            raise map_error(exc, self._path) from exc
        except OSError as exc:
            raise SetupError([f"{exc.filename}: {exc.strerror}"]) from exc

    # Opening and closing, in a thread

    def _start(self) -> None:
        if self._must_exist:
            require(self._path)
        if not self._read_only:
            self._lock = locked(self._path)
            refuse_moved(self._path)
            self._db = connect(self._path)
            refuse_broken(self._path)
            migrate(self._db)
            self._lock.write(MARK)
            self._lock.flush()
            self._inode = os.stat(self._path).st_ino
        self._readers = [connect(self._path, read_only=True) for _ in range(READERS)]
        for reader in self._readers:
            thread = threading.Thread(
                target=self._serve_reads, args=(reader.conn,), name="parley-read", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _stop(self) -> None:
        for thread in self._threads:
            thread.join()
        self._give_up()

    def _give_up(self) -> None:
        for db in (*self._readers, self._db):  # the writer last: closing it folds the WAL into the file
            if db:
                db.close()
        if self._lock:
            self._lock.close()

    def _serve_reads(self, conn: sqlite3.Connection) -> None:
        tx = SqliteTx(conn)
        while (job := self._reads.get()) is not None:
            fn, args, kw, future = job
            try:
                conn.execute("begin")
                outcome: Outcome = future, fn(tx, *args, **kw), None
            except BaseException as exc:
                outcome = future, None, map_error(exc, self._path)
            if conn.in_transaction:
                conn.rollback()
            answer(self._loop, resolve, [outcome])
