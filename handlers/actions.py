"""Buttons under a reply: was it good, and try again."""

from __future__ import annotations

from typing import Any

from bot.app import Services
from bot.core.values import Conversation
from bot.guard.service import StoredVerdict
from handlers.adapter import SlackChat
from handlers.guard import blocks as guard_blocks
from handlers.slack import blocks
from handlers.slack.own_messages import remove_buttons
from handlers.slack.payloads import in_thread, team_of
from storage.place import Channel


class Actions:
    """Listeners for block_actions."""

    def __init__(self, services: Services, chat: SlackChat) -> None:
        self._services = services
        self._chat = chat

    async def feedback(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Keeps whether one person liked one reply; pressing again changes it."""
        await ack()
        verdict, _, reply_id = body["actions"][0]["value"].partition(":")
        team, user = team_of(body), body["user"]["id"]
        await self._services.feedback.rate(reply_id, team, user, good=verdict == "1")
        doubted = None if verdict == "1" else await self._services.guard.find_verdict_behind(team, reply_id)
        if doubted and doubted.text and doubted.label is None and await self._may_judge(doubted, team, user):
            question = guard_blocks.doubt(doubted.verdict.id, on_topic=doubted.verdict.on_topic)
            shown = blocks.ephemeral("Does it belong here?", question)
            await respond(**shown, replace_original=False, **in_thread(body))

    async def _may_judge(self, judged: StoredVerdict, team: str, user: str) -> bool:
        if user == judged.asker:
            return True
        at = Channel(team, judged.channel)
        return await self._chat.permissions.may_decide(self._services.guard, at, user)

    async def retry(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Tries a failed answer once more, for the asker."""
        await ack()
        await self._services.turns.retry(body["actions"][0]["value"], body["user"]["id"])
        await self._remove_pressed(body)

    async def follow_up(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Answers again, shorter or longer, or goes on where the answer was cut."""
        await ack()
        pressed, message = body["actions"][0], body["message"]
        place = Conversation(team_of(body), body["channel"]["id"], message.get("thread_ts") or message["ts"])
        await self._services.turns.follow_up(
            pressed["value"], pressed["action_id"], place, message=message["ts"], user=body["user"]["id"]
        )
        await self._remove_pressed(body)

    async def _remove_pressed(self, body: dict[str, Any]) -> None:
        message, pressed = body["message"], body["actions"][0]["action_id"]
        thread = message.get("thread_ts") or message["ts"]
        await remove_buttons(self._chat.slack, body["channel"]["id"], thread, message["ts"], pressed)

    async def forget_all(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Erases what a person said to us, after Slack has asked them twice."""
        await ack()
        erased = await self._services.forgetting.forget_person(
            team_of(body), body["user"]["id"], by=body["user"]["id"]
        )
        await respond(blocks.forgotten(erased), replace_original=True)
