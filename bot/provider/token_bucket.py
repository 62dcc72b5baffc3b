"""How much of something a server takes per minute: a bucket that fills evenly and holds no more than a burst.

Where the server counts by fixed minutes, no more goes out within one than it has left, and nothing is saved
up meanwhile: the next minute is used as evenly as any other. Of a server that several processes ask, each
has a bucket for its own part of all that.
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
        self.part = 1.0
        self.per_minute = self.in_all = ceiling
        self.level = self.capacity
        self._window_end: float | None = None
        self._window_left = inf
        self._by_others = 0.0  # of that, what other processes are likely to have taken since it was told
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
        if self._window_end is not None and min(amount, self.in_all) > self._left + ROUNDING:
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
        beyond = ahead + amount - self._left
        if self._window_end is not None and beyond > 0:
            wait_s = max(wait_s, self._window_end - now + (beyond - amount) * MINUTE_S / self.per_minute)
        return wait_s

    def take(self, amount: float) -> None:
        """Takes, or with a negative amount gives back."""
        self.level = min(self.capacity, self.level - amount)
        self._window_left = min(self.in_all, self._window_left - amount) if self._window_end else inf

    @property
    def _left(self) -> float:
        """Of a fixed minute, for all who ask this server."""
        return self._window_left - self._by_others

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
            limit = reported.limit or self.in_all
            self._note_reset(reported.remaining, limit, reported.reset_s, now)
        if self._window_end is not None:
            self._window_left = min(self._window_left, reported.remaining)
            self._by_others = 0.0
        part = 1.0 if self._window_end else self.part
        self.level = min(self.level, part * reported.remaining)

    def have_part(self, part: float, now: float) -> None:
        """From now on so much of what the server takes is for this process."""
        if part == self.part:
            return
        self._fill(now)
        self.part = part
        self._learn(self.in_all, now)

    def _learn(self, in_all: float, now: float) -> None:
        known, self.in_all, self.per_minute = self.per_minute, in_all, self.part * in_all
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
                self._window_end, self._window_left, self._by_others = ends_at, remaining, 0.0
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
            self._window_left, self._by_others = self.in_all, 0.0
        self._fill_until(now)

    def _fill_until(self, now: float) -> None:
        if now > self._at:
            filled = self.level + (now - self._at) * self.per_minute / MINUTE_S
            self._by_others += (now - self._at) * (self.in_all - self.per_minute) / MINUTE_S
            self.level = min(self.capacity, filled, max(self._left, self.level))
            self._at = now
