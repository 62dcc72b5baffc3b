"""The usage page over HTTP: who opens a link is in its signature, what they may see is asked of Slack now."""

from __future__ import annotations

from aiohttp import web

from bot.app import Services
from bot.core.errors import AskError, BotError, NotPermitted
from bot.pages.html import HEADERS
from bot.reports.page import respond
from bot.reports.service import PAGE_PATH
from handlers.adapter import SlackChat


def add_usage_page(server: web.Application, services: Services, chat: SlackChat) -> None:
    """Serves the page at PAGE_PATH; whatever goes wrong is said in a sentence."""
    costs = services.costs

    async def show(request: web.Request) -> web.Response:
        try:
            team, user = costs.reader_of(request.query.get("token", ""))
            viewer = await chat.directory.find_viewer(team, user, named=await costs.owned_by(team, user))
            found = await respond(costs.page_data(team, viewer, chat.directory.find_names), request.query)
        except BotError as exc:
            return web.Response(status=status_of(exc), text=f"{exc.notice}\n", headers=HEADERS)
        services.access_log.note(team, user, "usage page", f"{found.shows}; {viewer.sees}")
        return web.Response(body=found.body, headers=found.headers)

    server.router.add_get(PAGE_PATH, show)


def status_of(error: BotError) -> int:
    """The status of HTTP that a page is refused with."""
    if isinstance(error, NotPermitted):
        return 403
    return 400 if isinstance(error, AskError) else 503
