"""How long somebody in line waits: a copy of the line is played forward by its own rules, with what is likely
to come later and to go first, and with what is under way and gives back what it does not use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from bot.provider.arrivals import Ask
from bot.provider.token_bucket import TokenBucket
from bot.provider.waiting_line import Path, WaitingLine

EXACT_S = 20.0  # so far ahead each event is looked at by itself; later those before a turn all at once
MOST_PLAYED, FARTHEST_S = 300, 900.0  # beyond, it is taken to go on as fast as until then
LEAST_STEP_S = 0.001
FIRST_EXPECTED = 1 << 40  # a number that nobody has who waits


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where somebody stands: 1 is next. `wait_s` from now on, as things stand."""

    place: int
    wait_s: float


class Placed(Protocol):
    """Somebody who waits, or is expected to."""

    @property
    def number(self) -> int: ...
    @property
    def ask(self) -> Ask: ...


@dataclass(frozen=True, slots=True)
class Expected:
    """Somebody who is likely to come."""

    number: int
    ask: Ask


@dataclass(slots=True)
class Play:
    """What is likely to happen from `now` on. All that is handed in is a copy, and used up.

    `places`: how many are under way at most; `lasts_s`: how long each is. `reserved`: the tokens a request
    takes when so many are under way; `unused`: how much of them it gives back in the end.
    """

    now: float
    line: WaitingLine[Placed]
    tokens: TokenBucket
    requests: TokenBucket
    places: float
    lasts_s: float
    coming: Iterator[tuple[float, Ask]]
    reserved: Callable[[Ask, int], float]
    unused: Callable[[Ask, float], float]
    _ends: list[tuple[float, float, Path]] = field(default_factory=list)
    _next: tuple[float, Ask] | None = None
    _numbers: Iterator[int] = field(default_factory=lambda: count(FIRST_EXPECTED))

    def add_under_way(self, ask: Ask, amount: float, began: float) -> None:
        """Of one that lasts longer than usual, nobody knows for how long."""
        ends_at = max(began + self.lasts_s, self.now + self.lasts_s / 4)
        heappush(self._ends, (ends_at, self.unused(ask, amount), ask.path))

    def run(self, starts_at: float) -> Iterator[tuple[Placed, float]]:
        """Everybody who waits, and when they are served, soonest first. Nobody is before `starts_at`."""
        began, served, waiting = self.now, 0, len(self.line)
        self._next = next(self.coming, None)
        self._pass_until(starts_at)
        played = 0
        while served < waiting and played < MOST_PLAYED and self.now < began + FARTHEST_S:
            item = self.line.first()
            assert item is not None
            amount = self.reserved(item.ask, len(self._ends))
            at = self._turn_at(amount)
            if at > self.now:
                self._pass_until(min(at, self._next_event()) if self.now < began + EXACT_S else at)
                continue
            self._serve(item, amount)
            played += 1
            if item.number < FIRST_EXPECTED:
                served += 1
                yield item, self.now
        apart_s = (self.now - began) / max(served, 1)
        left = [item for item in self.line if item.number < FIRST_EXPECTED]
        for later, item in enumerate(sorted(left, key=lambda item: item.number), 1):
            yield item, self.now + apart_s * later

    def _turn_at(self, amount: float) -> float:
        if len(self._ends) >= self.places:
            return max(self._ends[0][0], self.now + LEAST_STEP_S)
        wait_s = max(self.requests.wait_s(1, self.now), self.tokens.wait_s(amount, self.now))
        return self.now + max(wait_s, LEAST_STEP_S) if wait_s > 0 else self.now

    def _next_event(self) -> float:
        ends_at = self._ends[0][0] if self._ends else self.now + FARTHEST_S
        return min(ends_at, self._next[0]) if self._next else ends_at

    def _serve(self, item: Placed, amount: float) -> None:
        self.line.serve(item, max(amount, 1))
        self.tokens.take(amount)
        self.requests.take(1)
        heappush(self._ends, (self.now + self.lasts_s, self.unused(item.ask, amount), item.ask.path))

    def _pass_until(self, at: float) -> None:
        self.now = max(self.now, at)
        while self._ends and self._ends[0][0] <= self.now:
            _, unused, path = heappop(self._ends)
            if unused:
                self.tokens.take(-unused)
                self.line.refund(path, unused)
        while self._next and self._next[0] <= self.now:
            ask = self._next[1]
            self.line.add(ask.path, Expected(next(self._numbers), ask))
            self._next = next(self.coming, None)
