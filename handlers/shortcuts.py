"""Message shortcuts (the ⋮ menu)."""

from __future__ import annotations

from typing import Any

from bot.app import Services
from bot.conversation.turn import WISHES
from bot.core.values import Conversation
from handlers.slack import blocks
from handlers.slack.payloads import in_thread, team_of

DIRECT = "D"  # what the ids of direct conversations begin with
ALWAYS_ANSWERED = "Between the two of us I answer everything; write “stop” to end an answer."


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
        message, channel = body["message"], body["channel"]["id"]
        thread = message.get("thread_ts") or message["ts"]
        sentence = ALWAYS_ANSWERED
        if not channel.startswith(DIRECT):
            place = Conversation(team_of(body), channel, thread)
            sentence = WISHES["quiet" if await self._services.turns.turn_quiet(place) else "speak"]
        await respond(**blocks.ephemeral(sentence, [blocks.section(sentence)]), **in_thread(body))
