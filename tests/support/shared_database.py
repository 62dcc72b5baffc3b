"""A database that several processes share, all of them in one event loop and on its clock: real SQLite in
memory, with the list of the living that PostgreSQL would have."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

from bot.core.background import run_alongside
from bot.core.errors import Busy
from bot.limits.sharing import SharedLimits
from storage.engine import Engine
from storage.sqlite.file import migrate
from storage.sqlite.library import Database
from storage.sqlite.writer import SqliteTx

ANSWER_S = 0.001


class SharedDatabase:
    """`clock`: the database's. `away`: nothing is answered."""

    def __init__(self, clock: Callable[[], float]) -> None:
        conn = sqlite3.connect(":memory:", isolation_level=None)
        migrate(Database(conn, execute_plugins=False, strict=True))
        conn.create_function("unix_now", 0, clock)
        self.tx = SqliteTx(conn)
        self.away = False
        self.writes = 0

    def join(self) -> SharedProcess:
        """One more process on it."""
        row = self.tx.one(
            "insert into workers (slot, process, begun_at, seen_at) values (0, '', 0, 0) returning id"
        )
        assert row
        return SharedProcess(self, row["id"])


class SharedProcess:
    """What bot/limits and bot/jobs/watch.py use of storage.engine.Engine."""

    shared = True

    def __init__(self, database: SharedDatabase, worker: int) -> None:
        self._database = database
        self.worker = worker
        self.wake: Callable[[], None] = lambda: None  # as another process does

    def listen(self, woken: Callable[[], None]) -> None:
        self.wake = woken

    async def write(self, fn: Callable[..., Any], /, *args: Any, **kw: Any) -> Any:
        self._database.writes += 1
        return await self.read(fn, *args, **kw)

    async def read(self, fn: Callable[..., Any], /, *args: Any, **kw: Any) -> Any:
        await asyncio.sleep(ANSWER_S)
        if self._database.away:
            raise Busy("away")
        value = fn(self._database.tx, *args, **kw)
        await asyncio.sleep(ANSWER_S)
        return value

    def die(self) -> None:
        """It is off the list; its rows are left."""
        self._database.tx.run("delete from workers where id = :worker", worker=self.worker)

    @property
    def limits(self) -> SharedLimits:
        return SharedLimits(cast("Engine", self))


@asynccontextmanager
async def sharing(database: SharedDatabase, processes: int) -> AsyncIterator[list[SharedLimits]]:
    """The limits of so many processes, divided all the time."""
    async with AsyncExitStack() as stack:
        joined = [database.join() for _ in range(processes)]
        found = [process.limits for process in joined]
        for limits in found:
            await stack.enter_async_context(run_alongside(limits.keep_divided()))
            await asyncio.sleep(0.3)  # they do not begin at once
        yield found
