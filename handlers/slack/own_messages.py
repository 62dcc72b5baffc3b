"""Finds our own messages in a thread or a direct conversation."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from bot.core.errors import SlackError, SlackRefused
from handlers.slack.blocks import FORGET_CLIP, without_buttons
from handlers.slack.client import SlackClient

log = logging.getLogger(__name__)

T = TypeVar("T")

THREAD_GONE = "thread_not_found"  # Slack's code, also for a thread that it cannot show yet
# Slack's readers may lag behind its writers: after so long most posts can be found, and after so long all.
LOOK_AFTER_S, HISTORY_LAG_S = 1.0, 6.0
PAGE_LIMIT = 200  # Source: conversations.replies recommends at most 200, allows 1,000


def read_id(message: dict[str, Any]) -> str:
    """The id of ours that a message carries: of the reply or card that it belongs to."""
    payload = (message.get("metadata") or {}).get("event_payload") or {}
    return str(payload.get("id") or "")


def is_card(message: dict[str, Any]) -> bool:
    """Whether a message in Slack is a clip card: it repeats what a person said."""
    elements = [e for block in message.get("blocks") or () for e in block.get("elements") or ()]
    return any(element.get("action_id") == FORGET_CLIP for element in elements)


async def read_message(slack: SlackClient, channel: str, thread: str, ts: str) -> dict[str, Any] | None:
    """One message of a thread as it stands there; None when it is gone, or Slack does not tell now."""
    try:
        page = await slack.get(
            "conversations.replies",
            channel=channel,
            ts=thread,
            oldest=ts,
            latest=ts,
            inclusive="true",
            include_all_metadata="true",
            limit=PAGE_LIMIT,
        )
    except SlackError as exc:
        log.info("a message cannot be looked at: %s", exc)
        return None
    return next((message for message in page.get("messages") or () if message["ts"] == ts), None)


async def remove_buttons(slack: SlackClient, channel: str, thread: str, ts: str, *pressed: str) -> None:
    """Takes buttons off a message of ours: what they do they do once. Where Slack refuses that, they stay."""
    message = await read_message(slack, channel, thread, ts)
    before = (message or {}).get("blocks") or []
    left = without_buttons(before, *pressed)
    if message and left != before:
        body = {"text": message["text"], "blocks": left, "metadata": message.get("metadata") or {}}
        await slack.try_call("chat.update", channel=channel, ts=ts, **body)


async def wait_for_readers(since: float) -> None:
    """Until what was posted then (on the monotonic clock) can be read, however late readers are."""
    await asyncio.sleep(max(since + HISTORY_LAG_S - time.monotonic(), 0.0))


async def look_twice(look: Callable[[], Awaitable[T]]) -> T:
    """What `look` finds in a thread; where that is nothing, what it finds when Slack shows all that is there.
    SlackRefused."""
    began = time.monotonic()
    try:
        if found := await look():
            return found
    except SlackRefused as exc:
        if exc.code != THREAD_GONE:
            raise
    await wait_for_readers(began)
    return await look()


async def find_own(
    slack: SlackClient, channel: str, thread: str, *, after: str
) -> AsyncIterator[dict[str, Any]]:
    """Our own messages since a person's, with their metadata; of a thread, or outside of any ("")."""
    await asyncio.sleep(LOOK_AFTER_S)
    method, which = ("conversations.replies", {"ts": thread}) if thread else ("conversations.history", {})
    we = await slack.find_bot_user()
    cursor = ""
    while True:
        page = await slack.get(
            method,
            channel=channel,
            **which,
            oldest=after,
            include_all_metadata="true",
            limit=PAGE_LIMIT,
            **({"cursor": cursor} if cursor else {}),
        )
        for message in page.get("messages") or ():
            if message.get("user") == we and float(message["ts"]) > float(after):
                yield message
        cursor = (page.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return


async def list_own(slack: SlackClient, direct: str, id: str, *, after: float) -> list[dict[str, Any]]:
    """What we wrote to somebody directly since then (unix seconds). Slack may not show yet what was posted a
    moment ago: without the message of that id it is looked at once more."""
    began = time.monotonic()
    for look in range(2):
        if look:
            await wait_for_readers(began)
        found = [message async for message in find_own(slack, direct, "", after=f"{after:.6f}")]
        if id in map(read_id, found):
            break
    return found
