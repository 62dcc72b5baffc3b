"""Where the bots of a sandbox keep everything: a file for one, a PostgreSQL server of their own for several.

Both are thrown away at the end, and emptied at a reset, when no bot runs.
"""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from bot.sandbox.postgres import ThrowawayPostgres
from bot.sandbox.postgres_programs import NoPostgres

AWAY_S = 2.0  # between the kill of a server and its next start: long enough to see what the bots do
NAME = "parley"


class SandboxDatabase(Protocol):
    """What bots are given as PARLEY_DATABASE."""

    @property
    def url(self) -> str:
        """PARLEY_DATABASE."""

    async def empty(self) -> None:
        """As it was at the beginning. No bot runs meanwhile."""

    async def kill(self) -> None:
        """`kill -9`, where there is a server; it is started again after a moment."""

    def about(self) -> dict[str, Any]:
        """What the page shows."""


class DatabaseFile:
    """SQLite in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = f"sqlite:///{folder}/parley.db"

    async def empty(self) -> None:
        for file in self._folder.iterdir():
            file.unlink()

    async def kill(self) -> None:
        """There is nothing to kill."""

    def about(self) -> dict[str, Any]:
        return {"kind": "SQLite"}


class DatabaseServer:
    """A PostgreSQL server, an async context manager. NoPostgres where none can be started."""

    def __init__(self) -> None:
        # What was committed is in the system's cache: it outlives the server.
        self._server = ThrowawayPostgres(synchronous_commit="on")
        self._state = "starting"
        self._kills = 0
        self._returning: asyncio.Task[None] | None = None
        self.url = ""

    async def __aenter__(self) -> DatabaseServer:
        if importlib.util.find_spec("psycopg") is None:
            raise NoPostgres("the bot speaks to PostgreSQL with the extra `postgres`, which is not installed")
        await self._server.__aenter__()
        self.url = await self._server.create(NAME)
        self._state = "running"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._settle()
        await self._server.__aexit__(kind, error, trace)

    async def empty(self) -> None:
        await self._settle()
        await self._server.drop(NAME)
        await self._server.create(NAME)

    async def kill(self) -> None:
        if self._state == "running":
            self._state = "killed"
            self._kills += 1
            await asyncio.to_thread(self._server.kill)
            self._returning = asyncio.create_task(self._return())

    def about(self) -> dict[str, Any]:
        return {
            "kind": "PostgreSQL",
            "state": self._state,
            "pid": self._server.pid,
            "kills": self._kills,
        }

    async def _return(self) -> None:
        await asyncio.sleep(AWAY_S)
        self._state = "starting"
        await self._server.start()
        self._state = "running"

    async def _settle(self) -> None:
        """A server that was killed is back."""
        if self._returning:
            await self._returning
            self._returning = None
