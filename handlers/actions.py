"""Buttons under a reply: was it good, and try again."""

from __future__ import annotations

from typing import Any

from bot.app import Services
from bot.guard.service import StoredVerdict
from handlers.adapter import SlackChat
from handlers.guard import blocks as guard_blocks
from handlers.slack import blocks
from handlers.slack.payloads import team_of
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
            await respond(**blocks.ephemeral("Does it belong here?", question), replace_original=False)

    async def _may_judge(self, judged: StoredVerdict, team: str, user: str) -> bool:
        if user == judged.asker:
            return True
        at = Channel(team, judged.channel)
        return await self._chat.permissions.may_decide(self._services.guard, at, user)

    async def retry(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Tries a failed answer once more, for the asker."""
        await ack()
        await self._services.turns.retry(body["actions"][0]["value"], body["user"]["id"])

    async def forget_all(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Erases what a person said to us, after Slack has asked them twice."""
        await ack()
        erased = await self._services.forgetting.forget_person(
            team_of(body), body["user"]["id"], by=body["user"]["id"]
        )
        await respond(blocks.forgotten(erased), replace_original=True)
