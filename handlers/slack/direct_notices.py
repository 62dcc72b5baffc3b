"""Messages to one person that they did not ask for, each given once: its id says which notice it is."""

from __future__ import annotations

import logging
from typing import Any

from bot.core.errors import SlackRefused
from handlers.slack.blocks import Block
from handlers.slack.client import SlackClient
from handlers.slack.own_messages import list_own, read_id

log = logging.getLogger(__name__)

METADATA = "parley_notice"


async def post_notice(
    slack: SlackClient,
    person: str,
    id: str,
    text: str,
    shown: list[Block],
    *,
    since: float,
    look: bool,
) -> tuple[str, list[dict[str, Any]]]:
    """One message in somebody's direct messages: their id, or "" where Slack refuses for good. `look`: an
    earlier process, or a request whose answer was lost, may have given it since then (unix seconds); so
    what we said there since is read first, and returned."""
    there: list[dict[str, Any]] = []
    try:
        direct = str((await slack.call("conversations.open", users=person))["channel"]["id"])
        if look:
            there = await _find_given(slack, direct, id, since)
        if id not in map(read_id, there):
            await slack.call(
                "chat.postMessage",
                channel=direct,
                text=text,
                unfurl_links=False,
                unfurl_media=False,
                metadata={"event_type": METADATA, "event_payload": {"id": id}},
                **({"blocks": shown} if shown else {}),
            )
    except SlackRefused as exc:
        log.warning("a notice was refused: %s", exc.code)
        return "", there
    return direct, there


async def _find_given(slack: SlackClient, direct: str, id: str, since: float) -> list[dict[str, Any]]:
    """Our messages there since then. Where Slack does not show them: none, so that a notice is rather given
    twice than never."""
    try:
        return await list_own(slack, direct, id, after=since)
    except SlackRefused as exc:
        log.warning("direct messages cannot be read: %s", exc.code)
        return []
