"""Listeners for what a channel learned of its answers: versions, reports, and which one is used.

The window opens on top of the channel's settings. Who may is asked of Slack each time.
"""

from __future__ import annotations

import json
from typing import Any

from bot.app import Services
from bot.core.errors import NotPermitted
from handlers.adapter import SlackChat
from handlers.channel.listeners import NOT_YOURS
from handlers.knowledge import learning_blocks
from handlers.slack import modals
from handlers.slack.modals import Fill, View
from handlers.slack.payloads import team_of
from storage.place import Channel


class AnswerLearningWindow:
    """One for the whole process."""

    def __init__(self, services: Services, chat: SlackChat) -> None:
        self._services = services
        self._chat = chat

    async def open(self, ack: Any, body: dict[str, Any]) -> None:
        """Shows what answers taught: trained versions, and how many examples there are."""
        await ack()
        await modals.open_window(self._chat.slack, body["trigger_id"], self._fill(body), on_top=True)

    async def use_version(self, ack: Any, body: dict[str, Any]) -> None:
        """Puts a version to use, or the shipped one."""
        await ack()
        version = int(body["actions"][0]["value"])
        await modals.fill_window(self._chat.slack, body["view"]["id"], self._fill(body, version=version))

    def _fill(self, body: dict[str, Any], *, version: int | None = None) -> Fill:
        metadata, user = body["view"]["private_metadata"], body["user"]["id"]
        at, services = Channel(team_of(body), json.loads(metadata)["channel"]), self._services

        async def shown() -> View:
            if not await self._chat.permissions.may_decide(services.guard, at, user):
                raise NotPermitted(NOT_YOURS)
            if version is not None:
                await services.answer_learning.use_version(at, version, by=user)
            state = await services.answer_learning.read_state(at)
            services.access_log.note(at.team, user, "answer learning", at.channel)
            return learning_blocks.learning(state, services.calendar.zone, metadata=metadata)

        return shown
