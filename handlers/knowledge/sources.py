"""Slack as documents see it: files and threads to read, cards to show, and what became of both.

A card carries the id of its document in its metadata.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path

from bot.core.errors import UnsupportedFile
from bot.core.settings import Settings
from bot.core.values import Conversation, File
from bot.knowledge.document_card import CardPlace, DocumentCard
from bot.knowledge.sources import ChannelState, FileSharing, KeptPost, KeptThread
from handlers.adapter import SlackChat
from handlers.knowledge.blocks import card_blocks, card_text
from handlers.knowledge.slack_state import SlackState
from handlers.slack.cards import StandingCard, show_standing_card
from handlers.slack.downloads import SlackFiles

METADATA = "parley_document"
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
        text, blocks = card_text(card), card_blocks(card)
        shown = StandingCard(METADATA, card.document.id, text, blocks, card.document.added_at)
        where = {"message": place.message, "thread": place.thread}
        ts = await show_standing_card(self._slack, shown, place.channel, look=look, **where)
        return CardPlace(place.channel, ts, place.thread) if ts else None

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
