"""Message shortcuts (the ⋮ menu)."""

from __future__ import annotations

from typing import Any

from bot.app import Services
from bot.conversation.turn import WISHES
from handlers.slack import blocks
from handlers.slack.payloads import in_thread
from handlers.slack.places import DIRECT, find_chosen_place

ALWAYS_ANSWERED = "Between the two of us I answer everything; write “stop” to end an answer."


class Shortcuts:
    """Listeners for message_action payloads."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def forget_thread(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Forgets what is stored of the thread the message stands in, for somebody who takes part in it."""
        await ack()
        place = find_chosen_place(self._services.settings, body)
        gone = await self._services.forgetting.forget_thread(place, body["user"]["id"])
        await respond(blocks.forgotten(gone))

    async def quiet_thread(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Has mentions alone answered in the thread the message stands in, or its posts again."""
        await ack()
        place, sentence = find_chosen_place(self._services.settings, body), ALWAYS_ANSWERED
        if not place.channel.startswith(DIRECT):
            sentence = WISHES["quiet" if await self._services.turns.turn_quiet(place) else "speak"]
        await respond(**blocks.ephemeral(sentence, [blocks.section(sentence)]), **in_thread(body))
