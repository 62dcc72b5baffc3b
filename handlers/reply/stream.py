"""A reply while it is being written: a native Slack stream, started late, appended to in paced steps.

A stream is a courtesy, never the record: whatever goes wrong here (limits, a lost stream, a lost answer of
Slack's) only ends the courtesy, and handlers/reply/reply.py puts the whole text where it belongs. Times and
limits are Slack's; their sources stand with them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from bot.core.errors import BotError, SlackError, SlackUnavailable
from handlers.reply.output_filter import OutputFilter
from handlers.reply.splitting import Rotation
from handlers.slack.client import SlackClient
from handlers.slack.pacing import APPEND_STREAM, START_STREAM, STOP_STREAM, Pacing

log = logging.getLogger(__name__)

# The first words are shown together, and a short answer is often whole by then, which saves it the stream.
GRACE_S = 0.12
# The next words come soon; after that no reader needs more than one refresh a second. Slow steps: while there
# is little room for more.
FIRST_STEP_S, STEP_S, SLOW_STEP_S = 0.4, 1.0, 3.0
# An answer that has been written for so long takes long: it is streamed also when streams run low.
LONG_ANSWER_S = 3.0
# Slack ends a stream about five minutes after its start, whatever is appended (python-slack-sdk issue 1859).
STREAM_LIFE_S = 240.0
# How soon to ask again for room when the workspace's streams are used up.
NO_ROOM_S = 2.0
# A streamed message holds about 12,000 characters in all; with cards and blocks in it fewer were measured
# (CopilotKit issue 6064; openclaw issue 143882: 10.6 to 11.3 kB).
MESSAGE_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class StreamPlace:
    """Where a reply goes: the thread, and the person a stream is addressed to (required in channels)."""

    team: str
    channel: str
    thread: str
    user: str


class LiveStream:
    """Feeds one reply to Slack as it grows. `append` never waits and never raises."""

    def __init__(
        self,
        slack: SlackClient,
        place: StreamPlace,
        output: OutputFilter,
        *,
        metadata: Callable[[int], dict[str, Any]],
        sending: Callable[[], Awaitable[None]],
        opened: Callable[[list[str]], None],
    ) -> None:
        self._slack = slack
        self._pacing: Pacing = slack.pacing
        self._place = place
        self._filter = output
        self._metadata = metadata
        self._sending = sending
        self._opened = opened
        self._rotation = Rotation(MESSAGE_LIMIT)
        self._unread: list[str] = []  # as the model wrote it
        self._pending = ""  # as it may be shown
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._written_from: float | None = None  # when its first words came
        self._started_at = 0.0
        self._step_s = FIRST_STEP_S
        self._end_kept = False  # a request is set aside for the end of the stream
        self.messages: list[str] = []  # Slack's ids of the messages this reply occupies, in order
        self.open = False  # the last of them is a running stream
        self.lost = False  # Slack may show something else than what we sent
        self.unsure = False  # a message of ours may exist whose id we never heard

    def append(self, text: str) -> None:
        self._unread.append(text)
        if text and self._written_from is None:
            self._written_from = time.monotonic()
        if text and not self.lost and self._timer is None and self._flushing is None:
            self._flush_in(self._pause_s if self.open else GRACE_S)

    def lose(self) -> None:
        """What Slack shows is not what is to stand there."""
        self.lost = True

    async def settle(self) -> str | None:
        """Ends the live part; returns the text with which to stop the open stream, so that all is said.

        None when stopping is not enough and the whole reply has to be put in its place.
        """
        if self._timer is not None:
            self._timer.cancel()
        if self._flushing is not None:
            await self._flushing
        if self._timer is not None:
            self._timer.cancel()
        self._release_end()
        if not self.open or self.lost or self._rotation.full:
            return None
        self._read()
        final, left = self._rotation.take(self._pending + self._filter.finish(), final=True)
        self._pending = ""
        return None if left else final

    def _release_end(self) -> None:
        """The request that was set aside for the end of the stream is about to be used, or not needed."""
        if self._end_kept:
            self._end_kept = False
            self._pacing.rate(STOP_STREAM).release()

    def _flush_in(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._start_flush)

    def _start_flush(self) -> None:
        self._timer = None
        self._flushing = asyncio.create_task(self._flush())

    @property
    def _pause_s(self) -> float:
        """How long the next words are collected."""
        return SLOW_STEP_S if self._pacing.appends_run_low else self._step_s

    def _read(self) -> None:
        """Only what is shown is filtered: an answer that is posted whole is filtered whole."""
        text, self._unread = "".join(self._unread), []
        self._pending += self._filter.feed(text)

    async def _flush(self) -> None:
        again_in = self._pause_s
        try:
            self._read()
            if not self._pending:
                return
            again_in = await (self._append() if self.open else self._start())
        except SlackUnavailable as exc:
            # Refused for its rate: nothing was taken, the text waits. Otherwise nobody knows what Slack has.
            self.lost = self.lost or exc.maybe_taken
            self.unsure = self.unsure or (exc.maybe_taken and not self.open)
            again_in = exc.retry_after_s or NO_ROOM_S
        except SlackError as exc:
            self.lost = True
            log.info("stream in %s lost: %s", self._place.channel, exc)
        except BotError as exc:  # the database is busy: the answer is shown when it is whole
            log.info("no stream in %s: %s", self._place.channel, exc)
        finally:
            self._flushing = None
            waiting = self._pending or self._unread
            if waiting and not self.lost and self._timer is None:
                self._flush_in(again_in)

    async def _start(self) -> float:
        assert self._written_from is not None
        if self._pacing.streams_run_low:
            long_in = self._written_from + LONG_ANSWER_S - time.monotonic()
            if long_in > 0:
                return long_in
        if not self._pacing.try_stream():
            return NO_ROOM_S
        self._end_kept = True
        try:
            await self._open_stream()
        except BotError:
            self._release_end()
            raise
        self._started_at = time.monotonic()
        self._opened(self.messages)
        return self._pause_s

    async def _open_stream(self) -> None:
        await self._sending()
        text, place = self._take(), self._place
        try:
            answer = await self._slack.send(
                START_STREAM,
                channel=place.channel,
                thread_ts=place.thread,
                markdown_text=text,
                recipient_team_id=place.team,
                recipient_user_id=place.user,
            )
        except SlackError:
            self._pending = self._rotation.undo() + self._pending
            raise
        self.messages.append(answer["ts"])
        self.open = True

    async def _append(self) -> float:
        if self._rotation.full or time.monotonic() - self._started_at > STREAM_LIFE_S:
            return await self._rotate()
        if not self._pacing.rate(APPEND_STREAM).try_take():
            return NO_ROOM_S
        text = self._take()
        try:
            await self._slack.send(
                APPEND_STREAM, channel=self._place.channel, ts=self.messages[-1], markdown_text=text
            )
        except SlackError:
            self._pending = self._rotation.undo() + self._pending
            raise
        self._step_s = min(2 * self._step_s, STEP_S)
        return self._pause_s

    async def _rotate(self) -> float:
        """Closes this message and lets the next flush open another in the same thread."""
        closing = self._rotation.close()
        self.lost = True  # unless Slack takes this: half a rotation cannot be taken up again
        self._release_end()
        await self._slack.call_first(
            STOP_STREAM,
            channel=self._place.channel,
            ts=self.messages[-1],
            metadata=self._metadata(len(self.messages) - 1),
            **({"markdown_text": closing} if closing else {}),
        )
        self.lost = self.open = False
        return 0.0

    def _take(self) -> str:
        """As much of the waiting text as this message still takes."""
        text, self._pending = self._rotation.take(self._pending)
        return text
