"""Slack as documents see it: files and threads to read, cards to show, and what became of both.

A card carries the id of its document in its metadata; where an earlier attempt may have posted it, it is
looked for first.
"""

from __future__ import annotations

import logging
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bot.core.errors import SlackRefused, UnsupportedFile
from bot.core.settings import Settings
from bot.core.values import Conversation, File
from bot.knowledge.document_card import CardPlace, DocumentCard
from bot.knowledge.sources import ChannelState, FileSharing, KeptPost, KeptThread
from handlers.adapter import SlackChat
from handlers.knowledge.blocks import card_blocks, card_text
from handlers.knowledge.slack_state import SlackState
from handlers.slack.downloads import SlackFiles
from handlers.slack.own_messages import find_own, look_twice, read_id

log = logging.getLogger(__name__)

METADATA = "parley_document"
EARLIER_S = 60.0  # our clock and Slack's may differ so much
ALWAYS_AFTER = "9999999999.000000"


class SlackDocuments:
    """Implements bot.knowledge.sources.DocumentSide."""

    def __init__(self, settings: Settings, chat: SlackChat, files: SlackFiles) -> None:
        self._settings = settings
        self._chat = chat
        self._slack = chat.slack
        self._files = files
        self._state = SlackState(chat.slack)

    async def details(self, file: File) -> File:
        """A file of which nothing but the id is known."""
        return await self._files.details(file)

    def fetched(self, file: File) -> AbstractAsyncContextManager[Path]:
        """A shared file on this machine."""
        return self._files.fetched(file)

    async def read_thread(self, team: str, channel: str, thread: str) -> KeptThread:
        """What people said in a thread. Answers of our own are no source."""
        posts, whole = await self._chat.thread(Conversation(team, channel, thread), before=ALWAYS_AFTER)
        said = [post for post in posts if post.role == "human" and (post.text or post.quoted)]
        if not posts:
            raise UnsupportedFile("of this thread", "Slack does not show it to me")
        names = await self._chat.names({post.person for post in said if post.person})
        kept = [
            KeptPost(
                post.person,
                "\n".join(filter(None, (post.text, post.quoted))),
                _describe_place(names.get(post.person, ""), post.message),
                names.get(post.person, ""),
                post.message,
                float(post.message),
            )
            for post in said
        ]
        return KeptThread(kept, whole)

    async def show_card(self, card: DocumentCard, place: CardPlace, *, look: bool) -> CardPlace | None:
        """Posts or changes a card; where it stands."""
        if look and not place.message:
            place = await self._find_card(card, place)
        body: dict[str, Any] = {
            "channel": place.channel,
            "text": card_text(card),
            "blocks": card_blocks(card),
            "metadata": {"event_type": METADATA, "event_payload": {"id": card.document.id}},
        }
        try:
            if place.message:
                await self._slack.call("chat.update", ts=place.message, **body)
                return place
            thread = {"thread_ts": place.thread} if place.thread else {}
            posted = await self._slack.call(
                "chat.postMessage", unfurl_links=False, unfurl_media=False, **thread, **body
            )
        except SlackRefused as exc:
            log.warning("the card of a document cannot be shown: %s", exc.code)
            return None
        return CardPlace(place.channel, str(posted["ts"]))

    async def _find_card(self, card: DocumentCard, place: CardPlace) -> CardPlace:
        """Where an earlier attempt put it, if it did."""
        after = f"{card.document.added_at - EARLIER_S:.6f}"

        async def look() -> str:
            async for message in find_own(self._slack, place.channel, place.thread, after=after):
                if read_id(message) == card.document.id:
                    return str(message["ts"])
            return ""

        try:
            found = await look_twice(partial(look))
        except SlackRefused as exc:
            log.info("a card cannot be looked for: %s", exc.code)
            found = ""
        return CardPlace(place.channel, found, place.thread)

    async def find_sharing(self, file: str) -> FileSharing | None:
        """Where a file is shared now; None when it is gone."""
        return await self._state.find_sharing(file)

    async def find_channel_state(self, channel: str) -> ChannelState:
        """What Slack tells of a channel."""
        return await self._state.find_channel_state(channel)

    async def has_left(self, user: str) -> bool:
        """Whether somebody's account is closed."""
        return await self._state.has_left(user)


def _describe_place(name: str, ts: str) -> str:
    day = f"{datetime.fromtimestamp(float(ts), UTC):%Y-%m-%d %H:%M}"
    return f"{name}, {day}" if name else day
