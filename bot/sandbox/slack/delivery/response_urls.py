"""Gives out response_urls and takes what the app posts to them.

One comes with every command and interaction, good for five answers within 30 minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.sandbox.slack import codes, limits
from bot.sandbox.slack.api.blocks import SlackRefusal
from bot.sandbox.slack.api.chat import erase, note_change, post, read_contents, show_ephemeral
from bot.sandbox.slack.delivery import events
from bot.sandbox.slack.state import Workspace


@dataclass(slots=True)
class _ResponseUrl:
    ws: Workspace
    channel: str
    user: str
    at: float
    ts: str = ""  # the message the interaction came from
    ephemeral: bool = False
    uses: int = 0


class ResponseUrls:
    """Every address given out, by its last part."""

    def __init__(self) -> None:
        self._given: dict[str, _ResponseUrl] = {}

    def new(
        self, ws: Workspace, channel: str, user: str, *, kind: str, ts: str = "", ephemeral: bool = False
    ) -> str:
        """An address. kind: commands, actions or app, as in Slack's own."""
        key = ws.ids.new("url", 6)
        self._given[key] = _ResponseUrl(ws, channel, user, ws.clock(), ts, ephemeral)
        if len(self._given) > 10_000:
            del self._given[next(iter(self._given))]
        return f"{ws.host}/{kind}/{ws.team}/{key}"

    def use(self, key: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """(HTTP status, answer) of a post to an address."""
        given = self._given.get(key)
        if given is None:
            return 404, {"ok": False, "error": codes.INVALID_URL}
        if given.ws.clock() - given.at > limits.RESPONSE_URL_LIFE_S:
            return 404, {"ok": False, "error": codes.EXPIRED_URL}
        if given.uses >= limits.RESPONSE_URL_USES:
            return 404, {"ok": False, "error": codes.USED_URL}
        given.uses += 1
        try:
            self._act(given, body)
        except SlackRefusal as refusal:
            return 500 if refusal.code == codes.NO_TEXT else 400, refusal.answer
        return 200, {"ok": True}

    def _act(self, given: _ResponseUrl, body: dict[str, Any]) -> None:
        if body.get("delete_original"):
            self._remove(given)
        elif body.get("replace_original") and given.ts:
            self._replace(given, body)
        else:
            self.show_answer(given.ws, given.channel, given.user, body)

    @staticmethod
    def _remove(given: _ResponseUrl) -> None:
        ws = given.ws
        if given.ephemeral:
            ws.ephemerals[:] = [e for e in ws.ephemerals if e["message"]["ts"] != given.ts]
            ws.publish(
                {"type": "ephemeral_deleted", "channel": given.channel, "only": given.user, "ts": given.ts}
            )
            return
        channel = ws.channels[given.channel]
        if given.ts in channel.messages:
            erase(ws, channel, channel.messages[given.ts])

    @staticmethod
    def _replace(given: _ResponseUrl, body: dict[str, Any]) -> None:
        ws = given.ws
        text, blocks = read_contents(body)
        channel = ws.channels[given.channel]
        if given.ephemeral:
            shown = next((e for e in ws.ephemerals if e["message"]["ts"] == given.ts), None)
            if shown:
                shown["message"] |= {"text": text, "blocks": blocks or []}
                ws.publish(
                    {
                        "type": "ephemeral",
                        "channel": channel.id,
                        "only": given.user,
                        "message": shown["message"],
                    }
                )
            return
        message = channel.messages.get(given.ts)
        if message is not None:
            before = dict(message)
            message |= {"text": text, "blocks": blocks or []}
            note_change(ws, channel, message, before)

    @staticmethod
    def show_answer(ws: Workspace, channel_id: str, user: str, body: dict[str, Any]) -> None:
        """Show what the app answered: to the person alone, unless it asked for in_channel."""
        text, blocks = read_contents({k: v for k, v in body.items() if k != "markdown_text"})
        channel = ws.channels[channel_id]
        if body.get("response_type") != "in_channel":
            show_ephemeral(ws, channel, user, text, blocks, body.get("thread_ts", ""))
            return
        message = events.bot_message(ws, ws.ts(), text)
        if blocks:
            message["blocks"] = blocks
        if body.get("thread_ts"):
            message["thread_ts"] = body["thread_ts"]
        post(ws, channel, message)
