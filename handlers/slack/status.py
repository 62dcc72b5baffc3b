"""What a thread shows while something is being done there: a session at work, and a line that says what."""

from __future__ import annotations

import asyncio

from bot.core.errors import SlackError, SlackRevoked, SlackUnavailable
from handlers.slack.client import SlackClient

# A quick answer is its own status; a slower one shows that somebody is at work.
SHOWN_AFTER_S = 0.1
AGAIN_S, LONGEST_AGAIN_S = 1.0, 5.0  # between attempts to say that nobody is any more

# Slack takes a status away after two minutes. Source: assistant.threads.setStatus
SHOWN_AGAIN_S = 90.0


class StatusLine:
    """Shows the latest text only. `show` never waits and never raises."""

    def __init__(self, slack: SlackClient, channel: str, thread: str) -> None:
        self._slack = slack
        self._channel = channel
        self._thread = thread
        self._text = ""
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def show(self, text: str) -> None:
        if text == self._text:
            return
        self._text = text
        self._changed.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep_shown())

    async def clear(self) -> None:
        """Nothing is shown any more when this returns."""
        if self._task is None:
            return
        self.show("")
        await self._task
        self._task = None

    async def _keep_shown(self) -> None:
        while True:
            self._changed.clear()
            text = self._text
            await self._slack.try_call(
                "assistant.threads.setStatus", channel_id=self._channel, thread_ts=self._thread, status=text
            )
            if not text:
                return
            try:
                async with asyncio.timeout(SHOWN_AGAIN_S):
                    await self._changed.wait()
            except TimeoutError:
                continue


class Session:
    """The thread's session: "processing" while a reply is made, with Slack's stop button, then "active".

    `left_open`: an earlier attempt may have died before it could end it.
    """

    def __init__(self, slack: SlackClient, channel: str, thread: str, *, left_open: bool) -> None:
        self._slack = slack
        self._place = {"channel_id": channel, "thread_ts": thread}
        self._open = left_open
        self._waiting: asyncio.TimerHandle | None = None  # until it is shown
        self._showing: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Shows it in a moment, unless it is over by then."""
        self._waiting = asyncio.get_running_loop().call_later(SHOWN_AFTER_S, self._show)

    async def is_shown(self) -> bool:
        """Whether it can be seen, now that it will not begin any more."""
        if self._waiting is not None:
            self._waiting.cancel()
        if self._showing is not None:
            await self._showing
        return self._open

    def mark_ended(self) -> None:
        """Slack learned of the end in another way."""
        self._open = False

    async def end(self, *, tries: int = 1) -> None:
        """Ends the session; nothing happens when it has ended."""
        for left in range(tries - 1, -1, -1):
            if not await self.is_shown():
                return
            try:
                await self._slack.call("agents.sessions.setStatus", **self._place, status="active")
            except SlackUnavailable as exc:
                if not left or isinstance(exc, SlackRevoked):
                    return
                await asyncio.sleep(min(exc.retry_after_s or AGAIN_S, LONGEST_AGAIN_S))
            except SlackError:
                return
            else:
                self._open = False

    def _show(self) -> None:
        self._open = True
        show = self._slack.try_call("agents.sessions.setStatus", **self._place, status="processing")
        self._showing = asyncio.create_task(show)
