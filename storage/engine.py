"""What every storage function is handed (`Tx`), and what runs it (`Engine`).

Business SQL is written once, as small sync functions `fn(tx, …)` in the subset that SQLite and PostgreSQL
share; an engine runs each as one transaction. `storage/sqlite/engine.py` is the engine of a single process,
`storage/postgres/engine.py` that of several; both pass the same tests (tests/storage/test_engine.py). No
table is known here.

SQLite has one writer, so nothing comes between two statements of a function. On PostgreSQL another process
may: a function that looks, and then acts on what it saw, takes a lock first (`tx.lock`), or does both in one
statement. With two locks the order is conversation, message, channel, team, audit. A function may be run
again after a conflict, so it changes nothing but the database.

The subset, pinned by those tests: :named parameters; text without NUL; booleans as 0 and 1; money and
counts as integers; JSON as ASCII text; `sum()` only of what fits 64 bits and cast to integer; ON CONFLICT …
DO NOTHING or DO UPDATE with the table named on the old value; RETURNING; NULLs kept out of ORDER BY.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Dialect = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, slots=True)
class EngineFigures:
    """What an engine did since it was opened, and how it is."""

    retries: int = 0  # after a conflict with another transaction
    reconnects: int = 0  # of connections that were lost
    connections: int = 0  # open now
    silent_s: float = 0.0  # since this process last gave a sign of life, where others look for it


class Tx(Protocol):
    """One open transaction. It belongs to the function it was handed to and must not outlive it."""

    @property
    def dialect(self) -> Dialect:
        """For full text, in which the engines have no words in common (storage/knowledge/full_text.py)."""

    @property
    def bit_distance(self) -> str:
        """The operator that counts the bits in which two differ; "" where the database has none."""

    def all(self, sql: str, /, **params: Any) -> list[dict[str, Any]]:
        """Every row, also of a statement with RETURNING."""

    def one(self, sql: str, /, **params: Any) -> dict[str, Any] | None:
        """The first row, or None."""

    def run(self, sql: str, /, **params: Any) -> None:
        """A statement whose answer is not asked for. A server gets it together with the next one, or at the
        end: that is when its error comes."""

    def changed(self, sql: str, /, **params: Any) -> int:
        """How many rows a statement touched."""

    def lock(self, name: str, *, shared: bool = False) -> None:
        """Until the end of this transaction no other one of any process is past a lock of that name; save
        those that share it, where this one does."""

    def wake(self) -> None:
        """When this transaction is committed, the other processes look at once for what there is to do."""


class Engine(Protocol):
    """Runs storage functions. A database's errors come out as Busy, Conflict, StorageError or SetupError."""

    @property
    def shared(self) -> bool:
        """Whether other processes may be at work on this database."""

    @property
    def worker(self) -> int:
        """This process's number on the database, never given again; 0 where it is alone."""

    @property
    def slot(self) -> int:
        """A small number that no other living process on the database has."""

    def is_member(self) -> bool:
        """Whether this process is surely not thought dead: only then may it act outside the database."""

    async def wait_until_expelled(self) -> None:
        """Returns when this process was thought dead: it can write nothing any more, and others do its
        work."""

    def listen(self, woken: Callable[[], None]) -> None:
        """Calls `woken` when another process wants everybody to look (`Tx.wake`), or one has gone."""

    def figures(self) -> EngineFigures:
        """For whoever watches this process."""

    def observe(self, watch: Callable[[float], None]) -> None:
        """`watch(seconds)` is called in the event loop after each write, from asked to durable. Only an
        engine
        with a server does it."""

    async def write(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kw: P.kwargs) -> T:
        """`fn(tx, …)` as one transaction, durable when this returns; if `fn` raises, nothing of it happened.

        `fn` may run in the event loop's thread, so it is to take milliseconds; long work is done in portions.
        Whoever awaits each write has them happen in that order. A caller that is cancelled while waiting does
        not take the write back. Busy: it did not happen or, when a connection was lost at the very end, may
        have happened.
        """

    async def write_aside(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kw: P.kwargs) -> T:
        """As `write`, for few statements that touch many rows: the event loop goes on meanwhile, other writes
        may have to wait. How many rows at once: bot/privacy/portions.py."""

    @property
    def writes(self) -> int:
        """How many writes were asked for so far, those aside not counted."""

    async def read(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kw: P.kwargs) -> T:
        """`fn(tx, …)` on one unchanging view of everything committed so far; it cannot write."""

    def hourly(self, works: Mapping[str, Callable[[], Awaitable[None]]]) -> AbstractAsyncContextManager[None]:
        """Has all of this done every hour as long as the block runs; of several processes by one."""

    async def backup(self, path: Path) -> None:
        """A whole, checked copy at `path`, taken while work goes on. Replaces what was there, or raises."""

    async def check(self) -> list[str]:
        """What is wrong with the stored file, in the database's own words; empty when it is sound."""

    async def scrub(self) -> None:
        """After a deletion for privacy: no older copy of the deleted rows stays in the engine's files."""
