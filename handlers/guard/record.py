"""Listeners for what a channel's guard did: weeks, trained versions, latest verdicts.

The windows open on top of the channel's settings. Who may is asked of Slack each time something is opened or
pressed.
"""

from __future__ import annotations

import json
from typing import Any

from bot.app import Services
from bot.core.errors import NotPermitted
from handlers.adapter import SlackChat
from handlers.channel.listeners import NOT_YOURS
from handlers.guard import blocks as guard_blocks
from handlers.slack import modals
from handlers.slack.modals import Fill, View
from handlers.slack.payloads import team_of
from storage.place import Channel


class GuardRecord:
    """One for the whole process."""

    def __init__(self, services: Services, chat: SlackChat) -> None:
        self._services = services
        self._chat = chat

    async def open(self, ack: Any, body: dict[str, Any]) -> None:
        """Shows each week, the trained versions and the latest verdicts."""
        await ack()
        await modals.open_window(self._chat.slack, body["trigger_id"], self._fill(body), on_top=True)

    async def use_version(self, ack: Any, body: dict[str, Any]) -> None:
        """Rolls back, or forward, to a trained version."""
        await ack()
        version = int(body["actions"][0]["value"])
        await modals.fill_window(self._chat.slack, body["view"]["id"], self._fill(body, version=version))

    async def refresh(self, body: dict[str, Any]) -> None:
        """Shows the record again, after something in it was pressed."""
        await modals.fill_window(self._chat.slack, body["view"]["id"], self._fill(body))

    def _fill(self, body: dict[str, Any], *, version: int = 0) -> Fill:
        at, user, guard = _channel(body), body["user"]["id"], self._services.guard

        async def record() -> View:
            await self._check(at, user)
            if version:
                await guard.use_version(at, version, by=user)
            found, latest = await guard.read_state(at), await guard.list_latest(at)
            self._services.access_log.note(at.team, user, "guard record", at.channel)
            zone, metadata = self._services.calendar.zone, body["view"]["private_metadata"]
            return guard_blocks.record(found, latest, zone, metadata=metadata)

        return record

    async def _check(self, at: Channel, user: str) -> None:
        if not await self._chat.permissions.may_decide(self._services.guard, at, user):
            raise NotPermitted(NOT_YOURS)


def _channel(body: dict[str, Any]) -> Channel:
    """The channel that a window is about; whether it is theirs to see is asked each time."""
    return Channel(team_of(body), json.loads(body["view"]["private_metadata"])["channel"])
