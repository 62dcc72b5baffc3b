"""Keeps requests under Slack's rate limits.

Reserving is cheap and never waits: the caller learns how long to wait and decides whether to sleep or to give
its place back. One Pacing serves one workspace; `off()` is for servers without limits.
"""

from __future__ import annotations

import time
from collections.abc import Callable

# Source: https://docs.slack.dev/apis/web-api/rate-limits and the methods' own pages.
POST_SPACING_S = 1.0  # chat.postMessage: about one per second and channel
APPENDS_PER_MINUTE = 100  # chat.appendStream is Tier 4
APPEND_STEP_S = 1.0  # no reader needs more than one refresh a second
CHANNELS_KEPT = 1000
ROOM_FOR_OTHERS = 0.8  # of each tier we plan for; the rest is for retries and other users of the token


class RateBucket:
    """A token bucket: `per_minute` on average, as many at once."""

    def __init__(self, per_minute: float, clock: Callable[[], float]) -> None:
        self._rate = per_minute / 60
        self._most = per_minute
        self._level = per_minute
        self._clock = clock
        self._at = clock()

    def take(self) -> bool:
        now = self._clock()
        self._level = min(self._most, self._level + (now - self._at) * self._rate)
        self._at = now
        if self._level < 1:
            return False
        self._level -= 1
        return True

    def empty(self) -> None:
        """Takes all that is left, after Slack said no."""
        self._level = 0.0


class Pacing:
    """What may be sent now, per method and channel. `streams_per_minute` 0 means: no limits."""

    def __init__(self, streams_per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._unlimited = streams_per_minute == 0
        self.streams = RateBucket(streams_per_minute * ROOM_FOR_OTHERS, clock)
        self.appends = RateBucket(APPENDS_PER_MINUTE * ROOM_FOR_OTHERS, clock)
        self._next_post: dict[str, float] = {}  # by channel: when its next place is
        self._places: dict[str, float] = {}  # by reply: the place it was given

    def may_stream(self) -> bool:
        return self._unlimited or self.streams.take()

    def may_append(self) -> bool:
        return self._unlimited or self.appends.take()

    def wait_to_post_s(self, channel: str, reply: str) -> float:
        """How long until this reply's place in the channel, in seconds; it keeps the place until `posted`."""
        now = self._clock()
        if reply not in self._places:
            at = max(now, self._next_post.get(channel, 0.0))
            self._places[reply] = at
            self._next_post[channel] = at + (0.0 if self._unlimited else POST_SPACING_S)
        return max(self._places[reply] - now, 0.0)

    def posted(self, reply: str) -> None:
        self._places.pop(reply, None)
        if len(self._next_post) > CHANNELS_KEPT:
            now = self._clock()
            self._next_post = {channel: at for channel, at in self._next_post.items() if at > now}

    def hold(self, channel: str, reply: str, retry_after_s: float) -> None:
        """Slack refused this post for so long: it, and all behind it in the channel, wait."""
        self._places.pop(reply, None)
        until = self._clock() + retry_after_s
        self._next_post[channel] = max(self._next_post.get(channel, 0.0), until)
