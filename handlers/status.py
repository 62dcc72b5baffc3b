"""The line under a thread that says what is being done, for as long as it is being done."""

from __future__ import annotations

import asyncio

from handlers.slack import SlackDoor

# Slack takes a status away after two minutes. Source: assistant.threads.setStatus
SHOWN_AGAIN_S = 90.0


class StatusLine:
    """Shows the latest text; what came between is not caught up with. `say` never waits and never raises."""

    def __init__(self, door: SlackDoor, channel: str, thread: str) -> None:
        self._door = door
        self._channel = channel
        self._thread = thread
        self._text = ""
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def say(self, text: str) -> None:
        if text == self._text:
            return
        self._text = text
        self._changed.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep())

    async def clear(self) -> None:
        """Nothing is shown any more when this returns."""
        if self._task is None:
            return
        self.say("")
        await self._task
        self._task = None

    async def _keep(self) -> None:
        while True:
            self._changed.clear()
            text = self._text
            await self._door.attempt(
                "assistant.threads.setStatus", channel_id=self._channel, thread_ts=self._thread, status=text
            )
            if not text:
                return
            try:
                async with asyncio.timeout(SHOWN_AGAIN_S):
                    await self._changed.wait()
            except TimeoutError:
                continue
