"""The beginning of a thread, read once for all who want it in the same question: what it began with
(handlers/voice/cards.py), and what was said in it (handlers/adapter.py).

Slack hands threads out from their beginning, few times a minute.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bot.core.values import Conversation
from handlers.slack.client import SlackClient

# Source: conversations.replies recommends at most 200 messages a page, allows 1,000.
FIRST_PAGE = 200
KEPT_S = 5.0  # so long what was read counts as what stands there
MOST_KEPT = 256

Page = dict[str, Any]


class ThreadStarts:
    """First pages of threads, up to a message in each."""

    def __init__(self, slack: SlackClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._slack = slack
        self._clock = clock
        self._kept: dict[tuple[str, str], tuple[float, Page]] = {}  # by channel and message: when it was read

    async def peek(self, place: Conversation, before: str) -> Page:
        """The page, kept for whoever reads on in a moment. SlackRefused, SlackUnavailable."""
        page = await self._read(place, before)
        now = self._clock()
        self._kept = {which: kept for which, kept in self._kept.items() if now - kept[0] < KEPT_S}
        if len(self._kept) < MOST_KEPT:
            self._kept[place.channel, before] = now, page
        return page

    async def take(self, place: Conversation, before: str) -> Page:
        """The page, read now unless it was a moment ago. SlackRefused, SlackUnavailable."""
        read_at, page = self._kept.pop((place.channel, before), (-KEPT_S, {}))
        return page if self._clock() - read_at < KEPT_S else await self._read(place, before)

    async def _read(self, place: Conversation, before: str) -> Page:
        return await self._slack.get(
            "conversations.replies",
            channel=place.channel,
            ts=place.thread,
            latest=before,
            limit=FIRST_PAGE,
        )
