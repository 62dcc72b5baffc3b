"""Limits how often each Web API method may be called; the figures are in ../limits.py."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.sandbox.slack import limits

Key = tuple[str, ...]
READING = ("conversations.history", "conversations.replies")


class RateLimits:
    """How often each method may be called, over sliding windows: per workspace, some per channel as well.

    `figures` replaces the requests per minute and workspace of single methods, 0 leaves only the limit per
    channel; enabled False lets all pass. A refused request is not counted.
    """

    def __init__(
        self, clock: Callable[[], float], *, enabled: bool, figures: Mapping[str, int], distributed: bool
    ) -> None:
        self.clock, self.enabled, self.figures = clock, enabled, dict(figures)
        self.distributed = distributed
        self._seen: dict[Key, deque[float]] = {}

    def retry_after_s(self, team: str, method: str, arguments: Mapping[str, Any]) -> int:
        """0 when the request may pass (and is counted), else whole seconds until one may."""
        if not self.enabled:
            return 0
        now = self.clock()
        windows = list(self._windows(team, method, arguments))
        wait_s = max((self._wait_s(key, most, span_s, now) for key, most, span_s in windows), default=0)
        if not wait_s:
            for key, _, _ in windows:
                self._seen[key].append(now)
        return wait_s

    def _windows(
        self, team: str, method: str, arguments: Mapping[str, Any]
    ) -> Iterator[tuple[Key, int, float]]:
        """Every limit this request comes under: whose it is, how many, in how many seconds."""
        if argument := limits.ONE_A_SECOND_AND_CHANNEL.get(method):
            yield (team, method, str(arguments.get(argument))), 1, 1.0
        per_minute = self.figures.get(method, limits.METHODS[method].per_minute)
        if self.distributed and method in READING:
            per_minute = limits.DISTRIBUTED_PER_MINUTE
        if per_minute:
            yield (team, method), per_minute, 60.0

    def _wait_s(self, key: Key, most: int, span_s: float, now: float) -> int:
        seen = self._seen.setdefault(key, deque())
        while seen and now - seen[0] >= span_s:
            seen.popleft()
        return max(1, math.ceil(span_s - (now - seen[0]))) if len(seen) >= most else 0
