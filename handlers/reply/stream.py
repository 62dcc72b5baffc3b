"""A reply while it is being written: a native Slack stream, started late, appended to in paced steps.

A stream is a courtesy, never the record: whatever goes wrong here (limits, a lost stream, a lost answer of
Slack's) only ends the courtesy, and handlers/reply/reply.py puts the whole text where it belongs. Times and
limits are Slack's; their sources stand with them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.core.errors import SlackError, SlackUnavailable
from handlers.reply.splitting import Rotation
from handlers.slack.client import SlackClient
from handlers.slack.pacing import APPEND_STEP_S, Pacing

log = logging.getLogger(__name__)

# A whole short answer often follows its first word at once; waiting this long saves it the stream.
GRACE_S = 0.010
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
        pacing: Pacing,
        place: StreamPlace,
        *,
        metadata: Callable[[int], dict[str, Any]],
        opened: Callable[[list[str]], None],
    ) -> None:
        self._slack = slack
        self._pacing = pacing
        self._place = place
        self._metadata = metadata
        self._opened = opened
        self._rotation = Rotation(MESSAGE_LIMIT)
        self._pending = ""
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._started_at = 0.0
        self.messages: list[str] = []  # Slack's ids of the messages this reply occupies, in order
        self.open = False  # the last of them is a running stream
        self.lost = False  # Slack may show something else than what we sent
        self.unsure = False  # a message of ours may exist whose id we never heard

    def append(self, text: str) -> None:
        self._pending += text
        if text and not self.lost and self._timer is None and self._flushing is None:
            self._flush_in(APPEND_STEP_S if self.open else GRACE_S)

    def lose(self) -> None:
        """What Slack shows is not what is to stand there."""
        self.lost = True

    async def settle(self, rest: str) -> str | None:
        """Ends the live part; returns the text with which to stop the open stream, so that all is said.

        None when stopping is not enough and the whole reply has to be put in its place.
        """
        if self._timer is not None:
            self._timer.cancel()
        if self._flushing is not None:
            await self._flushing
        if self._timer is not None:
            self._timer.cancel()
        if not self.open or self.lost or self._rotation.full:
            return None
        final, left = self._rotation.take(self._pending + rest, final=True)
        self._pending = ""
        return None if left else final

    def _flush_in(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._start_flush)

    def _start_flush(self) -> None:
        self._timer = None
        self._flushing = asyncio.create_task(self._flush())

    async def _flush(self) -> None:
        again_in = APPEND_STEP_S
        try:
            again_in = await (self._append() if self.open else self._start())
        except SlackUnavailable as exc:
            # Refused for its rate: nothing was taken, the text waits. Otherwise nobody knows what Slack has.
            self.lost = self.lost or exc.maybe_taken
            self.unsure = self.unsure or (exc.maybe_taken and not self.open)
            again_in = exc.retry_after_s or NO_ROOM_S
        except SlackError as exc:
            self.lost = True
            log.info("stream in %s lost: %s", self._place.channel, exc)
        finally:
            self._flushing = None
        if self._pending and not self.lost and self._timer is None:
            self._flush_in(again_in)

    async def _start(self) -> float:
        if not self._pacing.may_stream():
            return NO_ROOM_S
        text = self._take()
        place = self._place
        try:
            answer = await self._slack.call(
                "chat.startStream",
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
        self._started_at = time.monotonic()
        self._opened(self.messages)
        return APPEND_STEP_S

    async def _append(self) -> float:
        if self._rotation.full or time.monotonic() - self._started_at > STREAM_LIFE_S:
            return await self._rotate()
        if not self._pacing.may_append():
            return NO_ROOM_S
        text = self._take()
        try:
            await self._slack.call(
                "chat.appendStream", channel=self._place.channel, ts=self.messages[-1], markdown_text=text
            )
        except SlackError:
            self._pending = self._rotation.undo() + self._pending
            raise
        return APPEND_STEP_S

    async def _rotate(self) -> float:
        """Closes this message and lets the next flush open another in the same thread."""
        closing = self._rotation.close()
        self.lost = True  # unless Slack takes this: half a rotation cannot be taken up again
        await self._slack.call(
            "chat.stopStream",
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
