"""Errors of listeners and deliveries: each becomes a log line, and a sentence for the person.

Bolt would take back the acknowledgement of a listener that fails right after it, and Slack would show a
warning sign that tells nobody anything.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from slack_bolt.response import BoltResponse

from bot.core.errors import BotError
from handlers.slack import blocks
from handlers.slack.payloads import in_thread

# What reading a delivery of a shape that Slack does not send ends in.
WRONG_SHAPE = (AttributeError, LookupError, OverflowError, RecursionError, TypeError)
log = logging.getLogger(__name__)


def report_errors(listener: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The listener, wrapped: an error is reported to the person. Bolt reads its arguments' names."""

    @wraps(listener)
    async def safe(**given: Any) -> None:
        try:
            await listener(**given)
        except Exception as exc:
            await _report(exc, **given)

    return safe


async def answer_undelivered(error: Exception) -> BoltResponse:
    """What Slack is answered when a delivery was not even handed to a listener. It sends what we refuse with
    500 once more."""
    # Bolt reads a delivery to find its listener before anybody has checked the shape.
    if isinstance(error, WRONG_SHAPE):
        log.warning("a delivery of a shape that Slack does not send: %s", type(error).__name__)
        return BoltResponse(status=400, body="")
    log.error("a delivery could not be taken in", exc_info=error)
    return BoltResponse(status=500, body="")


async def _report(
    error: Exception, *, ack: Any = None, respond: Any = None, body: Any = None, **_: Any
) -> None:
    if isinstance(error, BotError):
        log.info("a listener ended in %s", type(error).__name__)
    else:
        log.error("a listener failed", exc_info=error)
    if ack is not None:
        await ack()  # a second time, mostly, which changes nothing
    if respond is not None:
        shown = error if isinstance(error, BotError) else BotError()
        await respond(**blocks.notice(shown), replace_original=False, **in_thread(body or {}))
