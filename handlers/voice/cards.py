"""Clip cards in Slack: fetched from there, shown there once, changed and taken away there.

A card goes the way of every reply (handlers/reply/reply.py): its id travels in the message's metadata, and
when an earlier attempt may have posted it, the thread is looked at first. The file with the whole text of a
long clip has a name made of the same id, and is looked for by it. What a card looks like is
handlers/voice/blocks.py.
"""

from __future__ import annotations

import logging
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path

from bot.core.access import remembers
from bot.core.codec import decode
from bot.core.errors import SlackRefused
from bot.core.settings import Settings
from bot.core.values import File, Incoming
from bot.voice.clip_card import ClipCard, Traces
from handlers.reply.progress import Untracked
from handlers.reply.reply import SlackReply
from handlers.slack.client import SlackClient
from handlers.slack.downloads import SlackFiles
from handlers.slack.own_messages import find_own, look_twice, read_id
from handlers.slack.payloads import is_bot
from handlers.slack.posts import incoming_from
from handlers.slack.status import SessionEnds
from handlers.slack.threads import ThreadStarts
from handlers.slack.uploads import Upload, upload
from handlers.voice import blocks
from storage.voice.clips import Clip

log = logging.getLogger(__name__)

TRANSCRIPT = "Transcript"  # title of the file
# What says that there is nothing left to take away.
GONE = frozenset({"message_not_found", "file_not_found", "file_deleted", "channel_not_found"})


class ClipCards:
    """Slack as voice sees it: bot.voice.service.CardView."""

    def __init__(
        self, settings: Settings, slack: SlackClient, files: SlackFiles, threads: ThreadStarts
    ) -> None:
        self._settings = settings
        self._threads = threads
        self._slack = slack
        self._ends = SessionEnds(slack)
        self._files = files

    async def root(self, asked: Incoming) -> Incoming | None:
        """The first message of the thread in which something is asked, as if it had been said to us."""
        where = asked.conversation
        try:
            page = await self._threads.peek(where, asked.message)
        except SlackRefused as exc:
            log.info("the beginning of a thread cannot be read: %s", exc.code)
            return None
        found = page["messages"][0]
        if found["ts"] != where.thread or is_bot(found, self._slack.bot_user):
            return None
        event = {"channel": where.channel}
        began = incoming_from({"team_id": where.team}, event, found, self._slack.bot_user, self._settings)
        return replace(began, conversation=where, mentioned=True, external=asked.external)

    async def details(self, file: File) -> File:
        """Asks Slack for the details of a file that a message only announced."""
        return await self._files.details(file)

    def fetched(self, file: File) -> AbstractAsyncContextManager[Path]:
        """A shared file on this machine."""
        return self._files.fetched(file)

    async def show_clip(self, clip: Clip, card: ClipCard, *, look: bool) -> tuple[str, str]:
        """Posts the card in its thread; ids of its message and of the file with its text ("": none).

        `look`: an earlier attempt may have. SlackUnavailable, SlackRefused.
        """
        asked = decode(clip.asked)
        long, file = blocks.is_long(card), ""
        if long and look:
            file = await look_twice(partial(self._find_file, asked, clip))
        fresh = await self._upload_text(clip, card) if long and not file else ""
        shown = await self._card(clip, asked, card, look=look).put(
            blocks.fallback_text(card),
            blocks.card_blocks(
                card, clip.id, file=bool(file or fresh), kept=remembers(asked, self._settings)
            ),
        )
        if fresh:
            await self._share_text(fresh, asked)
        return shown, file or fresh

    async def change_clip(self, clip: Clip, card: ClipCard) -> str:
        """Changes a card where it stands; returns the id of the file with its text."""
        asked = decode(clip.asked)
        file = await self._upload_text(clip, card) if blocks.is_long(card) else ""
        await self._card(clip, asked, card, look=False).put(
            blocks.fallback_text(card), blocks.card_blocks(card, clip.id, file=bool(file))
        )
        if clip.file:
            await self._slack.try_call("files.delete", file=clip.file)
        if file:
            await self._share_text(file, asked)
        return file

    async def take_away(self, traces: Traces) -> None:
        """Deletes the card and its file in Slack. SlackUnavailable."""
        if not traces.shown:
            traces = await self._find_traces(traces)
        if traces.shown:
            await self._delete("chat.delete", channel=traces.channel, ts=traces.shown)
        if traces.file:
            await self._delete("files.delete", file=traces.file)

    async def _delete(self, method: str, **what: str) -> None:
        try:
            await self._slack.call(method, **what)
        except SlackRefused as exc:
            if exc.code not in GONE:
                log.warning("%s of a forgotten clip: %s", method, exc.code)

    async def _find_traces(self, traces: Traces) -> Traces:
        """Looks for the card and the file in the thread, where an earlier attempt may have left them."""

        async def look() -> Traces | None:
            found = traces
            async for message in find_own(self._slack, traces.channel, traces.thread, after=traces.message):
                if read_id(message) == traces.id:
                    found = replace(found, shown=str(message["ts"]))
                for file in message.get("files") or ():
                    if file.get("name") == _file_name(traces.id):
                        found = replace(found, file=str(file["id"]))
            return found if found != traces else None

        try:
            return await look_twice(look) or traces
        except SlackRefused as exc:
            log.info("the thread of a forgotten clip cannot be read: %s", exc.code)
            return traces

    def _card(self, clip: Clip, asked: Incoming, card: ClipCard, *, look: bool) -> SlackReply:
        return SlackReply(
            self._slack,
            self._ends,
            asked,
            clip.id,
            Untracked([clip.shown] if clip.shown else []),
            resumed=look,
        )

    # The whole text of a long clip

    async def _upload_text(self, clip: Clip, card: ClipCard) -> str:
        """Hands the text to Slack, shown to nobody yet; "" when Slack does not take it."""
        try:
            text = blocks.transcript_text(card).encode()
            return await upload(self._slack, self._settings, Upload(_file_name(clip.id), text, TRANSCRIPT))
        except SlackRefused as exc:
            log.warning("the text of a clip cannot be shared as a file: %s", exc.code)
            return ""

    async def _share_text(self, file: str, asked: Incoming) -> None:
        where = asked.conversation
        await self._slack.call(
            "files.completeUploadExternal",
            files=[{"id": file, "title": TRANSCRIPT}],
            channel_id=where.channel,
            thread_ts=where.thread,
        )

    async def _find_file(self, asked: Incoming, clip: Clip) -> str:
        where = asked.conversation
        async for message in find_own(self._slack, where.channel, where.thread, after=asked.message):
            for file in message.get("files") or ():
                if file.get("name") == _file_name(clip.id):
                    return str(file["id"])
        return ""


def _file_name(id: str) -> str:
    return f"transcript-{id[:8]}.txt"
