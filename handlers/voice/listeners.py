"""The buttons of a clip card: correct what was heard and ask again, translate, forget."""

from __future__ import annotations

from typing import Any

from bot.app import Services
from bot.core.errors import BotError
from handlers.adapter import SlackChat
from handlers.slack.mrkdwn import escape
from handlers.voice import modal


class ClipActions:
    """Listeners for a card's buttons and its modal. Whatever cannot be done is said, to whoever pressed."""

    def __init__(self, services: Services, chat: SlackChat) -> None:
        self._services = services
        self._chat = chat

    async def edit(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Opens what was heard, to be corrected by the person who said it and answered again."""
        await ack()
        id = body["actions"][0]["value"]
        card = await self._services.clips.read_card(id, body["user"]["id"])
        view = modal.correction_modal(card, id)
        await self._chat.slack.call("views.open", trigger_id=body["trigger_id"], view=view)

    async def correct(self, ack: Any, body: dict[str, Any]) -> None:
        """The corrected words take the place of what was heard, and are answered."""
        await ack()
        view, user = body["view"], body["user"]["id"]
        id, clips = view["private_metadata"], self._services.clips
        try:
            if words := modal.read_correction(view, await clips.read_card(id, user)):
                await clips.correct_clip(id, user, words, asking=view["id"])
        except BotError as exc:
            await self._chat.tell(user, escape(exc.notice))

    async def translate(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Puts English beside what was heard."""
        await ack()
        await self._services.clips.translate_clip(body["actions"][0]["value"], body["user"]["id"])

    async def forget(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Erases what was heard, here and in Slack, after Slack has asked twice."""
        await ack()
        await self._services.clips.forget_clip(body["actions"][0]["value"], body["user"]["id"])
