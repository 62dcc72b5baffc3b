"""Clip cards in Slack: fetched from there, shown there once, changed and taken away there.

A card goes the way of every reply (handlers/replies.py): its id travels in the message's metadata, and when
an earlier attempt may have posted it, the thread is looked at first. The file with the whole text of a long
clip has a name made of the same id, and is looked for by it. What a card looks like is
handlers/clip_blocks.py.
"""

from __future__ import annotations

import logging
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from bot.clip import ClipCard
from bot.errors import SlackRefused
from bot.messages import File, Incoming
from bot.stored import decode
from handlers import clip_blocks
from handlers.files import SlackFiles
from handlers.lookup import ours
from handlers.outgoing import Outgoing
from handlers.pace import Pace
from handlers.replies import SlackReply
from handlers.slack import SlackDoor
from storage.clips import Clip

log = logging.getLogger(__name__)

# What says that there is nothing left to take away.
GONE = frozenset({"message_not_found", "file_not_found", "file_deleted", "channel_not_found"})


class ClipDesk:
    """Implements bot.hearing.Desk."""

    def __init__(self, door: SlackDoor, pace: Pace, files: SlackFiles) -> None:
        self._door = door
        self._pace = pace
        self._files = files

    def fetched(self, file: File) -> AbstractAsyncContextManager[Path]:
        """A shared file on this machine."""
        return self._files.fetched(file)

    async def show_clip(self, clip: Clip, card: ClipCard, *, look: bool) -> tuple[str, str]:
        """Puts the card where it belongs; ids of its message and of the file with its text ("": none).

        `look`: an earlier attempt may have. SlackUnavailable, SlackRefused.
        """
        asked = decode(clip.asked)
        file = await self._find_file(asked, clip) if look else ""
        fresh = "" if file or not clip_blocks.long(card) else await self._kept(clip, card)
        shown = await self._card(clip, asked, card, look=look).put(
            clip_blocks.text(card), clip_blocks.card(card, clip.id, file=bool(file or fresh))
        )
        if fresh:
            await self._share(fresh, asked)
        return shown, file or fresh

    async def change_clip(self, clip: Clip, card: ClipCard) -> str:
        """Shows what became of a card, in its place; the id of the file with its text."""
        asked = decode(clip.asked)
        file = await self._kept(clip, card) if clip_blocks.long(card) else ""
        await self._card(clip, asked, card, look=False).put(
            clip_blocks.text(card), clip_blocks.card(card, clip.id, file=bool(file))
        )
        if clip.file:
            await self._door.attempt("files.delete", file=clip.file)
        if file:
            await self._share(file, asked)
        return file

    async def take_away(self, channel: str, shown: str, file: str) -> None:
        """Neither card nor file is to be seen any more. SlackUnavailable."""
        for method, what in (
            ("chat.delete", {"channel": channel, "ts": shown}),
            ("files.delete", {"file": file}),
        ):
            if not all(what.values()):
                continue
            try:
                await self._door.call(method, **what)
            except SlackRefused as exc:
                if exc.code not in GONE:
                    log.warning("%s of a forgotten clip: %s", method, exc.code)

    def _card(self, clip: Clip, asked: Incoming, card: ClipCard, *, look: bool) -> SlackReply:
        return SlackReply(
            self._door,
            self._pace,
            asked,
            clip.id,
            outgoing=lambda: Outgoing(frozenset(), frozenset()),
            opened=lambda messages: None,
            messages=[clip.shown] if clip.shown else [],
            resumed=look,
        )

    # The whole text of a long clip

    async def _kept(self, clip: Clip, card: ClipCard) -> str:
        """Hands the text to Slack, shown to nobody yet; "" when Slack does not take it."""
        try:
            return await self._files.upload(_file_name(clip), clip_blocks.whole_text(card).encode())
        except SlackRefused as exc:
            log.warning("the text of a clip cannot be shared as a file: %s", exc.code)
            return ""

    async def _share(self, file: str, asked: Incoming) -> None:
        where = asked.conversation
        await self._door.call(
            "files.completeUploadExternal",
            files=[{"id": file, "title": "Transcript"}],
            channel_id=where.channel,
            thread_ts=where.thread,
        )

    async def _find_file(self, asked: Incoming, clip: Clip) -> str:
        where = asked.conversation
        async for message in ours(self._door, where.channel, where.thread, after=asked.message):
            for file in message.get("files") or ():
                if file.get("name") == _file_name(clip):
                    return str(file["id"])
        return ""


def _file_name(clip: Clip) -> str:
    return f"transcript-{clip.id[:8]}.txt"
