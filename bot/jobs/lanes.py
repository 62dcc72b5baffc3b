"""Who runs when: one thing at a time in a lane, so many lanes at once, nothing kept of a lane that is quiet.

A lane (the inbox uses conversations) is busy from `wake`, `later` or `try_enter` until it is left with
nothing to do. What is done in a lane, and in what order, is the caller's business: bot/jobs/inbox.py.

Whoever waits for a place waits behind one lane of each other owner, not behind all of somebody who filled
many (bot/jobs/waiting_lanes.py). What came just now goes before what has waited for long, but leaves it every
fourth place. A lane that waits for something else than a place, such as its turn to post in a channel, steps
outside: others have its place. While some lanes of a group wait so for their group's turn, no other one of
that group begins.

Suspects, which may have ended the process, run beside the others without a place, few at a time: the fewer,
the more deaths they may be at fault for, in the end alone, while the others wait a little.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

from bot.jobs.waiting_lanes import WaitingLane, WaitingLanes

FRESH_S = 30.0  # so long ago something came at most that goes before what has waited for longer
# So many suspects run beside one another, by the deaths of the one that has most; then each runs alone.
TOGETHER = {0: 32, 1: 32, 2: 32, 3: 8}
ALONE_AFTER = 4
FIRST_AFTER = 6  # it goes before all others, so that at a start there is nobody beside it
QUIET_S = 10.0  # so long the others are waited for, before a suspect runs beside them after all
ALONE_S, LONGEST_ALONE_S = 10.0, 60.0  # so long others wait for a suspect at most; doubled with each death
SHARE = 4  # every so many-th place is for what has waited for longer
ASIDE = 1 / 4  # of the places, so many lanes more may run because others wait outside and crowd no group


def group_of(conversation: str) -> str:
    """The channel of a conversation: what its key begins with, up to the thread."""
    return conversation.rpartition(":")[0] or conversation


@dataclass(slots=True)
class _Running:
    waited: WaitingLane
    fresh: bool
    inside: bool = True  # has a place
    outside: int = 0  # how many things it waits for that are no work
    crowding: int = 0  # of these, the ones of which a group has only so many at a time


class Lanes:
    """Calls `run(lane, due_at)` when a lane may go; the caller says when it has left.

    `parallel`: so many lanes work at once. `outside`: of a group of which so many wait outside, no further
    lane begins; counted apart for what is fresh, so that it need not wait for a backlog.
    """

    def __init__(
        self,
        parallel: int,
        run: Callable[[str, float], None],
        *,
        clock: Callable[[], float],
        longest_s: float = math.inf,
        outside: int = 4,
        group: Callable[[str], str] = group_of,
    ) -> None:
        self._parallel = self._free = parallel
        self._run = run
        self._clock = clock
        self._longest_s = longest_s
        self._most_outside = outside
        self._group = group
        self._busy: set[str] = set()  # lanes that run, are ready to, or wait for a time
        self._running: dict[str, _Running] = {}
        self._woken: set[str] = set()  # of these, the ones that were woken again while they ran
        self._fresh, self._backlog = WaitingLanes(), WaitingLanes()
        self._places_for_fresh = 0  # given since the backlog had one
        self._serial = count()
        self._outside: Counter[tuple[bool, str]] = Counter()  # lanes outside, by freshness and group
        self._at_work = 0  # lanes that run and are not outside
        self._aside = 0  # lanes outside that crowd no group
        self._due: list[tuple[float, str, float]] = []  # a heap: on the loop's clock, lane, by the clock
        self._due_times: dict[str, float] = {}  # by lane: which of these holds
        self._owners: dict[str, str] = {}  # of lanes that wait for a time
        self._timer: asyncio.TimerHandle | None = None
        self._deaths: dict[str, int] = {}  # of suspects that did not run yet
        self._suspects: list[tuple[int, int, WaitingLane]] = []  # a heap of those that are due
        self._suspects_now: dict[str, int] = {}  # those that run, and how many may do so beside them
        self._alone: asyncio.TimerHandle | None = None  # until then nobody else begins
        self._impatient = False  # the suspect that should run alone does not wait any longer
        self.closed = False

    @property
    def empty(self) -> bool:
        """Nobody runs, inside or outside."""
        return not self._running

    @property
    def running(self) -> int:
        """How many lanes run."""
        return len(self._running)

    @property
    def room(self) -> int:
        """How many lanes more could begin at once."""
        return 0 if self.closed or self._alone else self._free

    def is_busy(self, lane: str) -> bool:
        """Whether a lane runs, is ready to, or waits for its time."""
        return lane in self._busy

    def is_wanted(self, lane: str) -> bool:
        """Whether others wait for the place of a lane that runs, or it has none: it has to queue again."""
        running = self._running[lane]
        return (
            not running.inside
            or self._alone is not None
            or self._find() is not None
            or self._is_held(running.fresh, running.waited.group)
        )

    def try_enter(self, lane: str, owner: str = "", *, since: float | None = None) -> bool:
        """Takes a place at once if one is free and the lane is quiet."""
        if self.closed or not self._free or self._alone or lane in self._busy:
            return False
        waiting = self._waiting(lane, owner, since)
        fresh = self._is_fresh(waiting)
        if self._is_held(fresh, waiting.group):
            return False
        self._enter(waiting, fresh=fresh)
        return True

    def wake(self, lane: str, owner: str = "", *, since: float | None = None) -> None:
        """There may be something new to do in this lane, for its owner.

        `since`: when it was asked for, if that was not now.
        """
        if lane in self._running:
            self._woken.add(lane)
        elif lane in self._deaths:
            return
        elif lane not in self._busy or self._due_times.pop(lane, None) is not None:
            self._owners.pop(lane, None)
            self._queue(lane, owner, since)
            self._start_ready()

    def later(self, lane: str, due_at: float, owner: str = "") -> None:
        """The lane may go at that time. The wait is measured here: a clock set back does not stretch it
        beyond `longest_s`."""
        self.take_up([(lane, due_at, owner)])

    def take_up(self, lanes: Iterable[tuple[str, float, str]]) -> None:
        """Many lanes that may go, each at its time and for its owner; who is first is decided among all."""
        for lane, due_at, owner in lanes:
            wait_s = min(due_at - self._clock(), self._longest_s)
            if wait_s <= 0:
                self._queue(lane, owner, due_at)
            elif not self.closed:
                self._wait(lane, owner, due_at, wait_s)
        self._set_timer()
        self._start_ready()

    def suspect(self, lane: str, deaths: int) -> None:
        """A lane that may have ended the process so often, to be taken up beside few of its kind."""
        self._deaths[lane] = deaths

    def leave(self, lane: str, due_at: float | None = None) -> None:
        """The lane gives its place back: for good, or until there is something to do at `due_at`."""
        running = self._running.pop(lane)
        owner = running.waited.owner
        self._free += running.inside
        self._come_in(running)
        self._at_work -= 1
        self._busy.discard(lane)
        if lane in self._woken:
            self._woken.discard(lane)
            now = self._clock()  # not when it is due: something new is to be looked for before
            self._queue(lane, owner, now if due_at is None else min(due_at, now))
        elif due_at is not None:
            self.later(lane, due_at, owner)
        if self._suspects_now.pop(lane, None):
            self._end_alone()
        self._start_ready()

    @contextmanager
    def outside(self, lane: str, *, crowds: bool = True) -> Iterator[None]:
        """While a lane that runs waits for something that is no work. It has no place from then on.

        `crowds`: it waits for what its group takes one by one, so that few others of it need begin.
        """
        running = self._running.get(lane)
        if running is None or (not crowds and self._aside >= ASIDE * self._parallel):
            yield
            return
        self._free += running.inside
        running.inside = False
        self._count_outside(running, 1, crowds=crowds)
        self._start_ready()
        try:
            yield
        finally:
            if self._running.get(lane) is running:
                self._count_outside(running, -1, crowds=crowds)
                self._start_ready()

    def close(self) -> None:
        """Nobody enters any more."""
        self.closed = True
        self._due.clear()
        self._due_times.clear()
        self._set_timer()
        self._end_alone()

    # Waiting for a place

    def _waiting(self, lane: str, owner: str, since: float | None) -> WaitingLane:
        return WaitingLane(lane, owner, self._group(lane), self._clock() if since is None else since)

    def _queue(self, lane: str, owner: str, since: float | None) -> None:
        self._busy.add(lane)
        waiting = self._waiting(lane, owner, since)
        if lane in self._deaths:
            deaths = self._deaths[lane]
            rank = deaths if deaths < FIRST_AFTER else -deaths
            heappush(self._suspects, (rank, next(self._serial), waiting))
            return
        (self._fresh if self._is_fresh(waiting) else self._backlog).put(waiting)

    def _is_fresh(self, waiting: WaitingLane) -> bool:
        return self._clock() - waiting.since <= FRESH_S

    def _start_ready(self) -> None:
        self._start_suspects()
        while self._free and not self._alone and not self.closed:
            fresh = self._find()
            if fresh is None:
                return
            waiting = (self._fresh if fresh else self._backlog).take()
            assert waiting is not None
            self._places_for_fresh = self._places_for_fresh + 1 if fresh else 0
            self._enter(waiting, fresh=fresh)
            self._run(waiting.lane, waiting.since)

    def _find(self) -> bool | None:
        """Whether what goes next is fresh; None when nobody waits who could go."""
        while (waiting := self._fresh.find()) and not self._is_fresh(waiting):
            self._fresh.take()
            self._backlog.put(waiting)
        if self._backlog.find() and (waiting is None or self._places_for_fresh >= SHARE - 1):
            return False
        return None if waiting is None else True

    def _enter(self, waiting: WaitingLane, *, fresh: bool) -> None:
        self._busy.add(waiting.lane)
        self._run_as(_Running(waiting, fresh))
        self._free -= 1

    def _run_as(self, running: _Running) -> None:
        self._running[running.waited.lane] = running
        self._at_work += 1

    # Groups

    def _is_held(self, fresh: bool, group: str) -> bool:
        return self._outside[fresh, group] >= self._most_outside

    def _count_outside(self, running: _Running, change: int, *, crowds: bool) -> None:
        """A lane that runs waits for one more thing outside, or one less."""
        self._come_in(running)
        running.outside += change
        running.crowding += change * crowds
        if running.outside:
            self._at_work -= 1
            self._aside += not running.crowding
            self._count_crowd(running, int(running.crowding > 0))

    def _come_in(self, running: _Running) -> None:
        """A lane is counted as if it worked."""
        if running.outside:
            self._at_work += 1
            self._aside -= not running.crowding
            self._count_crowd(running, -int(running.crowding > 0))

    def _count_crowd(self, running: _Running, change: int) -> None:
        """One more lane of a group is in the way of others of it, or one less."""
        key = (running.fresh, running.waited.group)
        line = self._fresh if running.fresh else self._backlog
        before = self._is_held(*key)
        self._outside[key] += change
        after = self._is_held(*key)
        if not self._outside[key]:
            del self._outside[key]
        if after and not before:
            line.close(running.waited.group)
        elif before and not after:
            line.open(running.waited.group)

    # Waiting for a time

    def _wait(self, lane: str, owner: str, due_at: float, wait_s: float) -> None:
        self._busy.add(lane)
        self._owners[lane] = owner
        at = self._due_times[lane] = asyncio.get_running_loop().time() + wait_s
        heappush(self._due, (at, lane, due_at))

    def _set_timer(self) -> None:
        """One timer, for whatever is due first."""
        if self._due and self._timer and self._timer.when() <= self._due[0][0]:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due:
            self._timer = asyncio.get_running_loop().call_at(self._due[0][0], self._wake_due)

    def _wake_due(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._due and self._due[0][0] <= now:
            at, lane, due_at = heappop(self._due)
            if self._due_times.get(lane) == at:
                del self._due_times[lane]
                self._queue(lane, self._owners.pop(lane, ""), due_at)
        self._set_timer()
        self._start_ready()

    # Suspects

    def _start_suspects(self) -> None:
        """Has the next ones go: those with the fewest deaths, for they are the likeliest to end well. But one
        that was there each time goes first."""
        while self._suspects and not self.closed:
            _, _, waiting = self._suspects[0]
            deaths = self._deaths[waiting.lane]
            beside = min(TOGETHER.get(deaths, 1), self._parallel)
            if len(self._suspects_now) >= min(beside, *self._suspects_now.values(), self._parallel):
                return
            alone = deaths >= ALONE_AFTER
            if alone and self._at_work and not self._impatient:
                self._alone = self._alone or self._call_later(QUIET_S, self._stop_waiting)
                return
            heappop(self._suspects)
            self._end_alone()
            if alone and not self._at_work:
                longest_s = min(ALONE_S * 2 ** min(deaths - ALONE_AFTER, 10), LONGEST_ALONE_S)
                self._alone = self._call_later(longest_s, self._let_others_begin)
            self._impatient = False
            self._suspects_now[waiting.lane] = beside
            del self._deaths[waiting.lane]
            self._run_as(_Running(waiting, self._is_fresh(waiting), inside=False))
            self._run(waiting.lane, waiting.since)

    def _stop_waiting(self) -> None:
        self._alone, self._impatient = None, True
        self._start_ready()

    def _let_others_begin(self) -> None:
        self._alone = None
        self._start_ready()

    def _end_alone(self) -> None:
        if self._alone is not None:
            self._alone.cancel()
            self._alone = None

    @staticmethod
    def _call_later(delay_s: float, call: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(delay_s, call)
