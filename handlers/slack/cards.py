"""A message of ours that stays and is changed: posted once, with an id in its metadata, and changed since.

Where an earlier attempt may have posted it, it is looked for first.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot.core.errors import SlackRefused
from handlers.slack.blocks import Block
from handlers.slack.client import SlackClient
from handlers.slack.own_messages import find_own, look_twice, read_id

log = logging.getLogger(__name__)

EARLIER_S = 60.0  # our clock and Slack's may differ so much


@dataclass(frozen=True, slots=True)
class StandingCard:
    """What a card shows. `kind` and `id` are its metadata; `since`: when it can have been posted first."""

    kind: str
    id: str
    text: str
    blocks: Sequence[Block]
    since: float


async def show_standing_card(
    slack: SlackClient, card: StandingCard, channel: str, *, message: str = "", thread: str = "", look: bool
) -> str:
    """Posts the card, or changes the `message` that it is; its ts, "" where Slack refuses for good."""
    if look and not message:
        message = await _find_posted(slack, card, channel, thread=thread)
    body: dict[str, Any] = {
        "channel": channel,
        "text": card.text,
        "blocks": list(card.blocks),
        "metadata": {"event_type": card.kind, "event_payload": {"id": card.id}},
    }
    try:
        if message:
            await slack.call("chat.update", ts=message, **body)
            return message
        where = {"thread_ts": thread} if thread else {}
        posted = await slack.call("chat.postMessage", unfurl_links=False, unfurl_media=False, **where, **body)
    except SlackRefused as exc:
        log.warning("a card cannot be shown: %s", exc.code)
        return ""
    return str(posted["ts"])


async def _find_posted(slack: SlackClient, card: StandingCard, channel: str, *, thread: str) -> str:
    """Where an earlier attempt put it, if it did."""

    async def look() -> str:
        async for message in find_own(slack, channel, thread, after=f"{card.since - EARLIER_S:.6f}"):
            if read_id(message) == card.id:
                return str(message["ts"])
        return ""

    try:
        return await look_twice(partial(look))
    except SlackRefused as exc:
        log.info("a card cannot be looked for: %s", exc.code)
        return ""
