"""What the readers of one message share: how much is left to look at, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.text.invisible import strip_hidden
from bot.text.marks import tidy_name

# So much of one message is looked at; Slack's own limits are below it.
MOST_ELEMENTS = 20_000
MARK_CHARACTERS = 2_000  # of a picture's description, as long as Slack takes one
DEEPEST = 12
DEEPEST_INDENT = 8
TOO_MUCH = "the rest of a very long message"


class WordlessMark(str):
    """A line of ours, in the place of something that has no words."""

    __slots__ = ()


@dataclass(slots=True)
class Findings:
    """What is found out while one message is read, over all its parts."""

    labels: Mapping[str, str] = field(default_factory=dict)  # names of channels and groups by id
    files: frozenset[str] = frozenset()  # ids of the files that came along
    unreadable: list[str] = field(default_factory=list)  # as the person is told of it
    marks: set[str] = field(default_factory=set)  # what stands in their places
    left: int = MOST_ELEMENTS

    def name_unread(self, what: str) -> WordlessMark:
        """Notes what cannot be read; the mark that stands in its place."""
        if (shown := tidy_name(what)) not in self.unreadable:
            self.unreadable.append(shown)
        mark = WordlessMark(f"[{tidy_name(what, MARK_CHARACTERS)}]")
        self.marks.add(mark)
        return mark

    def name_unknown(self, kind: Any) -> WordlessMark:
        """The same for something whose type is new to us."""
        return self.name_unread(f"something of type {as_text(kind) or 'unknown'} that I cannot read")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a part of a message is read: without mentions of the user `without`, `depth` levels deep."""

    findings: Findings
    without: str = ""
    depth: int = 0

    def each(self, things: Any) -> Iterator[dict[str, Any]]:
        """The objects in a list, as long as the message is not too large."""
        for thing in things if isinstance(things, list) else ():
            self.findings.left -= 1
            if self.findings.left < 0 or self.depth > DEEPEST:
                self.findings.name_unread(TOO_MUCH)
                return
            if isinstance(thing, dict):
                yield thing

    def deeper(self, *, without: str | None = None) -> Reading:
        """One level further in; what others wrote is read with every mention in it (`without` "")."""
        return Reading(self.findings, self.without if without is None else without, self.depth + 1)


def as_text(value: Any) -> str:
    """A field that should be text, without hidden characters; "" for anything else."""
    return strip_hidden(value) if isinstance(value, str) else ""


def as_number(value: Any, most: int = MOST_ELEMENTS) -> int:
    """A field that should be a small number; 0 for anything else."""
    return min(value, most) if isinstance(value, int) and value > 0 else 0


def as_object(value: Any) -> dict[str, Any]:
    """A field that should be an object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}
