"""Listeners of the list of unanswered questions: opened from the channel's settings, and what is done about
one.

Who may is asked of Slack each time something is opened or pressed.
"""

from __future__ import annotations

from typing import Any

from bot.app import Services
from bot.core.errors import NotPermitted
from handlers.adapter import SlackChat
from handlers.channel.listeners import NOT_YOURS
from handlers.slack import modals
from handlers.slack.modals import View
from handlers.slack.payloads import team_of
from handlers.unanswered import blocks
from storage.place import Channel


class UnansweredWindow:
    """One for the whole process."""

    def __init__(self, services: Services, chat: SlackChat) -> None:
        self._services = services
        self._chat = chat

    async def open(self, ack: Any, body: dict[str, Any]) -> None:
        """Shows what could not be answered in the channel that the settings are about."""
        await ack()
        at, user = _channel(body), body["user"]["id"]

        async def found() -> View:
            return await self._list(at, user)

        await modals.open_window(self._chat.slack, body["trigger_id"], found, on_top=True)

    async def close_as_not_ours(self, ack: Any, body: dict[str, Any]) -> None:
        """Takes questions off the list that are not for the channel to answer."""
        await ack()
        at, user = _channel(body), body["user"]["id"]
        topic = int(body["actions"][0]["value"])

        async def left() -> View:
            await self._check(at, user)
            await self._services.unanswered.close_as_not_ours(at, topic, by=user)
            return await self._list(at, user)

        await modals.fill_window(self._chat.slack, body["view"]["id"], left)

    async def _list(self, at: Channel, user: str) -> View:
        await self._check(at, user)
        topics = await self._services.unanswered.list_topics(at)
        self._services.access_log.note(at.team, user, "unanswered questions", at.channel)
        return blocks.list_window(at, topics)

    async def _check(self, at: Channel, user: str) -> None:
        if not await self._chat.permissions.may_decide(self._services.guard, at, user):
            raise NotPermitted(NOT_YOURS)


def _channel(body: dict[str, Any]) -> Channel:
    """The channel that a window is about; whether it is theirs to see is asked each time."""
    return Channel(team_of(body), blocks.read_channel(body["view"]))
