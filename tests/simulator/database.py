"""The database of a story: real SQLite, the real schema, commits in groups, without threads or a disk.

It outlives every process. A commit is one moment: a process that is killed before it finds nothing of the
group in its next life, one that is killed after it finds all of it although nobody was told.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.core.errors import Busy
from storage.engine import EngineFigures
from storage.sqlite.errors import map_error
from storage.sqlite.file import migrate
from storage.sqlite.library import Database
from storage.sqlite.writer import SqliteTx
from tests.simulator.life import Life

COMMIT_S = (0.0005, 0.02)
READ_S = (0.0001, 0.002)
NOWHERE = Path("story.db")


def new_database() -> sqlite3.Connection:
    conn = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    conn.deserialize(_template())
    conn.create_function("unix_now", 0, time.time)  # which is the story's
    return conn


def _template(made: list[bytes] = []) -> bytes:  # noqa: B006  # made once
    if not made:
        conn = sqlite3.connect(":memory:", isolation_level=None)
        migrate(Database(conn, execute_plugins=False, strict=True))
        made.append(conn.serialize())
        conn.close()
    return made[0]


@dataclass(frozen=True, slots=True)
class Place:
    """A process among those on the database: its number (0: it is alone), and how they wake each other."""

    worker: int
    slot: int
    listeners: list[Callable[[], None]]
    wake: Callable[[], None]


class StoryTx(SqliteTx):
    """`woken`: the others are to look once this is committed."""

    __slots__ = ("woken",)

    def __init__(self, conn: sqlite3.Connection) -> None:
        super().__init__(conn)
        self.woken = False

    def wake(self) -> None:
        self.woken = True


class StoryEngine:
    """storage.engine.Engine of one life. `busy`: how many of a hundred groups fail as on a full disk.
    `committed` hears of each group that is written."""

    def __init__(
        self,
        conn: sqlite3.Connection,
        life: Life,
        dice: random.Random,
        *,
        busy: float,
        ends_at: float,
        committed: Callable[[], None],
        place: Place,
    ) -> None:
        self._conn, self._life, self._dice, self._busy = conn, life, dice, busy
        self._ends_at = ends_at
        self._committed = committed
        self._place = place
        self._tx = StoryTx(conn)
        self._waiting: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], Any]] = []
        self.working = False

    async def write(self, fn: Callable[..., Any], /, *args: Any, **kw: Any) -> Any:
        await self._life.gate(f"write {_name(fn)}")
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((fn, args, kw, future))
        if not self.working:
            self._later()
        return await future

    write_aside = write

    @property
    def shared(self) -> bool:
        return self.worker > 0

    @property
    def worker(self) -> int:
        return self._place.worker

    @property
    def slot(self) -> int:
        return self._place.slot

    def is_member(self) -> bool:
        return True

    async def wait_until_expelled(self) -> None:
        await asyncio.Event().wait()

    def hourly(self, works: Mapping[str, Callable[[], Awaitable[None]]]) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    def listen(self, woken: Callable[[], None]) -> None:
        self._place.listeners.append(woken)

    def figures(self) -> EngineFigures:
        return EngineFigures()

    def observe(self, watch: Callable[[float], None]) -> None:
        """Nobody watches."""

    @property
    def writes(self) -> int:
        return 0

    async def read(self, fn: Callable[..., Any], /, *args: Any, **kw: Any) -> Any:
        await asyncio.sleep(self._dice.uniform(*READ_S))
        if not self._life.alive:
            await self._life.gate("read")
        self._conn.execute("begin")
        try:
            return fn(self._tx, *args, **kw)
        except sqlite3.Error as exc:
            raise map_error(exc, NOWHERE) from exc
        finally:
            self._conn.rollback()

    async def scrub(self) -> None:
        await self.write(lambda tx: None)

    async def check(self) -> list[str]:
        return []

    async def backup(self, path: Path) -> None:
        raise NotImplementedError

    def _later(self) -> None:
        self.working = bool(self._waiting)
        if self.working:
            loop = asyncio.get_running_loop()
            loop.call_later(self._dice.uniform(*COMMIT_S), self._commit_group)

    def _commit_group(self) -> None:
        group, self._waiting = self._waiting, []
        names = ", ".join(_name(job[0]) for job in group)
        if not self._life.alive:
            return
        self._conn.execute("begin immediate")
        ends = [self._attempt(fn, args, kw) for fn, args, kw, _ in group]
        full = self._dice.uniform(0, 100) < self._busy and asyncio.get_running_loop().time() < self._ends_at
        if full or not self._life.pass_gate(f"before the commit of {names}"):
            self._conn.rollback()
            ends = [(None, Busy("full")) for _ in group]
        else:
            self._conn.commit()
            self._committed()
            if self._tx.woken:
                self._tx.woken = False
                self._place.wake()
        if not self._life.pass_gate(f"after the commit of {names}"):
            return
        for (_, _, _, future), (value, error) in zip(group, ends, strict=True):
            if future.done():
                continue
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)
        self._later()

    def _attempt(self, fn: Callable[..., Any], args: Any, kw: Any) -> tuple[Any, BaseException | None]:
        self._conn.execute("savepoint job")
        try:
            value = fn(self._tx, *args, **kw)
        except Exception as exc:
            self._conn.execute("rollback to job")
            self._conn.execute("release job")
            return None, map_error(exc, NOWHERE)
        self._conn.execute("release job")
        return value, None


def _name(fn: Any) -> str:
    return str(getattr(fn, "func", fn).__name__).strip("_")
