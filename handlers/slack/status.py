"""What a thread shows while something is being done there: a session at work, and a line that says what.

Both are courtesies: they are shown when there is room for them under Slack's limits. A session that was shown
is taken back in any case; what Slack does not take at once is taken back later, by `SessionEnds` here, or
after the process has died by bot/conversation/sessions.py.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bot.core.errors import SlackError, SlackUnavailable
from handlers.slack.client import SlackClient
from handlers.slack.pacing import LINE

log = logging.getLogger(__name__)

SESSION = "agents.sessions.setStatus"
# A quick answer is its own status; a slower one shows that somebody is at work.
SHOWN_AFTER_S = 1.0
NO_ROOM_S = 2.0  # until it is looked again whether there is room for a status
AGAIN_S, LONGEST_AGAIN_S = 2.0, 60.0  # between attempts to say that nobody is at work any more

# Slack takes a status line away after two minutes. Source: assistant.threads.setStatus
SHOWN_AGAIN_S = 90.0


NoteSession = Callable[[bool], Awaitable[bool]]


class StatusLine:
    """Shows the latest text only. `show` never waits and never raises."""

    def __init__(self, slack: SlackClient, channel: str, thread: str) -> None:
        self._slack = slack
        self._channel = channel
        self._thread = thread
        self._text = ""
        self._shown = ""
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def show(self, text: str) -> None:
        if text == self._text:
            return
        self._text = text
        self._changed.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep_shown())

    def note_message(self) -> None:
        """With each message of ours Slack takes the line away by itself."""
        self._shown = ""

    async def clear(self) -> None:
        """Nothing is shown any more when this returns."""
        if self._task is None:
            return
        self.show("")
        await self._task
        self._task = None

    async def _keep_shown(self) -> None:
        while self._text or self._shown:
            self._changed.clear()
            pause_s = SHOWN_AGAIN_S if await self._write(self._text) else NO_ROOM_S
            if self._text == self._shown == "":
                return
            try:
                async with asyncio.timeout(pause_s):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _write(self, text: str) -> bool:
        """Whether it is shown now; a text that cannot be shown or taken away is left to Slack's own end."""
        rate = self._slack.pacing.rate(LINE)
        if text and not rate.try_take():
            return False
        if not text:
            await rate.take(first=True)
        try:
            await self._slack.send(LINE, channel_id=self._channel, thread_ts=self._thread, status=text)
        except SlackError as exc:
            log.info("a status line is not shown: %s", exc)
        self._shown = text
        return True


class SessionEnds:
    """Takes sessions back in the background that Slack did not let us end."""

    def __init__(self, slack: SlackClient) -> None:
        self._slack = slack
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, channel: str, thread: str, ended: Callable[[], Awaitable[None]]) -> None:
        """`ended` is called when the thread shows nothing any more, or cannot."""
        task = asyncio.create_task(self._end(channel, thread, ended))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end_now(self, channel: str, thread: str) -> None:
        """SlackUnavailable while Slack does not take it."""
        try:
            await self._slack.call(SESSION, channel_id=channel, thread_ts=thread, status="active")
        except SlackUnavailable:
            raise
        except SlackError as exc:  # the thread is gone
            log.info("a session cannot be ended: %s", exc)

    async def _end(self, channel: str, thread: str, ended: Callable[[], Awaitable[None]]) -> None:
        pause_s = AGAIN_S
        while True:
            await asyncio.sleep(pause_s)
            try:
                await self.end_now(channel, thread)
            except SlackUnavailable as exc:
                pause_s = max(exc.retry_after_s or 0.0, min(2 * pause_s, LONGEST_AGAIN_S))
            else:
                await ended()
                return


class Session:
    """The thread's session: "processing" while a reply is made, with Slack's stop button, then "active".

    `left_open`: an earlier attempt died before it could end it. `note(shown)` writes down whether there is
    something to end, before it is shown and after it was ended; what it could not write down is not shown.
    """

    def __init__(
        self,
        slack: SlackClient,
        ends: SessionEnds,
        channel: str,
        thread: str,
        *,
        left_open: bool,
        note: NoteSession,
    ) -> None:
        self._slack = slack
        self._ends = ends
        self._channel, self._thread = channel, thread
        self._note = note
        self._rate = slack.pacing.rate(SESSION)
        self._open = left_open
        self.noted = left_open  # that there is something to end
        self._kept = False  # a request is set aside for its end
        self._waiting: asyncio.TimerHandle | None = None  # until it is shown
        self._showing: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Shows it in a moment, unless it is over by then."""
        self._show_in(SHOWN_AFTER_S)

    async def is_shown(self) -> bool:
        """Whether it can be seen, now that it will not begin any more."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if self._showing is not None:
            await self._showing
        return self._open

    def mark_ended(self) -> None:
        """Slack learned of the end in another way."""
        self._open = self.noted = False
        self._release()

    async def end(self) -> None:
        """Ends the session, later if Slack does not take it now; nothing happens when it has ended."""
        if not await self.is_shown():
            return
        self._open = False
        self._release()
        try:
            if not self._rate.try_take():
                raise SlackUnavailable("no room")
            await self._slack.send(SESSION, channel_id=self._channel, thread_ts=self._thread, status="active")
        except SlackUnavailable:
            self._ends.add(self._channel, self._thread, self._note_ended)
            return
        except SlackError as exc:  # the thread is gone
            log.info("a session cannot be ended: %s", exc)
        await self._note_ended()

    async def _note_ended(self) -> None:
        self.noted = False
        await self._note(False)

    def _release(self) -> None:
        if self._kept:
            self._kept = False
            self._rate.release()

    def _show_in(self, seconds: float) -> None:
        self._waiting = asyncio.get_running_loop().call_later(seconds, self._show)

    def _show(self) -> None:
        self._waiting = None
        if not self._rate.try_take(spare=1):
            self._show_in(NO_ROOM_S)
            return
        self._rate.keep()
        self._open = self._kept = True
        self._showing = asyncio.create_task(self._show_now())

    async def _show_now(self) -> None:
        if not await self._note(True):  # also where it was noted: who swept meanwhile may have undone that
            self._open = self.noted
            self._release()
            return
        self.noted = True
        try:
            await self._slack.send(
                SESSION, channel_id=self._channel, thread_ts=self._thread, status="processing"
            )
        except SlackError as exc:
            log.info("a session is not shown: %s", exc)
