"""The page `/knowledge` over HTTP: who opens a link is in its signature, what they may see is asked of Slack
now, for the one channel that the page is about."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from bot.app import Services
from bot.core.errors import BotError, NotPermitted
from bot.knowledge_page.filters import PageFilters, read_filters
from bot.knowledge_page.service import PATH, Reader
from bot.pages.html import HEADERS
from handlers.adapter import SlackChat
from handlers.costs.page import status_of
from handlers.knowledge.rights import DocumentRights
from storage.place import Channel

NOTHING = "there is nothing that I know in the channels that you may see"
NOT_YOURS = "what a channel is answered from is for those who may read it to see"


def add_knowledge_page(server: web.Application, services: Services, chat: SlackChat) -> None:
    """Serves the page at PATH; whatever goes wrong is said in a sentence."""
    readers = PageReaders(services, chat)

    async def show(request: web.Request) -> web.Response:
        try:
            team, user = services.knowledge_page.reader_of(request.query.get("token", ""))
            filters = read_filters(request.query)
            reader = await readers.find(team, user, filters)
            found = await services.knowledge_page.respond(reader, filters, chat.directory.find_names)
        except BotError as exc:
            return web.Response(status=status_of(exc), text=f"{exc.notice}\n", headers=HEADERS)
        services.access_log.note(team, user, "knowledge page", found.shows)
        return web.Response(body=found.body, headers=found.headers)

    server.router.add_get(PATH, show)


class PageReaders:
    """What whoever opens the page may see of which channel, as Slack says now."""

    def __init__(self, services: Services, chat: SlackChat) -> None:
        self._services = services
        self._chat = chat
        self._rights = DocumentRights(services, chat)

    async def find(self, team: str, user: str, filters: PageFilters) -> Reader:
        """NotPermitted for a channel that they may not read."""
        viewer = await self._chat.directory.find_viewer(team, user)
        known = await self._services.knowledge_page.list_channels(team)
        direct = [place for place in viewer.member_of if place.startswith("D")]
        seen = [channel for channel in dict.fromkeys((*known, *direct)) if viewer.knows(channel)]
        channel = filters.channel or next(iter(seen), "")
        if not channel:
            raise NotPermitted(NOTHING)
        may = viewer.knows(channel) and await self._chat.permissions.may_read(user, channel)
        if not may:
            raise NotPermitted(NOT_YOURS)
        audience = await self._rights.find_audience(team, channel, user)
        owner = await self._chat.permissions.may_decide(self._services.guard, Channel(team, channel), user)
        return Reader(audience, await self._name([channel, *seen]), owner, viewer.gap)

    async def _name(self, channels: list[str]) -> Mapping[str, str]:
        names = await self._chat.directory.find_names(channels)
        named = {channel: names.get(channel, channel) for channel in channels}
        return dict(sorted(named.items(), key=lambda one: one[1].casefold()))
