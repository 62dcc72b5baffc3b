"""Whose turn it is of those that wait for a place: owners take turns, within groups that may be closed.

Nothing is looked through: a turn costs the same, however many lanes wait and however many groups are closed;
it costs more with the groups in which its owner has others. What a lane, an owner and a group are, and when
a group is closed: bot/jobs/lanes.py.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush, heapreplace
from itertools import count


@dataclass(frozen=True, slots=True)
class WaitingLane:
    """A lane that may go. `since`: when what is to be done in it came, or became due, in unix seconds."""

    lane: str
    owner: str
    group: str
    since: float


Place = tuple[int, int]  # the turn of an owner, and which of the owner's lanes it is: the lowest goes next


@dataclass(slots=True)
class _Owner:
    turn: int
    lanes: int = 0


@dataclass(slots=True)
class _Group:
    lanes: dict[str, deque[tuple[int, WaitingLane]]] = field(default_factory=dict)  # by owner
    turns: list[tuple[int, str]] = field(default_factory=list)  # a heap of these owners
    listed: Place | None = None  # by which it stands in the heap of open groups


class WaitingLanes:
    """Lanes in the order in which they go.

    An owner goes to the end of the line with each lane that went, so a turn that stands in a heap may be too
    low, and is put back as it is now when it comes to the top. Of one owner's lanes the first one goes first.
    """

    def __init__(self) -> None:
        self._serial = count()
        self._owners: dict[str, _Owner] = {}
        self._groups: dict[str, _Group] = {}
        self._open: list[tuple[Place, str]] = []  # a heap of groups, by whoever is next in each
        self._closed: set[str] = set()

    def __bool__(self) -> bool:
        """Whether anybody waits, in whatever group."""
        return bool(self._groups)

    def put(self, waiting: WaitingLane) -> None:
        """Puts a lane behind the others of its owner in its group."""
        owner = self._owners.setdefault(waiting.owner, _Owner(next(self._serial)))
        owner.lanes += 1
        group = self._groups.setdefault(waiting.group, _Group())
        if waiting.owner not in group.lanes:
            group.lanes[waiting.owner] = deque()
            heappush(group.turns, (owner.turn, waiting.owner))
        group.lanes[waiting.owner].append((next(self._serial), waiting))
        self._list(waiting.group)

    def close(self, group: str) -> None:
        """Nobody of this group goes until it is opened."""
        self._closed.add(group)

    def open(self, group: str) -> None:
        self._closed.discard(group)
        self._list(group)

    def find(self) -> WaitingLane | None:
        """The lane that goes next; None when nobody waits in an open group."""
        while self._open:
            place, name = self._open[0]
            group = self._groups.get(name)
            if group is None or group.listed != place:
                heappop(self._open)
            elif name in self._closed:
                heappop(self._open)
                group.listed = None
            else:
                now, waiting = self._find_first(group)
                if now == place:
                    return waiting
                heapreplace(self._open, (now, name))
                group.listed = now
        return None

    def take(self) -> WaitingLane | None:
        """The lane that goes next, gone from the line."""
        waiting = self.find()
        if waiting is None:
            return None
        group, owner = self._groups[waiting.group], self._owners[waiting.owner]
        group.lanes[waiting.owner].popleft()
        owner.lanes -= 1
        if len(self._owners) > 1:
            owner.turn = next(self._serial)
        if not group.lanes[waiting.owner]:
            del group.lanes[waiting.owner]
            heappop(group.turns)
        if not group.lanes:
            del self._groups[waiting.group]
        if not owner.lanes:
            del self._owners[waiting.owner]
        return waiting

    def _list(self, name: str) -> None:
        """Has an open group stand by the turn of whoever is next in it."""
        group = self._groups.get(name)
        if group is None or name in self._closed:
            return
        place, _ = self._find_first(group)
        if group.listed is None or place < group.listed:
            heappush(self._open, (place, name))
            group.listed = place

    def _find_first(self, group: _Group) -> tuple[Place, WaitingLane]:
        """The lane that is next in a group, and its place among those of other groups."""
        while True:
            turn, owner = group.turns[0]
            now = self._owners[owner].turn
            if now == turn:
                number, waiting = group.lanes[owner][0]
                return (turn, number), waiting
            heapreplace(group.turns, (now, owner))
