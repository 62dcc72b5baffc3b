"""Who may add a document where, and who may remove it; asked of Slack when it is to be done."""

from __future__ import annotations

from bot.app import Services
from bot.core.access import why_channel_closed
from bot.core.errors import KeptInside, NotPermitted
from handlers.adapter import SlackChat
from handlers.knowledge.slack_state import SlackState
from handlers.slack.places import DIRECT
from storage.knowledge.audiences import Audience, AudienceKind
from storage.knowledge.documents import Document
from storage.place import Channel

FOR_ADMINS = "what the whole workspace is answered from is for its admins to decide"
FOR_MEMBERS = "what a channel is answered from is for members of this workspace to decide"
NOT_YOURS = "a document is for whoever added it, and those who look after its channel, to remove"
PRIVATE = "what stands in a private channel is not for the whole workspace"
NOT_THERE = "I am not in this conversation"
FOR_READERS = "what a conversation is answered from is for those in it to see"


class DocumentRights:
    """Questions about people and documents."""

    def __init__(self, services: Services, chat: SlackChat) -> None:
        self._services = services
        self._chat = chat

    async def require_add(self, audience: AudienceKind, channel: str, user: str) -> None:
        """NotPermitted, KeptInside or NotHere where this person may not add such a document there."""
        state = await SlackState(self._chat.slack).find_channel_state(channel)
        if not state.there:
            raise NotPermitted(NOT_THERE)
        direct = channel.startswith(DIRECT)
        if state.external and self._services.settings.external != "all":
            raise KeptInside
        if not direct and (
            reason := why_channel_closed(channel, external=state.external, settings=self._services.settings)
        ):
            raise reason
        if audience == "workspace":
            if not await self._chat.permissions.may_decide_everywhere(user):
                raise NotPermitted(FOR_ADMINS)
            if state.private and not direct:
                raise NotPermitted(PRIVATE)
        elif not direct and await self._chat.is_outsider(user):
            raise NotPermitted(FOR_MEMBERS)

    async def may_remove(self, document: Document, user: str) -> bool:
        """Whoever added it, and those who decide where it is found."""
        if document.audience == "person" or document.person == user:
            return document.person == user
        if document.audience == "workspace":
            return await self._chat.permissions.may_decide_everywhere(user)
        at = Channel(document.team, document.channel)
        return await self._chat.permissions.may_decide(self._services.guard, at, user)

    async def require_remove(self, document: Document, user: str) -> None:
        """NotPermitted for others."""
        if not await self.may_remove(document, user):
            raise NotPermitted(NOT_YOURS)

    async def require_see(self, channel: str, user: str) -> None:
        """NotPermitted for whoever is not in a conversation: a window stays open when somebody leaves."""
        if not await self._chat.permissions.may_read(user, channel):
            raise NotPermitted(FOR_READERS)

    async def find_audience(self, team: str, channel: str, user: str) -> Audience:
        """What this person may see the documents of, from there."""
        state = await SlackState(self._chat.slack).find_channel_state(channel)
        outsider = await self._chat.is_outsider(user)
        direct = channel.startswith(DIRECT)
        return Audience(
            team,
            channel,
            "",
            person=user if direct else "",
            workspace=not outsider and not state.external,
            open=not state.external or self._services.settings.external == "all",
        )


def kind_at(channel: str) -> AudienceKind:
    """Whose a document is that is added in a channel, or in somebody's direct messages."""
    return "person" if channel.startswith(DIRECT) else "channel"
