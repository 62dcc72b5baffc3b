"""What every storage function is handed (`Tx`), and what runs it (`Engine`).

Business SQL is written once, as small sync functions `fn(tx, …)` in the subset that SQLite and PostgreSQL
share; an engine runs each as one transaction. `storage/sqlite/engine.py` is the engine of a single process; a
PostgreSQL one will stand beside it and has to pass the same tests (tests/storage/test_engine.py). No table is
known here.

The subset, pinned by those tests: :named parameters; text without NUL; booleans as 0 and 1; money and
counts as integers; JSON as ASCII text; `sum()` only of what fits 64 bits and cast to integer; ON CONFLICT …
DO NOTHING or DO UPDATE with the table named on the old value; RETURNING; NULLs kept out of ORDER BY.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Tx(Protocol):
    """One open transaction. It belongs to the function it was handed to and must not outlive it."""

    def all(self, sql: str, /, **params: Any) -> list[dict[str, Any]]:
        """Every row, also of a statement with RETURNING."""

    def one(self, sql: str, /, **params: Any) -> dict[str, Any] | None:
        """The first row, or None."""

    def run(self, sql: str, /, **params: Any) -> int:
        """How many rows were touched."""


class Engine(Protocol):
    """Runs storage functions. A database's errors come out as Busy, Conflict, StorageError or SetupError."""

    async def write(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kw: P.kwargs) -> T:
        """`fn(tx, …)` as one transaction, durable when this returns; if `fn` raises, nothing of it happened.

        `fn` may run in the event loop's thread, so it is to take milliseconds; long work is done in portions.
        A caller that is cancelled while waiting does not take the write back.
        """

    async def write_aside(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kw: P.kwargs) -> T:
        """As `write`, for few statements that touch many rows: the event loop goes on meanwhile, other writes
        wait. How many rows at once: bot/privacy/portions.py."""

    @property
    def writes(self) -> int:
        """How many writes were asked for so far, those aside not counted."""

    async def read(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kw: P.kwargs) -> T:
        """`fn(tx, …)` on one unchanging view of everything committed so far; it cannot write."""

    async def backup(self, path: Path) -> None:
        """A whole, checked copy at `path`, taken while work goes on. Replaces what was there, or raises."""

    async def check(self) -> list[str]:
        """What is wrong with the stored file, in the database's own words; empty when it is sound."""

    async def scrub(self) -> None:
        """After a deletion for privacy: no older copy of the deleted rows stays in the engine's files."""
