"""Modals: opened at once, because a trigger lasts three seconds, and filled when it is known with what.

Source: https://docs.slack.dev/surfaces/modals
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from bot.core.errors import BotError, SlackError
from handlers.slack.blocks import Block, escape_notice, section
from handlers.slack.client import SlackClient

log = logging.getLogger(__name__)

View = dict[str, Any]
Fill = Callable[[], Awaitable[View]]

TITLE = 24  # characters
WAIT = "One moment…"


def window(title: str, blocks: list[Block], **more: Any) -> View:
    """A modal. `more`: submit, callback_id, private_metadata."""
    return {
        "type": "modal",
        "title": plain_text(title[:TITLE]),
        "close": plain_text("Close"),
        "blocks": blocks,
        **more,
    }


def message_window(sentence: str) -> View:
    """A modal with one sentence."""
    return window("Parley", [section(sentence)])


def plain_text(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


async def open_window(slack: SlackClient, trigger: str, fill: Fill, *, on_top: bool = False) -> None:
    """Opens a window, on top of the one that is open if wanted, and shows what `fill` finds, or why not."""
    method = "views.push" if on_top else "views.open"
    try:
        opened = await slack.call(method, trigger_id=trigger, view=message_window(WAIT))
    except SlackError as exc:  # the person waited too long, or closed it
        log.info("%s not done: %s", method, exc)
        return
    await fill_window(slack, opened["view"]["id"], fill)


async def fill_window(slack: SlackClient, view: str, fill: Fill) -> None:
    """Shows in an open window what `fill` finds, or why not. Nobody is left with a window that waits."""
    try:
        found = await fill()
    except Exception as exc:
        error = exc if isinstance(exc, BotError) else BotError()
        await slack.try_call("views.update", view_id=view, view=message_window(escape_notice(error)))
        if error is not exc:
            raise
    else:
        await slack.try_call("views.update", view_id=view, view=found)
