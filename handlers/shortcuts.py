"""Message shortcuts (the ⋮ menu)."""

from __future__ import annotations

from typing import Any

from bot.app import Services
from bot.core.values import Conversation
from handlers.slack import blocks
from handlers.slack.payloads import in_thread, team_of

NOW_QUIET = "In this thread I answer only when somebody mentions me. Use the menu again to undo this."
SPEAKS_AGAIN = "I answer in this thread again."


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

    async def quiet_thread(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Has mentions alone answered in the thread the message stands in, or its posts again."""
        await ack()
        message = body["message"]
        thread = message.get("thread_ts") or message["ts"]
        quiet = await self._services.turns.turn_quiet(
            Conversation(team_of(body), body["channel"]["id"], thread)
        )
        sentence = NOW_QUIET if quiet else SPEAKS_AGAIN
        await respond(**blocks.ephemeral(sentence, [blocks.section(sentence)]), **in_thread(body))
