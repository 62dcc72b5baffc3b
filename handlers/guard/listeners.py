"""Listeners for verdicts of the guard: the buttons that overturn one.

Whoever looks after a channel decides: the label is learned at once, and what was wrongly refused is answered.
The asker can press too; then those who look after the channel get the question.
"""

from __future__ import annotations

from typing import Any

from bot.app import Services
from bot.core.errors import BotError, NotPermitted
from bot.guard.service import StoredVerdict
from handlers.adapter import SlackChat
from handlers.guard import blocks as guard_blocks
from handlers.guard.record import GuardRecord
from handlers.slack import blocks, modals, own_messages
from handlers.slack.blocks import SHOULD_ANSWER, SHOULD_REFUSE
from handlers.slack.mrkdwn import escape
from handlers.slack.payloads import in_thread, team_of
from storage.place import Channel

NOBODY_ELSE = "a verdict is for the person who asked and those who look after the channel"
LEARNED = (
    "Thank you: that is learned now, for {place} and everything like it. The message is an example by which "
    "I judge later ones there; it goes when its author has me forget it."
)
NOT_LEARNED = (
    "Thank you: that counts for this message in {place}. I learn nothing from it, because it comes from a "
    "guest or another company, or repeats what others wrote."
)
CONTRADICTS = (
    "Thank you. That contradicts what the settings of {place} name as {does}: “{against}”. So it counts "
    "for these very words alone; change the settings if it should count for everything like it."
)
SHOWN = 200  # characters of an example
ANSWERED = " The question is being answered."
ASKED = "Thank you. I have asked those who look after the channel."
ASKED_TO_TEACH = f"{ASKED} If they agree, I learn from your message."
ASKED_BEFORE = "That was asked, or decided, before."
NOBODY = "Nobody looks after this channel yet. An admin can name somebody: `/parley owner @name`."


class Verdicts:
    """Listeners for the two buttons that overturn a verdict."""

    def __init__(self, services: Services, chat: SlackChat, record: GuardRecord) -> None:
        self._services = services
        self._chat = chat
        self._record = record

    async def overrule(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Overturns a verdict, for the channel's owner; for the asker, asks the owner to."""
        await ack()
        action = body["actions"][0]
        try:
            text = await self._overrule(
                team_of(body),
                int(action["value"]),
                action["action_id"] == SHOULD_ANSWER,
                user=body["user"]["id"],
            )
        except BotError as exc:
            text = exc.notice
        await self._show(text, body, respond)

    async def _overrule(self, team: str, id: int, on_topic: bool, *, user: str) -> str:
        """The sentence that tells what came of it. Missing without a verdict, NotPermitted for others."""
        judged = await self._services.guard.read_verdict(team, id)
        if await self._decides(team, judged, user):
            answered = await self._services.feedback.overrule(team, id, on_topic, by=user)
            await self._remove_button(judged)
            return await self._describe_learned(team, judged, on_topic) + (ANSWERED if answered else "")
        if user != judged.asker:
            raise NotPermitted(NOBODY_ELSE)
        return await self._appeal(team, judged)

    async def _describe_learned(self, team: str, judged: StoredVerdict, on_topic: bool) -> str:
        place = f"<#{judged.channel}>"
        if not await self._services.guard.may_teach(judged):
            return NOT_LEARNED.format(place=place)
        against = await self._services.guard.find_opposite(
            Channel(team, judged.channel), judged.text, on_topic=on_topic
        )
        if not against:
            return LEARNED.format(place=place)
        does = "belonging" if not on_topic else "not belonging"
        return CONTRADICTS.format(place=place, does=does, against=escape(against[:SHOWN]))

    async def _remove_button(self, judged: StoredVerdict) -> None:
        """Takes the button off the reply."""
        shown = await self._services.guard.find_shown_reply(judged)
        if shown is None:
            return
        place, ts = shown
        buttons = (SHOULD_ANSWER, SHOULD_REFUSE)
        await own_messages.remove_buttons(self._chat.slack, place.channel, place.thread, ts, *buttons)

    async def _appeal(self, team: str, judged: StoredVerdict) -> str:
        guard = self._services.guard
        named = await guard.list_owners(Channel(team, judged.channel))
        keepers = await self._chat.permissions.list_deciders(judged.channel, named=named)
        if not keepers:
            return NOBODY
        if not await guard.appeal(team, judged.verdict.id, by=judged.asker):
            return ASKED_BEFORE
        may_teach = await guard.may_teach(judged)
        shown = guard_blocks.appeal(judged, may_teach=may_teach)
        for keeper in keepers:
            await self._chat.tell(keeper, "Somebody disagrees with me.", shown)
        return ASKED_TO_TEACH if may_teach else ASKED

    async def _decides(self, team: str, judged: StoredVerdict, user: str) -> bool:
        at = Channel(team, judged.channel)
        return await self._chat.permissions.may_decide(self._services.guard, at, user)

    async def _show(self, text: str, body: dict[str, Any], respond: Any) -> None:
        """Answers where the button was: in its window, or beside its message."""
        view = body.get("view")
        if view is None:
            shown = blocks.ephemeral(text, [blocks.section(text)])
            await respond(**shown, replace_original=False, **in_thread(body))
        elif view["callback_id"] == guard_blocks.RECORD:
            await self._record.refresh(body)
        else:
            await self._chat.slack.try_call(
                "views.update", view_id=view["id"], view=modals.message_window(text)
            )
