"""Listeners of the list of unanswered questions, and of what is done about one of them.

It opens from the channel's settings, and by `/parley knowledge unanswered`. Who may is asked of Slack each
time something is opened or pressed.
"""

from __future__ import annotations

from typing import Any

from bot.app import Services
from bot.core.errors import Missing, NotPermitted
from bot.unanswered.service import Topic
from handlers.adapter import SlackChat
from handlers.channel.listeners import NOT_YOURS
from handlers.knowledge import windows
from handlers.knowledge.rights import kind_at
from handlers.knowledge.windows import WindowPlace
from handlers.slack import modals
from handlers.slack.blocks import count
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
        await self._open(_channel(body), body["user"]["id"], body["trigger_id"], on_top=True)

    async def open_here(self, body: dict[str, Any]) -> None:
        """The list of the channel in which the command was given."""
        at = Channel(team_of(body), body["channel_id"])
        await self._open(at, body["user_id"], body["trigger_id"], on_top=False)

    async def _open(self, at: Channel, user: str, trigger: str, *, on_top: bool) -> None:
        async def found() -> View:
            return await self._list(at, user)

        await modals.open_window(self._chat.slack, trigger, found, on_top=on_top)

    # What is done about a topic

    async def add(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens the form for a file that answers a question of the list."""
        await ack()
        at, user = _channel(body), body["user"]["id"]

        async def form() -> View:
            place = WindowPlace(at.channel, repairs=(await self._find(at, body, user)).id)
            return windows.file_form(place, kind=kind_at(at.channel))

        await modals.open_window(self._chat.slack, body["trigger_id"], form, on_top=True)

    async def write(self, ack: Any, body: dict[str, Any]) -> None:
        """Opens the form for a text that answers a question of the list, with the question as its title."""
        await ack()
        at, user = _channel(body), body["user"]["id"]

        async def form() -> View:
            topic = await self._find(at, body, user)
            place = WindowPlace(at.channel, repairs=topic.id)
            title = " ".join(topic.meant.split())[: windows.TITLE_MOST]
            return windows.text_form(place, kind=kind_at(at.channel), title=title)

        await modals.open_window(self._chat.slack, body["trigger_id"], form, on_top=True)

    async def ask_again(self, ack: Any, body: dict[str, Any]) -> None:
        """Has the questions asked again, now that documents or settings are others."""
        await ack()
        at, user = _channel(body), body["user"]["id"]

        async def asked() -> View:
            await self._check(at, user)
            number = await self._services.repairs.ask_again(at, _pressed(body), by=user)
            return await self._list(at, user, note=blocks.tell_asked(number))

        await modals.fill_window(self._chat.slack, body["view"]["id"], asked)

    async def close_as_not_ours(self, ack: Any, body: dict[str, Any]) -> None:
        """Takes questions off the list that are not for the channel to answer."""
        await ack()
        at, user = _channel(body), body["user"]["id"]

        async def left() -> View:
            await self._check(at, user)
            shared = await self._chat.permissions.is_shared(at.channel)
            closed = await self._services.unanswered.close_as_not_ours(
                at, _pressed(body), by=user, shared=shared
            )
            return await self._list(at, user, note=f"Taken off the list: {count(len(closed), 'question')}.")

        await modals.fill_window(self._chat.slack, body["view"]["id"], left)

    async def _find(self, at: Channel, body: dict[str, Any], user: str) -> Topic:
        """The topic whose button was pressed. Missing when it is not open any more."""
        await self._check(at, user)
        for topic in await self._services.unanswered.list_topics(at):
            if topic.id == _pressed(body):
                return topic
        raise Missing("the question")

    async def _list(self, at: Channel, user: str, *, note: str = "") -> View:
        await self._check(at, user)
        topics = await self._services.unanswered.list_topics(at)
        self._services.access_log.note(at.team, user, "unanswered questions", at.channel)
        return blocks.list_window(at, topics, self._services.calendar.zone, note=note)

    async def _check(self, at: Channel, user: str) -> None:
        if not await self._chat.permissions.may_decide(self._services.guard, at, user):
            raise NotPermitted(NOT_YOURS)


def _pressed(body: dict[str, Any]) -> int:
    return int(body["actions"][0]["value"])


def _channel(body: dict[str, Any]) -> Channel:
    """The channel that a window is about; whether it is theirs to see is asked each time."""
    return Channel(team_of(body), blocks.read_channel(body["view"]))
