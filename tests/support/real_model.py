"""A real model behind a real llama.cpp server, in a process of its own, and a provider that asks it.

`make test-models` sets up .venv-models, whose Python runs tests/models/serve.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bot.core.calendar import Calendar, zone
from bot.core.settings import Settings
from bot.costs.ledger import Ledger
from bot.costs.pricing import Prices
from bot.provider.fair_share import Scheduler
from bot.provider.service import Provider
from storage.database import open_engine

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-models" / "bin" / "python"
START_S = 120.0


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


class RealModel:
    """The server. It may be killed and started again, at the same address."""

    def __init__(self, *, context_tokens: int = 2048, parallel: int = 1, embedding: bool = False) -> None:
        self.port = free_port()
        self._arguments = [self.port, context_tokens, parallel, int(embedding)]
        self._process: asyncio.subprocess.Process | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.kill()

    async def start(self) -> None:
        """Returns when the model is loaded."""
        assert PYTHON.exists(), "`make test-models` sets up what these tests need"
        self._process = await asyncio.create_subprocess_exec(
            PYTHON,
            ROOT / "tests" / "models" / "serve.py",
            *map(str, self._arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        assert self._process.stdout is not None
        ready = await asyncio.wait_for(self._process.stdout.readline(), START_S)
        assert ready, "the server did not start"

    async def kill(self) -> None:
        """As an operator's machine does it: nothing is closed."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.communicate()
            self._process = None


@asynccontextmanager
async def real_provider(server: RealModel, path: Path, **settings: Any) -> AsyncIterator[Provider]:
    """A provider for that server; at the end every request is settled."""
    values = {"model": "smollm2", "max_tokens": 40, "temperature": 0.0} | settings
    async with open_engine(f"sqlite:///{path}/parley.db") as engine:
        given = Settings(openai_base_url=server.base_url, **values)
        provider = Provider(given, Ledger(engine, Prices(), Calendar(zone("UTC"))), Scheduler(), engine)
        async with provider:
            yield provider
        open_rows = await engine.read(lambda tx: tx.all("select id from ledger where outcome = 'open'"))
        assert open_rows == []
