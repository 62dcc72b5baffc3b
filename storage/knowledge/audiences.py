"""From where a document may be found, said once: as a condition on documents, and as a mark of each chunk.

The condition decides. The mark (`reach`) stands in the index of words, so that a search touches nothing that
is not to be found from where it is asked.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

AudienceKind = Literal["channel", "workspace", "person", "thread"]


@dataclass(frozen=True, slots=True)
class Audience:
    """Who asks from where. A document is visible to it when its team is the same and it belongs to the same
    channel, the workspace, the same person in their DM, or the same conversation."""

    team: str
    channel: str
    conversation: str  # its key
    person: str = ""  # in a DM with them, else ""
    workspace: bool = True  # False: a guest asks, or outsiders read
    open: bool = True  # False: nothing is to be found at all


@dataclass(frozen=True, slots=True)
class Belonging:
    """Whose a document is."""

    audience: AudienceKind
    team: str
    channel: str = ""
    conversation: str = ""
    person: str = ""

    @property
    def reach(self) -> str:
        """A word that no other audience has."""
        place = {
            "channel": self.channel,
            "workspace": "",
            "person": self.person,
            "thread": self.conversation,
        }[self.audience]
        told = f"{self.audience}\n{self.team}\n{place}"
        return hashlib.blake2s(told.encode(), digest_size=10).hexdigest()


# Whose it is, however far it has been read.
BELONGS = """(d.team = :team and d.hidden = '' and (
    (d.audience = 'channel' and d.channel = :channel)
    or (d.audience = 'workspace' and :workspace = 1)
    or (d.audience = 'person' and d.person = :person and :person <> '')
    or (d.audience = 'thread' and d.conversation = :conversation)))"""
VISIBLE = f"(d.state = 'searchable' and {BELONGS})"


def values_of(audience: Audience) -> dict[str, str | int]:
    """What VISIBLE names."""
    return {
        "team": audience.team,
        "channel": audience.channel,
        "conversation": audience.conversation,
        "person": audience.person,
        "workspace": int(audience.workspace),
    }


def list_reaches(audience: Audience) -> list[str]:
    """The marks of what may be found from there."""
    team = audience.team
    found = [
        Belonging("channel", team, channel=audience.channel),
        Belonging("thread", team, conversation=audience.conversation),
    ]
    if audience.workspace:
        found.append(Belonging("workspace", team))
    if audience.person:
        found.append(Belonging("person", team, person=audience.person))
    return [belonging.reach for belonging in found]
