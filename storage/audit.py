"""Who changed a setting, erased something, looked at a report or was told of an AI: a list that is only ever
added to.

An entry names people, places and figures by their ids, never what somebody said. Each is sealed with a hash
over itself and the seal before it, so an entry that was changed, removed or slipped in breaks the chain from
there on. The last entries can still be cut off unseen; whoever noted a seal elsewhere finds out (`holds`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from storage.engine import Tx

LOCK = "audit"  # taken last: whoever notes something holds up all others who do
FIRST = "0" * 64  # the seal before the first entry
PAGE = 1000
BEFORE_ALL = -(1 << 63)  # of what was slipped in, the number may be anything

# Everything that is written down, and what `about` names. Nothing else can be.
ACTS = {
    "setting": "a setting of the operator's, changed between two starts",
    "channel setting": "a channel",
    "workspace setting": "a workspace",
    "budget set": "whom or what it covers",
    "budget raised": "whom or what it covers",
    "budget removed": "whom or what it covers",
    "owner named": "a channel",
    "owner dismissed": "a channel",
    "digest on": "the person who gets it",
    "digest off": "the person who got it",
    "policy set": "a channel",
    "policy removed": "a channel",
    "example added": "a channel",
    "examples added": "a channel",
    "verdict overturned": "a channel",
    "version trained": "a channel",
    "version used": "a channel",
    "question closed": "a channel",
    "question wanted": "a channel",
    "questions asked again": "a channel",
    "question answered": "a channel",
    "people asked": "a channel",
    "answer confirmed": "a channel",
    "forgot thread": "a conversation",
    "forgot person": "a person",
    "forgot workspace": "a workspace",
    "forgot clip": "a message",
    "forgot message": "a message",
    "document added": "a channel, or whose it is",
    "document removed": "a document",
    "form saved": "a channel",
    "form removed": "a channel",
    "value reviewed": "a channel",
    "note dated": "a note",
    "retention": "a kind of row",
    "replayed": "a job",
    "discarded": "a job",
    "looked at": "a report",
    "looks missed": "how many",
    "told of AI": "a person",
    "not told of AI": "a person",
}


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that was done. `person`: who did it, empty for the operator or the process itself."""

    seq: int
    team: str
    person: str
    act: str
    about: str
    detail: str
    at: float  # unix seconds
    seal: str


def note(
    tx: Tx, act: str, about: str, *, team: str = "", person: str = "", detail: str = "", now: float
) -> None:
    """Adds an entry, in the transaction that does what it tells of."""
    if act not in ACTS:
        raise ValueError(act)
    tx.lock(LOCK)
    last = tx.one("select seal from audit order by seq desc limit 1")
    entry = AuditEntry(0, team, person, act, about, detail, float(now), "")
    tx.run(
        "insert into audit (team, person, act, about, detail, at, seal)"
        " values (:team, :person, :act, :about, :detail, :now, :seal)",
        team=team,
        person=person,
        act=act,
        about=about,
        detail=detail,
        now=entry.at,
        seal=_seal(entry, last["seal"] if last else FIRST),
    )


def latest(tx: Tx, act: str) -> dict[str, str]:
    """The last detail told of each thing that an act was done to."""
    rows = tx.all("select about, detail from audit where act = :act order by seq", act=act)
    return {row["about"]: row["detail"] for row in rows}


def find_last(tx: Tx, act: str, about: str, *, team: str) -> float:
    """When an act was last done to something; 0.0 where it never was."""
    which = "act = :act and about = :about and team = :team"
    row = tx.one(f"select max(at) as at from audit where {which}", act=act, about=about, team=team)
    return float(row["at"] or 0.0) if row else 0.0


def entries(tx: Tx, *, after: int = BEFORE_ALL) -> list[AuditEntry]:
    """The next entries, oldest first."""
    rows = tx.all("select * from audit where seq > :after order by seq limit :limit", after=after, limit=PAGE)
    return [AuditEntry(**row) for row in rows]


def every(tx: Tx) -> Iterator[AuditEntry]:
    """All of them, oldest first."""
    after = BEFORE_ALL
    while page := entries(tx, after=after):
        yield from page
        after = page[-1].seq


def broken(found: Iterable[AuditEntry], *, before: str = FIRST) -> int | None:
    """The first entry that does not follow from the one before it, whose seal is `before`; None when the
    chain is whole."""
    for entry in found:
        if entry.seal != _seal(entry, before):
            return entry.seq
        before = entry.seal
    return None


def holds(found: Iterable[AuditEntry], seal: str) -> bool:
    """Whether an entry whose seal was noted elsewhere is still there."""
    return any(entry.seal == seal for entry in found)


def _seal(entry: AuditEntry, before: str) -> str:
    told = [before, entry.team, entry.person, entry.act, entry.about, entry.detail, entry.at]
    return hashlib.sha256(json.dumps(told).encode("ascii")).hexdigest()
