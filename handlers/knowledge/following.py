"""Slack's events about what documents are made of, and the look at all of it every night."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

from bot.app import Services
from bot.core.errors import BotError
from bot.knowledge.following import Happened
from handlers.adapter import SlackChat
from handlers.slack.payloads import team_of

log = logging.getLogger(__name__)

FIRST_SWEEP_S = 300.0  # after the start: what happened while nobody listened
NIGHT_HOUR = 3
DUTY = "looking after documents"


class DocumentEvents:
    """Listeners for events. Each is on disk when it returns."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def note_file_deleted(self, body: dict[str, Any]) -> None:
        """A file is gone."""
        await self._note_file(body, "deleted")

    async def note_file_changed(self, body: dict[str, Any]) -> None:
        """A file says something else, or is called otherwise."""
        await self._note_file(body, "changed")

    async def note_file_unshared(self, body: dict[str, Any]) -> None:
        """A file was taken out of a conversation."""
        await self._note_file(body, "moved")

    async def _note_file(self, body: dict[str, Any], happened: Happened) -> None:
        await self._services.follower.note(team_of(body), "file", body["event"]["file_id"], happened=happened)

    async def note_channel_deleted(self, body: dict[str, Any]) -> None:
        """A channel is gone."""
        await self._services.follower.note(
            team_of(body), "channel", body["event"]["channel"], happened="deleted"
        )

    async def note_channel(self, body: dict[str, Any]) -> None:
        """A channel was archived, opened again, or shared with another company."""
        await self._services.follower.note(team_of(body), "channel", body["event"]["channel"])

    async def note_channel_id(self, body: dict[str, Any]) -> None:
        """A channel goes by another id, as a private one does from which it is shared with another
        company."""
        old, new = body["event"]["old_channel_id"], body["event"]["new_channel_id"]
        await self._services.follower.note(team_of(body), "channel", old, now=new)

    async def note_person(self, body: dict[str, Any]) -> None:
        """Somebody's account was closed, or opened again; most of what Slack tells of people is not that."""
        person = body["event"]["user"]
        await self._services.follower.note(team_of(body), "person", person["id"])


async def sweep_nightly(services: Services, chat: SlackChat) -> None:
    """Looks once after the start and then every night at what documents are made of, for ever."""
    await asyncio.sleep(FIRST_SWEEP_S)
    while True:
        await services.duties.wait_for(DUTY)
        try:
            await services.follower.sweep(lambda team: is_ours(chat, team))
        except BotError as exc:
            log.warning("documents are looked after another night: %s", exc)
        await asyncio.sleep(_until_night_s(services))


def is_ours(chat: SlackChat, team: str) -> bool:
    """Whether Slack tells us of that workspace: the token's own, or any of its organisation."""
    return team == chat.slack.team or bool(chat.slack.organisation)


def _until_night_s(services: Services) -> float:
    now = datetime.now(services.calendar.zone)
    night = now.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    return ((night if night > now else night + timedelta(days=1)) - now).total_seconds()
