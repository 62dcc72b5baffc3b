"""What becomes of an error that leaves a listener: one line in the log, a sentence for the person.

Bolt would take back the acknowledgement of a listener that fails right after it, and Slack would show a
warning sign that tells nobody anything.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from bot.errors import BotError
from handlers import blocks

log = logging.getLogger(__name__)


def telling(listener: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The listener, from which no error gets out. Bolt reads what to hand in off its arguments."""

    @wraps(listener)
    async def safe(**given: Any) -> None:
        try:
            await listener(**given)
        except Exception as exc:
            await _tell(exc, **given)

    return safe


async def _tell(error: Exception, *, ack: Any = None, respond: Any = None, **_: Any) -> None:
    if isinstance(error, BotError):
        log.info("a listener ended in %s", type(error).__name__)
    else:
        log.error("a listener failed", exc_info=error)
    if ack is not None:
        await ack()  # a second time, mostly, which changes nothing
    if respond is not None:
        said = error if isinstance(error, BotError) else BotError()
        await respond(**blocks.notice(said), replace_original=False)
