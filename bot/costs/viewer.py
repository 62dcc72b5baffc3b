"""A person who reads costs, and whose figures that person may see."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

GAP = (
    "There may be more: Slack does not allow me to look up what you may see without {lacks}. "
    "Whoever runs me can add that."
)


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who reads. `private`: the team's private channels and DMs; `member_of`: those this person is in.

    `lacks`: permissions in Slack without which not everything about the person could be looked up; what is
    not known of them is not shown to them.
    """

    user: str
    admin: bool = False
    owns: frozenset[str] = frozenset()
    private: Container[str] = frozenset()
    member_of: frozenset[str] = frozenset()
    lacks: tuple[str, ...] = ()

    def knows(self, channel: str) -> bool:
        """May this person read the channel's name?"""
        return channel not in self.private or channel in self.member_of or not channel

    @property
    def gap(self) -> str:
        """What is missing from what this person is shown, in a sentence; "" where nothing is."""
        return GAP.format(lacks=", ".join(self.lacks)) if self.lacks else ""

    @property
    def sees(self) -> str:
        """Whose figures a report shows this person, for the record of who read what."""
        if self.admin:
            return "everybody's figures"
        return f"figures of people in {' '.join(sorted(self.owns))}" if self.owns else "totals of channels"


OPERATOR = Viewer("", admin=True)  # whoever can read the database file
