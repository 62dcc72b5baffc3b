"""Who may describe fields, see rows, and say what a value is; asked of Slack when it is to be done."""

from __future__ import annotations

from bot.app import Services
from bot.core.errors import KeptInside, NotPermitted
from handlers.adapter import SlackChat
from handlers.knowledge.rights import DocumentRights, kind_at
from storage.knowledge.audiences import Audience
from storage.place import Channel

FOR_OWNERS = "which fields are read in a channel is for those who look after it to decide"


class FieldRights:
    """Questions about people and fields: rows are for those who may find the documents they came from."""

    def __init__(self, services: Services, chat: SlackChat, documents: DocumentRights) -> None:
        self._services = services
        self._chat = chat
        self._documents = documents

    async def may_describe(self, team: str, channel: str, user: str) -> bool:
        """Those who look after a channel; in direct messages, whoever writes there."""
        return await self._chat.permissions.may_decide(self._services.guard, Channel(team, channel), user)

    async def require_describe(self, team: str, channel: str, user: str) -> None:
        """NotPermitted for others."""
        if not await self.may_describe(team, channel, user):
            raise NotPermitted(FOR_OWNERS)

    async def require_see(self, team: str, channel: str, user: str) -> None:
        """NotPermitted for whoever is not there, KeptInside where another company reads along."""
        await self._documents.require_see(channel, user)
        if not (await self.find_audience(team, channel, user)).open:
            raise KeptInside

    async def find_audience(self, team: str, channel: str, user: str) -> Audience:
        """What this person may see the documents of, from there."""
        return await self._documents.find_audience(team, channel, user)

    async def require_work(self, team: str, channel: str, user: str) -> None:
        """The same, and NotPermitted for guests: what they say of a value teaches nothing, and what is read
        costs the channel."""
        await self.require_see(team, channel, user)
        await self._documents.require_add(kind_at(channel), channel, user)
