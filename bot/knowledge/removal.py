"""Jobs that erase a document: hidden at once by whoever wants it gone, its words erased by the job. Where its
words go with something else at once, the job is there for its cards, which still tell of it.

What such a job does is bot/knowledge/ingestion.py's.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from storage.engine import Tx
from storage.fields import rows as field_rows
from storage.jobs import inbox
from storage.knowledge import documents as rows
from storage.knowledge.documents import Document

REMOVAL = "document removal"  # the kind of job
REMOVED = "This document was removed."


@dataclass(frozen=True, slots=True)
class Removal:
    """What is to be erased. `card`: where its card stands, "" for none; `by`: the person who wanted it, ""
    for nobody; `why`: what its cards say then; `tables`: where cards with its fields stand."""

    id: str
    card: str = ""
    by: str = ""
    why: str = REMOVED
    tables: Sequence[str] = ()

    @property
    def payload(self) -> str:
        """As text, for storage; without tables as versions read it that know of none."""
        told = asdict(self)
        return json.dumps(told if self.tables else {name: told[name] for name in told if name != "tables"})


def put_removals(tx: Tx, documents: Iterable[Document], *, again: str = "", now: float) -> None:
    """Hides documents and stores the jobs that erase them; those that are being erased already are left
    alone. `again`: for documents that come back under the same id."""
    for document in documents:
        if rows.hide(tx, [document.id], reason="removed"):
            removal = Removal(document.id, document.card, tables=field_rows.list_cards(tx, document.id))
            key, lane = f"{REMOVAL}:{document.id}{again}", removal_lane(document.team)
            inbox.put(tx, key, lane, REMOVAL, removal.payload, team=document.team, now=now)


def removal_lane(team: str) -> str:
    """Documents of one workspace are erased one after the other."""
    return f"{REMOVAL}:{team}"


def decode_removal(payload: str) -> Removal:
    """What `payload` was."""
    return Removal(**json.loads(payload))
