"""Limits how often each Web API method may be called; the figures are in ../limits.py."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from bot.sandbox.slack import limits


class RateLimits:
    """How often each method may be called, per workspace, over a sliding minute.

    `figures` replaces the published requests per minute of single methods; enabled False lets all pass.
    """

    def __init__(
        self, clock: Callable[[], float], *, enabled: bool, figures: Mapping[str, int], distributed: bool
    ) -> None:
        self.clock, self.enabled, self.figures = clock, enabled, dict(figures)
        self.distributed = distributed
        self._seen: dict[tuple[str, ...], deque[float]] = {}

    def retry_after_s(self, team: str, method: str, arguments: dict[str, Any]) -> int:
        """0 when the request may pass (and is counted), else whole seconds until one may."""
        if not self.enabled:
            return 0
        if method == "chat.postMessage":
            key = (team, method, str(arguments.get("channel")))
            return self._take(key, limits.POSTS_PER_SECOND_AND_CHANNEL, 1.0)
        per_minute = self.figures.get(method, limits.METHODS[method].per_minute)
        if self.distributed and method in ("conversations.history", "conversations.replies"):
            per_minute = limits.DISTRIBUTED_PER_MINUTE
        return self._take((team, method), per_minute, 60.0) if per_minute else 0

    def _take(self, key: tuple[str, ...], most: int, span_s: float) -> int:
        now = self.clock()
        seen = self._seen.setdefault(key, deque())
        while seen and now - seen[0] >= span_s:
            seen.popleft()
        if len(seen) >= most:
            return max(1, math.ceil(span_s - (now - seen[0])))
        seen.append(now)
        return 0
