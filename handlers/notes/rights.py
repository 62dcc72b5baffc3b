"""Who may change a note; asked of Slack when it is to be done. Who may add one, as with documents."""

from __future__ import annotations

from typing import Protocol

from bot.app import Services
from bot.core.errors import Missing, NotPermitted
from handlers.adapter import SlackChat
from storage.knowledge.documents import Document
from storage.place import Channel

NOT_YOURS = "a note is for whoever said it, and those who look after its channel, to change"


class Owned(Protocol):
    """A note, or the document that it is."""

    @property
    def team(self) -> str: ...
    @property
    def audience(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def person(self) -> str: ...


class NoteRights:
    """Questions about people and notes."""

    def __init__(self, services: Services, chat: SlackChat) -> None:
        self._services, self._chat = services, chat

    async def may_change(self, note: Owned, user: str) -> bool:
        """Whoever said it, and for a channel's those who decide about the channel."""
        if note.audience == "person" or note.person == user:
            return note.person == user
        at = Channel(note.team, note.channel)
        return await self._chat.permissions.may_decide(self._services.guard, at, user)

    async def find_own(self, team: str, id: str, user: str) -> Document:
        """A note that this person may change, however far it is taken in. Missing, NotPermitted."""
        document = await self._services.documents.find(team, id)
        if document.source != "note" or document.hidden in ("removed", "replaced"):
            raise Missing(f"no note {id}")
        if not await self.may_change(document, user):
            raise NotPermitted(NOT_YOURS)
        return document
