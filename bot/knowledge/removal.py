"""Jobs that erase a document: hidden at once by whoever wants it gone, its words erased by the job.

What such a job does is bot/knowledge/ingestion.py's.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

REMOVAL = "document removal"  # the kind of job
REMOVED = "This document was removed."


@dataclass(frozen=True, slots=True)
class Removal:
    """What is to be erased. `card`: where its card stands, "" for none; `by`: the person who wanted it, ""
    for nobody; `why`: what the card says then."""

    id: str
    card: str = ""
    by: str = ""
    why: str = REMOVED

    @property
    def payload(self) -> str:
        """As text, for storage."""
        return json.dumps(asdict(self))


def removal_lane(team: str) -> str:
    """Documents of one workspace are erased one after the other."""
    return f"{REMOVAL}:{team}"


def decode_removal(payload: str) -> Removal:
    """What `payload` was."""
    return Removal(**json.loads(payload))
