"""What one process does for all: it holds a duty for as long as it lives, then another one takes it over."""

from __future__ import annotations

import asyncio
import logging

from bot.core.errors import BotError
from storage.engine import Engine
from storage.workers import duties

log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0  # whether what another process does is free


class Duties:
    """Those that this process holds. One that has its database alone holds all of them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._held = set[str]()

    async def hold(self, name: str) -> bool:
        """Whether this process is the one that does it, and may do so now: somebody who hangs is taken for
        dead, and another one does it. What is free is taken.

        While the database is away nobody takes anything, and nobody is sure.
        """
        if not self._engine.shared:
            return True
        if name not in self._held:
            try:
                await self._try_to_take(name)
            except BotError as exc:
                log.info("who does %s cannot be looked up: %s", name, exc)
        return name in self._held and self._engine.is_member()

    async def wait_for(self, name: str) -> None:
        """Until this process is the one that does it."""
        while True:
            if await self.hold(name):
                return
            await asyncio.sleep(LOOK_EVERY_S)

    async def _try_to_take(self, name: str) -> None:
        me = self._engine.worker
        if await self._engine.read(duties.find_holder, name) not in (None, me):
            return
        before = await self._engine.write(duties.claim, name, me)
        if before is not None:
            self._held.add(name)
            log.info("process %d does %s%s", me, name, f" after process {before}" if before else "")
