"""Jobs that erase a document: hidden at once by whoever wants it gone, its words erased by the job. Where its
words go with something else at once, the job is there for its card, which still names it.

What such a job does is bot/knowledge/ingestion.py's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from storage.engine import Tx
from storage.jobs import inbox
from storage.knowledge import documents as rows
from storage.knowledge.documents import Document

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


def put_removals(tx: Tx, documents: Iterable[Document], *, again: str = "", now: float) -> None:
    """Hides documents and stores the jobs that erase them; those that are being erased already are left
    alone. `again`: for documents that come back under the same id."""
    for document in documents:
        if rows.hide(tx, [document.id], reason="removed"):
            key, payload = f"{REMOVAL}:{document.id}{again}", Removal(document.id, document.card).payload
            inbox.put(tx, key, removal_lane(document.team), REMOVAL, payload, team=document.team, now=now)


def removal_lane(team: str) -> str:
    """Documents of one workspace are erased one after the other."""
    return f"{REMOVAL}:{team}"


def decode_removal(payload: str) -> Removal:
    """What `payload` was."""
    return Removal(**json.loads(payload))
