"""What other processes on a database did is noticed: at once where they say so, else within a second."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bot.core.background import run_alongside
from bot.core.errors import BotError
from storage.engine import Engine

log = logging.getLogger(__name__)

Look = Callable[[bool], Awaitable[None]]  # is told whether it was asked to look

EVERY_S = 1.0


class Watch:
    """Has everybody look who was added. Where a process has its database alone, nobody ever looks."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._looks: list[Look] = []
        self._woken = asyncio.Event()

    def add(self, look: Look) -> None:
        """`look(asked)` is called every second, and with `asked` when another process wants it."""
        self._looks.append(look)

    @asynccontextmanager
    async def keeping(self) -> AsyncIterator[None]:
        """Looks until the block ends."""
        if not self._engine.shared:
            yield
            return
        self._engine.listen(self._woken.set)
        async with run_alongside(self._keep()):
            yield

    async def _keep(self) -> None:
        while True:
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._woken.wait()
            except TimeoutError:
                asked = False
            else:
                asked = True
                self._woken.clear()
            for look in self._looks:
                try:
                    await look(asked)
                except BotError as exc:
                    log.warning("what other processes did cannot be looked up: %s", exc)
