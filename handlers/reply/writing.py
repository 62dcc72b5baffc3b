"""Writes the messages of a reply into its thread: each in its turn, changed, or taken away."""

from __future__ import annotations

import logging
import time
from typing import Any

from bot.core.errors import SlackError, SlackLimited, SlackRefused
from bot.core.values import Incoming
from handlers.reply.bodies import Bodies, Body
from handlers.reply.lateness import find_apology
from handlers.reply.progress import ReplyProgress
from handlers.slack import blocks
from handlers.slack.client import SlackClient
from handlers.slack.pacing import FRESH_S, POST, STOP_STREAM, Posting
from handlers.slack.status import StatusLine

log = logging.getLogger(__name__)

REFUSALS = 20  # of one message for its rate, until the inbox tries it again later
# Codes that say: not with these blocks.
BLOCKS_REFUSED = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"})


class ReplyWriter:
    """One reply in one thread. `apologises`: for a long wait, as answers do."""

    def __init__(
        self,
        slack: SlackClient,
        incoming: Incoming,
        bodies: Bodies,
        progress: ReplyProgress,
        line: StatusLine,
    ) -> None:
        self._slack = slack
        self._incoming = incoming
        self._bodies = bodies
        self._progress = progress
        self._line = line
        self._channel = incoming.conversation.channel
        self._apology: str | None = None  # for the wait, once the first words are shown
        self.apologises = True
        self.touched = False  # a post may have come to stand there

    def find_apology(self) -> str:
        """For the wait until the first words are shown, which they are now, or were before."""
        if self._apology is None:
            self._apology = find_apology(self._waited_s()) if self.apologises else ""
        return self._apology

    async def post(self, body: Body) -> str:
        """Once it is its turn in the channel; what Slack refuses for its rate is the next one there.

        That it may stand there is written down only then: what waited when the process died was not sent.
        """
        for refused in range(REFUSALS):
            posting = self._slack.pacing.posting(
                self._channel,
                fresh=self._waited_s() < FRESH_S,
                again=refused > 0,
                waiting=self._progress.outside,
            )
            try:
                async with posting as under_way:
                    await self._post_now(body, under_way)
                return under_way.message
            except SlackLimited:
                self._apology = None  # nobody has seen it yet
                if refused == REFUSALS - 1:
                    raise
        raise AssertionError("unreachable")

    async def update(self, ts: str, body: Body) -> None:
        await self._write("chat.update", self._bodies.apologise(body, self.find_apology()), ts=ts)

    async def end_stream(self, ts: str) -> None:
        """Closes a stream that may still be running; a message that is none says so and is left alone."""
        await self._slack.try_call(STOP_STREAM, channel=self._channel, ts=ts)

    async def remove(self, ts: str) -> None:
        """Whatever it is, it does not stand there any more."""
        await self.end_stream(ts)
        await self.delete(self._channel, ts)

    async def delete(self, channel: str, ts: str) -> None:
        try:
            await self._slack.call("chat.delete", channel=channel, ts=ts)
        except SlackRefused as exc:
            log.info("%s is not there to be deleted: %s", ts, exc.code)

    async def _post_now(self, body: Body, posting: Posting) -> None:
        thread = self._incoming.conversation.thread
        there = {"thread_ts": thread} if thread else {}
        shown = self._bodies.apologise(body, self.find_apology())
        await self._progress.note_sending()
        self._slack.pacing.leave_now(posting)
        try:
            answer = await self._write(POST, shown, **there, unfurl_links=False, unfurl_media=False)
        except SlackLimited:
            raise
        except SlackError:
            self.touched = True
            raise
        self.touched = True
        self._line.note_message()
        posting.message = str(answer["ts"])

    async def _write(self, method: str, body: Body, **how: Any) -> dict[str, Any]:
        """With its blocks, or without them where Slack does not take them. A post has its turn already."""
        write = self._slack.send if method == POST else self._slack.call
        try:
            return await write(method, channel=self._channel, **how, **body)
        except SlackRefused as exc:
            if exc.code not in BLOCKS_REFUSED:
                raise
            log.error("blocks of a reply were refused: %s", exc.code)
        return await write(method, channel=self._channel, **how, **blocks.without_blocks(body))

    def _waited_s(self) -> float:
        return time.time() - self._incoming.sent_at.timestamp()
