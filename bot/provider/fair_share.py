"""Shares what the model API takes per minute fairly between channels.

Two buckets fill up evenly, one for requests and one for tokens. Who has to wait queues per channel; channels
take turns, and nobody overtakes the one whose turn it is, so a large request is not starved by small ones. A
request reserves what it may use and gives back the rest. Money is not known here: that is
bot/costs/ledger.py.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}

ROUNDING = 1e-6  # tokens: less than this is arithmetic, not a reason to wait


@dataclass(slots=True)
class TokenBucket:
    """Fills with `per_minute` a minute up to that amount; 0 means without limit. May owe (be below zero)."""

    per_minute: float
    level: float = field(init=False)
    at: float = 0.0

    def __post_init__(self) -> None:
        self.level = self.per_minute

    def wait_s(self, amount: float, now: float) -> float:
        """Seconds until `amount` may be taken. More than the bucket holds waits for a full one."""
        if not self.per_minute:
            return 0.0
        self.level = min(self.per_minute, self.level + (now - self.at) * self.per_minute / 60)
        self.at = now
        missing = min(amount, self.per_minute) - self.level
        return missing * 60 / self.per_minute if missing > ROUNDING else 0.0

    def take(self, amount: float) -> None:
        """Takes, or with a negative amount gives back."""
        self.level = min(self.per_minute, self.level - amount)


@dataclass(slots=True, eq=False)
class Share:
    """What one request was granted. `settle` exactly once, with what it really used."""

    _scheduler: Scheduler
    _tokens: float
    _granted: asyncio.Future[None] | None = None

    def settle(self, used_tokens: float) -> None:
        """Gives back what was reserved and not used (or takes what was used beyond it)."""
        self._scheduler._give_back(self._tokens - used_tokens)


class Scheduler:
    """Lets requests through in turn. Without limits only a freeze makes anybody wait."""

    def __init__(
        self,
        *,
        tokens_per_minute: float = 0,
        requests_per_minute: float = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._tokens = TokenBucket(tokens_per_minute, at=clock())
        self._requests = TokenBucket(requests_per_minute, at=clock())
        self._frozen_until = 0.0
        self._queues: OrderedDict[str, deque[Share]] = OrderedDict()  # next channel to be served first
        self._timer: asyncio.TimerHandle | None = None

    async def acquire(self, channel: str, tokens: float) -> Share:
        """Waits for this channel's turn and for `tokens`; a cancelled wait leaves no trace."""
        share = Share(self, tokens)
        if not self._queues and self._wait_s(tokens) <= 0:
            self._take(share)
            return share
        share._granted = asyncio.get_running_loop().create_future()
        self._queues.setdefault(channel, deque()).append(share)
        self.pump()
        try:
            await share._granted
        except asyncio.CancelledError:
            self._abandon(channel, share)
            raise
        return share

    def waiting(self) -> int:
        return sum(map(len, self._queues.values()))

    def freeze(self, seconds: float) -> None:
        """The API said it takes nothing more for now: nobody is let through meanwhile."""
        self._frozen_until = max(self._frozen_until, self._clock() + seconds)

    def apply_headers(self, headers: Mapping[str, str]) -> None:
        """Lowers the buckets when the API reports that less is left than we think.

        Source: OpenAI, "Rate limits": x-ratelimit-remaining-{requests,tokens}. Azure may send -1 for unknown.
        """
        for bucket, kind in ((self._requests, "requests"), (self._tokens, "tokens")):
            left = headers.get(f"x-ratelimit-remaining-{kind}", "")
            if bucket.per_minute and left.isdecimal():
                bucket.wait_s(0, self._clock())  # first fill up to now
                bucket.level = min(bucket.level, float(left))

    def pump(self) -> float:
        """Lets through whoever may pass now; returns seconds until the next one may, 0 when nobody waits."""
        while self._queues:
            channel, queue = next(iter(self._queues.items()))
            delay_s = self._wait_s(queue[0]._tokens)
            if delay_s > 0:
                self._wake_in(delay_s)
                return delay_s
            self._serve(channel, queue)
        return 0.0

    def _serve(self, channel: str, queue: deque[Share]) -> None:
        share = queue.popleft()
        self._queues.move_to_end(channel)
        if not queue:
            del self._queues[channel]
        self._take(share)
        assert share._granted is not None
        share._granted.set_result(None)

    def _wait_s(self, tokens: float) -> float:
        now = self._clock()
        return max(self._frozen_until - now, self._requests.wait_s(1, now), self._tokens.wait_s(tokens, now))

    def _take(self, share: Share) -> None:
        self._requests.take(1)
        self._tokens.take(share._tokens)

    def _give_back(self, tokens: float) -> None:
        self._tokens.take(-tokens)
        if self._queues:
            self.pump()

    def _abandon(self, channel: str, share: Share) -> None:
        assert share._granted is not None
        if share._granted.done() and not share._granted.cancelled():
            self._requests.take(-1)
            self._give_back(share._tokens)
            return
        queue = self._queues[channel]
        queue.remove(share)
        if not queue:
            del self._queues[channel]
        self.pump()

    def _wake_in(self, seconds: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self.pump)


def parse_duration(text: str) -> float | None:
    """A duration as APIs write it: "17" and "1.5" are seconds, else "6m0s", "120ms"; None for others."""
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return float(text)
    if not re.fullmatch(r"(\d+(\.\d+)?(ms|[smhd]))+", text):
        return None
    return sum(float(n) * _UNITS[unit] for n, _, unit in re.findall(r"(\d+(\.\d+)?)(ms|[smhd])", text))
