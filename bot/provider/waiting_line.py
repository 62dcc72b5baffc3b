"""Whose turn it is among requests that wait: people before background work, channels by turns, and within a
channel people by turns.

Each of these gets the same share of the tokens, however many requests it has and however large they are, and
nobody overtakes the one whose turn it is. What a share is used for is not known here.
Source: Goyal, Vin and Cheng, "Start-time fair queuing" (1996), at each of the three levels.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

# Of what is served while both wait, background work gets one part in ten: it goes on, and nobody notices.
PEOPLE, BACKGROUND = "people", "background"
WEIGHTS = {PEOPLE: 9.0, BACKGROUND: 1.0}
KEPT = 1000  # how many that have not waited for long are remembered

Path = tuple[str, ...]  # lane, channel, person


class Numbered(Protocol):
    """Whoever waits has a number, in order of arrival, and keeps it when sent back."""

    @property
    def number(self) -> int: ...


T = TypeVar("T", bound=Numbered)


class WaitingLine(Generic[T]):
    """Everybody who waits, by their path."""

    def __init__(self) -> None:
        self._root = _Group[T]()
        self._paths: dict[int, Path] = {}  # by number

    def __len__(self) -> int:
        return len(self._paths)

    def __contains__(self, item: T) -> bool:
        return item.number in self._paths

    def __iter__(self) -> Iterator[T]:
        return self._root.walk()

    def has(self, path: Path) -> bool:
        """Whether somebody of this path waits."""
        return self._root.has(path)

    def add(self, path: Path, item: T) -> None:
        """Behind those of the same path that have a lower number."""
        self._paths[item.number] = path
        self._root.add(path, item)

    def remove(self, item: T) -> None:
        """Somebody gave up waiting."""
        self._root.remove(self._paths.pop(item.number), item)

    def first(self) -> T | None:
        """Whose turn it is."""
        return self._root.first() if self._paths else None

    def serve(self, item: T, cost: float) -> None:
        """It has its turn, which costs its path so much of the next one."""
        path = self._paths[item.number]
        self.remove(item)
        self._root.charge(path, cost)

    def refund(self, path: Path, cost: float) -> None:
        """So much of what a turn cost was not used; all of it, where it came to nothing."""
        self._root.refund(path, cost)

    def weigh_channels(self, weights: Callable[[str], float]) -> None:
        """How much of a share each channel gets here: less than a whole one, where it waits elsewhere as
        well."""
        for lane in self._root.members():
            for name, channel in lane.group.named_members():
                channel.weight = weights(name)

    def copied(self) -> WaitingLine[T]:
        """The same line, to be played forward."""
        line = WaitingLine[T]()
        line._root, line._paths = self._root.copied(), dict(self._paths)
        return line


class _Group(Generic[T]):
    """Those who take turns at one level; at the last one the requests themselves, in order of arrival."""

    def __init__(self) -> None:
        self._members: dict[str, _Member[T]] = {}
        self._waiting: dict[str, _Member[T]] = {}  # of the members
        self._items: list[T] = []
        self._now = 0.0  # when the last turn began, in tokens

    def add(self, path: Path, item: T) -> None:
        if not path:
            insort(self._items, item, key=lambda one: one.number)
            return
        member = self._members.get(path[0]) or self._enter(path[0])
        if path[0] not in self._waiting:
            self._waiting[path[0]] = member
            member.due = max(member.due, self._now)
        member.group.add(path[1:], item)

    def remove(self, path: Path, item: T) -> None:
        if not path:
            self._items.remove(item)
            return
        group = self._members[path[0]].group
        group.remove(path[1:], item)
        if not (group._waiting or group._items):
            del self._waiting[path[0]]

    def first(self) -> T:
        """Its turn is due soonest; of two the one that came first."""
        if self._items:
            return self._items[0]
        soonest = min([member.due for member in self._waiting.values()])
        firsts = [member.group.first() for member in self._waiting.values() if member.due == soonest]
        return firsts[0] if len(firsts) == 1 else min(firsts, key=lambda item: item.number)

    def has(self, path: Path) -> bool:
        return not path or (path[0] in self._waiting and self._waiting[path[0]].group.has(path[1:]))

    def charge(self, path: Path, cost: float) -> None:
        if path:
            member = self._members[path[0]]
            self._now = max(self._now, member.due)
            member.due += cost / member.weight
            member.group.charge(path[1:], cost)

    def refund(self, path: Path, cost: float) -> None:
        if path and (member := self._members.get(path[0])):
            member.due -= cost / member.weight
            member.group.refund(path[1:], cost)

    def members(self) -> Iterable[_Member[T]]:
        return self._members.values()

    def named_members(self) -> Iterable[tuple[str, _Member[T]]]:
        return self._members.items()

    def walk(self) -> Iterator[T]:
        yield from self._items
        for member in self._waiting.values():
            yield from member.group.walk()

    def copied(self) -> _Group[T]:
        other = _Group[T]()
        other._items, other._now = list(self._items), self._now
        for name, member in self._members.items():
            other._members[name] = _Member(member.weight, member.due, member.group.copied())
        other._waiting = {name: other._members[name] for name in self._waiting}
        return other

    def _enter(self, name: str) -> _Member[T]:
        """Somebody new, or long not seen."""
        if len(self._members) >= KEPT:
            for known, member in list(self._members.items()):
                if member.due <= self._now and known not in self._waiting:
                    del self._members[known]
        member = self._members[name] = _Member(WEIGHTS.get(name, 1.0), self._now, _Group[T]())
        return member


@dataclass(slots=True)
class _Member(Generic[T]):
    """One of a group: when its next turn is due, in tokens, and who waits in its name."""

    weight: float
    due: float
    group: _Group[T]
