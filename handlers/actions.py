"""Buttons under a reply: was it good, and try again."""

from __future__ import annotations

from typing import Any

from bot.app import Services
from bot.errors import BotError
from handlers import blocks


class Actions:
    """Listeners for block_actions."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def feedback(self, ack: Any, body: dict[str, Any]) -> None:
        """👍 or 👎 of one person for one reply; pressing again changes it."""
        await ack()
        verdict, _, reply_id = body["actions"][0]["value"].partition(":")
        await self._services.feedback(reply_id, body["team"]["id"], body["user"]["id"], good=verdict == "1")

    async def retry(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """One more attempt at a failed answer, once, by the asker."""
        await ack()
        try:
            await self._services.turns.retry(body["actions"][0]["value"], body["user"]["id"])
        except BotError as exc:
            await respond(exc.notice, replace_original=False)

    async def forget_all(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Erases what a person said to us, after Slack has asked them twice."""
        await ack()
        erased = await self._services.forget_person(body["team"]["id"], body["user"]["id"])
        await respond(blocks.forgotten(erased), replace_original=True)
