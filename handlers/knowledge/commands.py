"""`/parley knowledge`: what can be answered from here, adding to it, and removing from it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bot.app import Services
from bot.core.errors import Incomplete, NotPermitted, NotUnderstood
from bot.text.typed import read_keyword, split_first
from handlers.knowledge.adding import PERMALINK, Adding, AddingFrom
from handlers.knowledge.blocks import list_blocks, tell_removed
from handlers.knowledge.rights import NOT_YOURS, DocumentRights, kind_at
from handlers.slack import blocks
from handlers.slack.payloads import team_of
from storage.knowledge.audiences import Audience
from storage.knowledge.documents import Document

ADDED = "I am reading it: a card beside it shows how far I am."
NOTHING = "There are no documents here yet. Drop a file, then say `/parley knowledge add`."
WORKSPACE = frozenset({"workspace", "everywhere", "whole workspace", "for everybody"})
WHICH = "There are several documents of that name. Which one is it?"
NOT_SLACK = (
    "LINK is the link of a message in Slack: ⋮, then *Copy link*. A page of the web is taken in as a file: "
    "save it and drop it here."
)
OPEN_PAGE = "open_knowledge_page"
PAGE = (
    "What is known here, what was asked and what could not be answered, on a page that opens for you alone, "
    "for a quarter of an hour."
)
NO_PAGE = "I have no web page here: whoever runs me gives it an address with `PARLEY_PUBLIC_URL`."
_WEB = re.compile(r"https?://", re.IGNORECASE)
_LINK = re.compile(r"\S*/archives/\S+")
WORDS = (
    "I know `knowledge list`, `knowledge add`, `knowledge add LINK`, `knowledge remove NAME` and "
    "`knowledge page`."
)


class KnowledgeCommands:
    """Answers `/parley knowledge …`."""

    def __init__(self, services: Services, adding: Adding, rights: DocumentRights) -> None:
        self._services = services
        self._adding = adding
        self._rights = rights

    async def answer(self, body: dict[str, Any], words: str, respond: Any) -> None:
        """Does what is asked for and says so, for the asker's eyes only."""
        word, rest = split_first(words)
        match read_keyword(word):
            case "" | "list" | "show":
                found = await self._list(body)
                shown = list_blocks(found) if found else [blocks.section(NOTHING)]
                await respond(**blocks.ephemeral("Documents", shown))
            case "add" | "keep":
                await self._add(body, rest)
                await respond(**blocks.ephemeral(ADDED, [blocks.section(ADDED)]))
            case "page":
                await respond(**self._link_page(body))
            case "remove" | "delete" | "forget":
                await respond(**await self._remove(body, rest))
            case _:
                raise NotUnderstood(words, WORDS)

    def _link_page(self, body: dict[str, Any]) -> dict[str, Any]:
        """The button that opens the page of what is known here."""
        url = self._services.knowledge_page.link(team_of(body), body["user_id"], body["channel_id"])
        if not url:
            return blocks.ephemeral(NO_PAGE, [blocks.section(NO_PAGE)])
        open_page = blocks.button(OPEN_PAGE, "Open the page") | {"url": url}
        return blocks.ephemeral(PAGE, [blocks.section(PAGE), blocks.actions(open_page)])

    async def _list(self, body: dict[str, Any]) -> Sequence[Document]:
        audience = await self._audience(body)
        self._services.access_log.note(
            audience.team, body["user_id"], "knowledge", f"documents of {audience.channel}"
        )
        return await self._services.documents.list_at(audience)

    async def _audience(self, body: dict[str, Any]) -> Audience:
        return await self._rights.find_audience(team_of(body), body["channel_id"], body["user_id"])

    async def _add(self, body: dict[str, Any], rest: str) -> None:
        link, channel = PERMALINK.search(rest), body["channel_id"]
        words = read_keyword(_LINK.sub("", rest))
        if words and words not in WORKSPACE:
            raise NotUnderstood(rest, NOT_SLACK if _WEB.search(words) else WORDS)
        audience = "workspace" if words else kind_at(channel)
        at = AddingFrom(team_of(body), channel, body["user_id"], audience)
        if link:
            await self._adding.add_link(at, link)
        else:
            await self._adding.add_latest(at)

    async def _remove(self, body: dict[str, Any], name: str) -> dict[str, Any]:
        """What is said of it: that it is gone, or which ones there are. In a channel several may have one
        name, for one may be the channel's and one the whole workspace's."""
        wanted = read_keyword(name)
        if not wanted:
            raise Incomplete("Which one? Say `knowledge remove NAME`, as `knowledge list` shows it.")
        found = await self._services.documents.list_at(await self._audience(body))
        named = [one for one in found if wanted in (read_keyword(one.name), read_keyword(one.title), one.id)]
        if not named:
            raise NotUnderstood(name, "There is no document of that name here.")
        user = body["user_id"]
        may = [one for one in named if await self._rights.may_remove(one, user)]
        if not may:
            raise NotPermitted(NOT_YOURS)
        if len({(one.audience, one.name) for one in may}) > 1:
            shown = list_blocks(may, removable=[one.id for one in may])
            return blocks.ephemeral(WHICH, [blocks.section(WHICH), *shown])
        for document in may:
            await self._services.documents.remove(document, by=user)
        return tell_removed()
