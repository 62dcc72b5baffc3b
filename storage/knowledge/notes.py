"""Notes among documents: what somebody asked to have remembered, in one chunk, with its author and date."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from storage import audit
from storage.engine import Tx
from storage.knowledge.audiences import VISIBLE, Audience, AudienceKind, values_of


@dataclass(frozen=True, slots=True)
class Note:
    """One note as it is found. `person`: whose words they are; `said`: by whom and when, for people."""

    id: str
    team: str
    audience: AudienceKind
    channel: str
    person: str
    authors: str  # ids of others whose words are left in it, " U1 U2 "
    name: str  # under which an edited one takes its place
    title: str
    text: str
    said: str
    said_at: float
    link: str  # to the message in which it was said; "" for none
    look_again_at: float | None  # when somebody is asked whether it is right still


_SELECT = (
    "select d.id, d.team, d.audience, d.channel, d.person, d.authors, d.name, d.title, c.text,"
    " c.place as said, d.added_at as said_at, d.link, d.look_again_at from documents d join document_chunks c"
    " on c.document = d.id and c.number = 0 where d.source = 'note' and d.hidden = ''"
    " and d.state = 'searchable'"
)


def list_visible(tx: Tx, audience: Audience) -> list[Note]:
    """Every note that may be found from there, newest first."""
    if not audience.open:
        return []
    return _list(tx, f"{VISIBLE} order by d.added_at desc, d.seq desc", **values_of(audience))


def find(tx: Tx, team: str, id: str) -> Note | None:
    """A note of a workspace that can be found now."""
    found = _list(tx, "d.team = :team and d.id = :id", team=team, id=id)
    return found[0] if found else None


def list_due(tx: Tx, *, now: float, limit: int) -> list[Note]:
    """Notes that are to be looked at again by now, the longest due first."""
    return _list(tx, "d.look_again_at <= :now order by d.look_again_at limit :limit", now=now, limit=limit)


def set_look_again(tx: Tx, note: Note, at: float | None, *, by: str, now: float) -> bool:
    """When somebody is asked whether a note is right still, None for never; False where it is gone."""
    change = "update documents set look_again_at = :at where id = :id and team = :team and source = 'note'"
    if not tx.changed(change, at=at, id=note.id, team=note.team):
        return False
    whose = note.channel or note.audience
    audit.note(tx, "note dated", note.id, team=note.team, person=by, detail=whose, now=now)
    return True


def take_due(tx: Tx, note: Note) -> bool:
    """Its day has come, and it is asked about now; False when that was done before, or is not due."""
    change = "update documents set look_again_at = null where id = :id and look_again_at = :at"
    return tx.changed(change, id=note.id, at=note.look_again_at) == 1


def list_of_person(tx: Tx, team: str, person: str) -> list[dict[str, Any]]:
    """What somebody said in notes, for that person: texts, and where they are found."""
    wanted = "d.team = :team and d.person = :person order by d.seq"
    return [asdict(note) for note in _list(tx, wanted, team=team, person=person)]


def _list(tx: Tx, which: str, **values: Any) -> list[Note]:
    return [Note(**row) for row in tx.all(f"{_SELECT} and {which}", **values)]
