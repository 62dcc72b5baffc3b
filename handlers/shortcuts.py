"""Message shortcuts (the ⋮ menu)."""

from __future__ import annotations

from typing import Any

from bot.app import Services
from bot.core.values import Conversation
from handlers.slack import blocks
from handlers.slack.payloads import team_of


class Shortcuts:
    """Listeners for message_action payloads."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def forget_thread(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Forgets what is stored of the thread the message stands in, for somebody who takes part in it."""
        await ack()
        message = body["message"]
        thread = message.get("thread_ts") or message["ts"]
        conversation = Conversation(team_of(body), body["channel"]["id"], thread)
        gone = await self._services.forgetting.forget_thread(conversation, body["user"]["id"])
        await respond(blocks.forgotten(gone))
