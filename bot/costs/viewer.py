"""A person who reads costs, and whose figures that person may see."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who reads. `private`: the team's private channels and DMs; `member_of`: those this person is in."""

    user: str
    admin: bool = False
    owns: frozenset[str] = frozenset()
    private: Container[str] = frozenset()
    member_of: frozenset[str] = frozenset()

    def knows(self, channel: str) -> bool:
        """May this person read the channel's name?"""
        return channel not in self.private or channel in self.member_of or not channel

    @property
    def sees(self) -> str:
        """Whose figures a report shows this person, for the record of who read what."""
        if self.admin:
            return "everybody's figures"
        return f"figures of people in {' '.join(sorted(self.owns))}" if self.owns else "totals of channels"


OPERATOR = Viewer("", admin=True)  # whoever can read the database file
