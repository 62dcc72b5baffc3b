"""Takes back what processes that died left standing in Slack: messages half written, threads at work.

A turn that is taken up again puts its own message in order, but it may have to wait for its place first, and
a session that Slack did not let us end belongs to no turn any more.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from bot.conversation.running import RunningTurns
from bot.core.errors import BotError
from bot.workers.duties import Duties
from storage.conversation import replies
from storage.conversation.replies import LeftInSlack
from storage.engine import Engine

log = logging.getLogger(__name__)

EVERY_S = 3600.0
DUTY = "what is left in Slack"


class Sweepable(Protocol):
    """Slack, where something may have been left (handlers/adapter.py). Both raise SlackUnavailable."""

    async def end_session(self, channel: str, thread: str) -> None: ...
    async def end_stream(self, channel: str, message: str) -> None: ...


class LeftBehind:
    """Sweeps once for what is there when it is made ready, before anything is worked on, and then hourly; of
    several processes one."""

    def __init__(self, engine: Engine, chat: Sweepable, running: RunningTurns, duties: Duties) -> None:
        self._engine = engine
        self._chat = chat
        self._running = running
        self._duties = duties
        self._found: list[LeftInSlack] = []

    async def look(self) -> None:
        """Before the first turn: what is there was left by processes that died."""
        self._found = await self._list()

    async def sweep(self) -> None:
        """Takes back what was found, once it is this process's duty."""
        await self._duties.wait_for(DUTY)
        for left in self._found:
            await self._take_back(left)

    async def sweep_hourly(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.sweep()
            await asyncio.sleep(EVERY_S)
            try:
                await self.look()
            except BotError as exc:
                log.error("what is left in Slack cannot be looked up: %s", type(exc).__name__)

    async def _list(self) -> list[LeftInSlack]:
        return await self._engine.read(replies.list_left, me=self._engine.worker)

    async def _take_back(self, left: LeftInSlack) -> None:
        """What cannot be done now is done by its turn, or in an hour."""
        try:
            if self._engine.shared and left not in await self._list():  # somebody went on with it
                return
            if left.messages and not self._running.works_in(left.conversation):
                await self._chat.end_stream(left.channel, left.messages[-1])
            if left.session and not self._running.works_in(left.conversation):
                await self._chat.end_session(left.channel, left.thread)
                if not self._running.works_in(left.conversation):  # else it may be shown again by now
                    await self._engine.write(replies.mark_session, left.id, shown=False)
        except BotError as exc:
            log.info("left in Slack for now: %s", exc)
