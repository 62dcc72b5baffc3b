"""How much of something a server takes per minute: a bucket that fills evenly and holds no more than a burst.

Where the server counts by fixed minutes, no more goes out within one than it has left, and nothing is saved
up meanwhile: the next minute is used as evenly as any other.
"""

from __future__ import annotations

from math import inf

from bot.provider.rate_headers import ReportedRate

MINUTE_S = 60.0
ROUNDING = 1e-6  # less than this is arithmetic, not a reason to wait
# Two headers that name the same end of a minute, so far apart, tell a fixed minute from one that moves along.
SAME_END_S, APART_S = 1.5, 3.0


class TokenBucket:
    """`ceiling` a minute at most; 0: as the server says, and before that without limit. May owe (be below 0).

    It holds what comes in `burst_s`, but at least `least`.
    """

    def __init__(self, ceiling: float, *, burst_s: float, least: float, now: float) -> None:
        self._ceiling = ceiling
        self._burst_s, self._least = burst_s, least
        self._at = now
        self.per_minute = ceiling
        self.level = self.capacity
        self._window_end: float | None = None
        self._window_left = inf
        self._candidate: tuple[float, float] | None = None  # an end that one header named, and when

    @property
    def capacity(self) -> float:
        return max(self.per_minute * self._burst_s / MINUTE_S, min(self._least, self.per_minute))

    @property
    def has_fixed_minutes(self) -> bool:
        return self._window_end is not None

    def wait_s(self, amount: float, now: float) -> float:
        """Seconds until `amount` may be taken, or until it is worth asking again. More than the bucket holds
        waits for a full one, and is owed then."""
        if not self.per_minute:
            return 0.0
        self._fill(now)
        if self._window_end is not None and min(amount, self.per_minute) > self._window_left + ROUNDING:
            return max(self._window_end, self._at) - now
        missing = min(amount, self.capacity) - self.level
        return self._at - now + (missing * MINUTE_S / self.per_minute if missing > ROUNDING else 0.0)

    def forecast_s(self, ahead: float, amount: float, now: float) -> float:
        """Seconds until `amount` may be taken when `ahead` is taken before it."""
        if not self.per_minute:
            return 0.0
        self._fill(now)
        missing = ahead + min(amount, self.capacity) - self.level
        wait_s = self._at - now + max(0.0, missing * MINUTE_S / self.per_minute)
        beyond = ahead + amount - self._window_left
        if self._window_end is not None and beyond > 0:
            wait_s = max(wait_s, self._window_end - now + (beyond - amount) * MINUTE_S / self.per_minute)
        return wait_s

    def take(self, amount: float) -> None:
        """Takes, or with a negative amount gives back."""
        self.level = min(self.capacity, self.level - amount)
        self._window_left = min(self.per_minute, self._window_left - amount) if self._window_end else inf

    def hold(self, seconds: float, now: float) -> None:
        """Nothing comes in meanwhile: a server that refuses has nothing to give."""
        self._fill(now)
        self._at = max(self._at, now + seconds)

    def heed(self, reported: ReportedRate, now: float) -> None:
        """Believes the server, up to the ceiling."""
        if reported.limit:
            self._learn(min(reported.limit, self._ceiling or inf), now)
        if not self.per_minute or reported.remaining is None:
            return
        self._fill(now)
        if reported.reset_s is not None:
            limit = reported.limit or self.per_minute
            self._note_reset(reported.remaining, limit, reported.reset_s, now)
        if self._window_end is not None:
            self._window_left = min(self._window_left, reported.remaining)
        self.level = min(self.level, reported.remaining)

    def _learn(self, per_minute: float, now: float) -> None:
        known, self.per_minute = self.per_minute, per_minute
        if not known:
            self.level, self._at = self.capacity, max(self._at, now)
        self.level = min(self.level, self.capacity)

    def _note_reset(self, remaining: float, limit: float, reset_s: float, now: float) -> None:
        """A bucket that fills tells how long until it is full; a fixed minute tells the same end again."""
        full_s, ends_at = (limit - remaining) * MINUTE_S / limit, now + reset_s
        if self._window_end is not None and abs(ends_at - self._window_end) <= SAME_END_S:
            return
        fills = abs(reset_s - full_s) <= SAME_END_S
        if self._candidate and abs(ends_at - self._candidate[0]) <= SAME_END_S and not fills:
            if now - self._candidate[1] >= APART_S:
                self._window_end, self._window_left = ends_at, remaining
        elif reset_s <= MINUTE_S + SAME_END_S and not fills:
            self._candidate = (ends_at, now)
        else:
            self._candidate = None
        if fills:
            self._window_end, self._window_left = None, inf

    def _fill(self, now: float) -> None:
        while self._window_end is not None and now >= self._window_end:
            self._fill_until(self._window_end)
            self._window_end += MINUTE_S
            self._window_left = self.per_minute
        self._fill_until(now)

    def _fill_until(self, now: float) -> None:
        if now > self._at:
            filled = self.level + (now - self._at) * self.per_minute / MINUTE_S
            self.level = min(self.capacity, filled, max(self._window_left, self.level))
            self._at = now
