"""Who runs when: one thing at a time in a lane, so many lanes at once, nothing kept of a lane that is quiet.

A lane (the inbox uses conversations) is busy from `wake`, `later` or `try_enter` until it is left with
nothing to do. Whoever waits for a place waits behind one lane of each other owner, not behind all of somebody
who filled many. What is done in a lane, and in what order, is the caller's business: bot/jobs/inbox.py.
"""

from __future__ import annotations

import asyncio
import math
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable


class Lanes:
    """Calls `run(lane, due_at)` when a lane may go; the caller says when it has left."""

    def __init__(
        self,
        parallel: int,
        run: Callable[[str, float], None],
        *,
        clock: Callable[[], float],
        longest_s: float = math.inf,
    ) -> None:
        self._parallel = self._free = parallel
        self._run = run
        self._clock = clock
        self._longest_s = longest_s
        self._busy: set[str] = set()  # lanes that run, are ready to, or wait for a time
        self._woken: set[str] = set()  # of these, the ones that were woken again while they ran
        self._ready: OrderedDict[str, deque[tuple[str, float]]] = OrderedDict()  # next owner first
        self._owners: dict[str, str] = {}  # of lanes that were woken and are not ready yet
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._single: deque[str] = deque()  # lanes that must not run beside one another
        self._single_now = ""
        self.closed = False

    @property
    def crowded(self) -> bool:
        """Somebody waits for a place."""
        return bool(self._ready)

    @property
    def empty(self) -> bool:
        """Nobody has a place."""
        return self._free == self._parallel

    def try_enter(self, lane: str) -> bool:
        """Takes a place at once if one is free, nobody waits for it and the lane is quiet."""
        if self.closed or not self._free or self._ready or lane in self._busy:
            return False
        self._enter(lane)
        return True

    def wake(self, lane: str, owner: str = "") -> None:
        """There may be something new to do in this lane, for its owner."""
        self._owners[lane] = owner
        if timer := self._timers.pop(lane, None):
            timer.cancel()
            self._queue(lane, 0.0)
        elif lane in self._busy:
            self._woken.add(lane)
        else:
            self._queue(lane, 0.0)

    def later(self, lane: str, due_at: float) -> None:
        """The lane may go at that time. The wait is measured here: a clock set back does not stretch it
        beyond `longest_s`."""
        wait_s = min(due_at - self._clock(), self._longest_s)
        if wait_s <= 0:
            self._queue(lane, due_at)
        elif not self.closed:
            self._busy.add(lane)
            loop = asyncio.get_running_loop()
            self._timers[lane] = loop.call_later(wait_s, self._due, lane, due_at)

    def one_by_one(self, lanes: Iterable[str]) -> None:
        """Lanes that go too, but each only after the one before has left."""
        self._single.extend(lanes)
        self._busy.update(self._single)
        self._next_single()

    def leave(self, lane: str, due_at: float | None = None) -> None:
        """The lane gives its place back: for good, or until there is something to do at `due_at`."""
        self._free += 1
        self._busy.discard(lane)
        if lane in self._woken:
            self._woken.discard(lane)
            self._queue(lane, 0.0)
        elif due_at is not None:
            self.later(lane, due_at)
        if lane == self._single_now:
            self._next_single()
        self._start_ready()

    def close(self) -> None:
        """Nobody enters any more."""
        self.closed = True
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _enter(self, lane: str) -> None:
        self._busy.add(lane)
        self._free -= 1

    def _due(self, lane: str, due_at: float) -> None:
        del self._timers[lane]
        self._queue(lane, due_at)

    def _queue(self, lane: str, due_at: float) -> None:
        self._busy.add(lane)
        self._ready.setdefault(self._owners.pop(lane, ""), deque()).append((lane, due_at))
        self._start_ready()

    def _next_single(self) -> None:
        self._single_now = self._single.popleft() if self._single else ""
        if self._single_now:
            self._queue(self._single_now, 0.0)

    def _start_ready(self) -> None:
        while self._ready and self._free and not self.closed:
            lane, due_at = self._next_ready()
            self._enter(lane)
            self._run(lane, due_at)

    def _next_ready(self) -> tuple[str, float]:
        owner, lanes = next(iter(self._ready.items()))
        found = lanes.popleft()
        self._ready.move_to_end(owner)
        if not lanes:
            del self._ready[owner]
        return found
