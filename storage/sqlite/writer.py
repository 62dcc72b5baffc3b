"""The one writer: what waits to be written is run together and committed together.

The functions run in the event loop's thread, where they cost microseconds; only the commit, which waits for
the disk, is a thread's. Run in that thread, each statement would have to win Python's interpreter lock back
from a busy event loop, and a batch of twenty writes was seen to take half a second. A batch is what came in
while the one before it was committed, each function in a savepoint of its own, one fsync for all.

What touches many rows in few statements would hold up the event loop. It is run in that thread, alone in its
transaction and in turn with the batches (`submit_aside`).
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from bot.core.errors import Busy
from storage.engine import Dialect, Tx
from storage.results import Job, Outcome, answer, resolve
from storage.sqlite.errors import map_error

log = logging.getLogger(__name__)

GROUP = 512  # functions committed together at most
SLICE_S = 0.005  # what a batch may take of the event loop's time, save for its last function
# Another program's lock on the file (somebody's sqlite3 shell) is waited for this long, without blocking.
LOCKED_S, AGAIN_S = 5.0, 0.02
# The committing thread needs Python's interpreter lock twice per batch, and a busy event loop lets go of it
# only after a switch interval; 5 ms is Python's default.
SWITCH_INTERVAL_S = 0.001
# Pages that a transaction changed and that do not fit into the cache are written before its end, some of them
# again and again. The large cache is kept for as long as a write aside takes.
CACHE_KIB, CACHE_ASIDE_KIB = 2_000, 16_000
SCRUB_TIMEOUT_MS = 5000  # for readers to let go of the WAL
SCRUB_AGAIN_S = 30.0  # after readers were in the way


class SqliteTx:
    """A transaction on a connection; see storage.engine.Tx."""

    __slots__ = ("_execute",)
    dialect: Dialect = "sqlite"
    bit_distance = ""

    def __init__(self, conn: sqlite3.Connection) -> None:
        self._execute = conn.execute

    def all(self, sql: str, /, **params: Any) -> list[dict[str, Any]]:
        cursor = self._execute(sql, params)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def one(self, sql: str, /, **params: Any) -> dict[str, Any] | None:
        rows = self.all(sql, **params)
        return rows[0] if rows else None

    def run(self, sql: str, /, **params: Any) -> None:
        self._execute(sql, params)

    def changed(self, sql: str, /, **params: Any) -> int:
        return self._execute(sql, params).rowcount

    def lock(self, name: str, *, shared: bool = False) -> None:
        """Nobody else writes."""

    def wake(self) -> None:
        """There is nobody else."""


class WriterThread:
    """Owns the connection that writes. `submit` belongs to the event loop; `close` waits for all of it."""

    def __init__(self, conn: sqlite3.Connection, path: Path, *, check: Callable[[], None]) -> None:
        """`check` raises before a commit that would be lost."""
        self._conn = conn
        self._path = path
        self._check = check
        self._tx: Tx = SqliteTx(conn)
        self._loop = asyncio.get_running_loop()
        self.submitted = 0
        self._waiting: deque[Job] = deque()
        self._waiting_aside: deque[Job] = deque()
        self._was_aside = False  # the last transaction
        self._working = False
        self._locked_since = 0.0
        self._commits: SimpleQueue[Callable[[], list[Outcome]] | None] = SimpleQueue()
        self._scrub_due = False
        self._scrub_at = 0.0  # not before (monotonic seconds)
        self._scrub_again: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        conn.execute("pragma busy_timeout = 0")
        sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_INTERVAL_S))
        self._thread = threading.Thread(target=self._serve_commits, name="parley-commit", daemon=True)
        self._thread.start()

    def submit(
        self, fn: Callable[..., Any], args: tuple[Any, ...], kw: dict[str, Any]
    ) -> asyncio.Future[Any]:
        self.submitted += 1
        return self._submit(self._waiting, fn, args, kw)

    def submit_aside(
        self, fn: Callable[..., Any], args: tuple[Any, ...], kw: dict[str, Any]
    ) -> asyncio.Future[Any]:
        return self._submit(self._waiting_aside, fn, args, kw)

    def _submit(
        self, queue: deque[Job], fn: Callable[..., Any], args: tuple[Any, ...], kw: dict[str, Any]
    ) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = self._loop.create_future()
        queue.append((fn, args, kw, future))
        if not self._working:
            self._working = True
            self._idle.clear()
            self._loop.call_soon(self._run_batch)
        return future

    def scrub(self) -> asyncio.Future[Any]:
        """The next commit also empties the WAL, which holds pages from before a deletion."""
        self._scrub_due, self._scrub_at = True, 0.0
        return self.submit(lambda tx: None, (), {})

    async def close(self) -> None:
        """Waits until everything submitted is committed. The connection stays its owner's."""
        if self._scrub_again:
            self._scrub_again.cancel()
        await self._idle.wait()
        self._commits.put(None)
        await asyncio.to_thread(self._thread.join)

    # In the event loop

    def _run_batch(self) -> None:
        """Runs what waits in one transaction, and hands that to be committed."""
        if not self._begin():
            return
        self._was_aside = bool(self._waiting_aside) and not (self._waiting and self._was_aside)
        if self._was_aside:
            self._commits.put(partial(self._run_aside, self._waiting_aside.popleft()))
            return
        alone = len(self._waiting) == 1
        ends_at = time.monotonic() + SLICE_S
        outcomes: list[Outcome] = []
        try:
            while self._waiting and len(outcomes) < GROUP and time.monotonic() < ends_at:
                job = self._waiting.popleft()
                outcomes.append((job[3], None, None))
                outcomes[-1] = (job[3], *self._attempt(job, alone=alone))
        except BaseException as exc:
            self._undo(outcomes, exc)
            if not isinstance(exc, Exception):
                raise
            return
        self._commits.put(partial(self._commit, outcomes))

    def _begin(self) -> bool:
        """False when it has to be tried again later, or failed for everybody who waits."""
        try:
            self._conn.execute("begin immediate")
        except sqlite3.Error as exc:
            now = time.monotonic()
            self._locked_since = self._locked_since or now
            if isinstance(map_error(exc, self._path), Busy) and now - self._locked_since < LOCKED_S:
                self._loop.call_later(AGAIN_S, self._run_batch)
                return False
            everybody = (*self._waiting, *self._waiting_aside)
            outcomes: list[Outcome] = [(future, None, None) for _, _, _, future in everybody]
            self._waiting.clear()
            self._waiting_aside.clear()
            self._undo(outcomes, exc)
            return False
        self._locked_since = 0.0
        return True

    def _attempt(self, job: Job, *, alone: bool) -> tuple[Any, BaseException | None]:
        """One function's value, or its error with everything it did undone."""
        fn, args, kw, _ = job
        if alone:
            return fn(self._tx, *args, **kw), None
        self._conn.execute("savepoint job")
        try:
            value = fn(self._tx, *args, **kw)
        except Exception as exc:
            if not self._conn.in_transaction:  # a full disk or a failed write undid the whole batch
                raise
            self._conn.execute("rollback to job")
            self._conn.execute("release job")
            return None, map_error(exc, self._path)
        self._conn.execute("release job")
        return value, None

    def _undo(self, outcomes: list[Outcome], exc: BaseException) -> None:
        """Nothing of the batch happened, and everybody hears so."""
        self._rollback()
        self._committed(_failed(outcomes, exc, self._path))

    def _committed(self, outcomes: list[Outcome]) -> None:
        resolve(outcomes)
        if self._scrub_due and not self._scrub_again:
            self._scrub_again = self._loop.call_later(SCRUB_AGAIN_S, self._scrub_if_due)
        self._working = bool(self._waiting or self._waiting_aside)
        if self._working:
            self._loop.call_soon(self._run_batch)
        else:
            self._idle.set()

    def _scrub_if_due(self) -> None:
        """Readers were in the way, and nothing may have been committed since."""
        self._scrub_again = None
        if self._scrub_due:
            self.scrub().add_done_callback(lambda done: done.cancelled() or done.exception())

    def _rollback(self) -> None:
        if self._conn.in_transaction:
            self._conn.rollback()

    # In the thread

    def _serve_commits(self) -> None:
        while (work := self._commits.get()) is not None:
            outcomes = work()
            if self._scrub_due and time.monotonic() >= self._scrub_at:
                self._empty_wal()
            answer(self._loop, self._committed, outcomes)

    def _commit(self, outcomes: list[Outcome]) -> list[Outcome]:
        try:
            self._check()
            self._conn.execute("commit")
        except BaseException as exc:
            self._rollback()
            return _failed(outcomes, exc, self._path)
        return outcomes

    def _run_aside(self, job: Job) -> list[Outcome]:
        fn, args, kw, future = job
        try:
            self._conn.execute(f"pragma cache_size = -{CACHE_ASIDE_KIB}")
            value = fn(self._tx, *args, **kw)
            return self._commit([(future, value, None)])
        except BaseException as exc:
            self._rollback()
            return _failed([(future, None, None)], exc, self._path)
        finally:
            self._conn.execute(f"pragma cache_size = -{CACHE_KIB}")

    def _empty_wal(self) -> None:
        """If readers are in the way for too long, a later commit tries again: every commit waits for it."""
        try:
            self._conn.execute(f"pragma busy_timeout = {SCRUB_TIMEOUT_MS}")
            busy, *_ = self._conn.execute("pragma wal_checkpoint(truncate)").fetchone()
            self._conn.execute("pragma busy_timeout = 0")
            self._scrub_due, self._scrub_at = bool(busy), time.monotonic() + SCRUB_AGAIN_S
        except sqlite3.Error:
            log.exception("the WAL could not be emptied")


def _failed(outcomes: list[Outcome], exc: BaseException, path: Path) -> list[Outcome]:
    return [(future, None, error or map_error(exc, path)) for future, _, error in outcomes]
