"""Who was told that they talk with an AI: once under their first answer, and once when they invited it.

A row says who, when, where and by what (the id of a reply, a command, a note), and holds no words. It stays
when the person is forgotten: that they were told may have to be shown. The same stands in the audit list.
"""

from __future__ import annotations

from storage import audit
from storage.engine import Tx

ANSWER, INVITATION = "answer", "invitation"  # the occasions


def claim(tx: Tx, team: str, person: str, *, channel: str, source: str, now: float) -> bool:
    """Whether the answer `source` is the person's first, and has to tell them; the same however often it is
    asked."""
    told = _find(tx, team, person, ANSWER)
    if told is None:
        note(tx, team, person, ANSWER, channel=channel, source=source, now=now)
        told = _find(tx, team, person, ANSWER)
    return told == source


def is_told(tx: Tx, team: str, person: str) -> bool:
    """Whether an answer has told this person."""
    return _find(tx, team, person, ANSWER) is not None


def note(tx: Tx, team: str, person: str, occasion: str, *, channel: str, source: str, now: float) -> None:
    """The person was told; of each occasion the first time counts."""
    new = tx.changed(
        "insert into disclosures (team, person, occasion, channel, source, at)"
        " values (:team, :person, :occasion, :channel, :source, :now)"
        " on conflict (team, person, occasion) do nothing",
        team=team,
        person=person,
        occasion=occasion,
        channel=channel,
        source=source,
        now=now,
    )
    if new:
        audit.note(tx, "told of AI", person, team=team, detail=f"{occasion} in {channel}", now=now)


def take_back(tx: Tx, team: str, person: str, *, source: str, now: float) -> None:
    """What would have told the person was never to be seen, or is gone: the next answer does."""
    gone = tx.changed(
        "delete from disclosures where team = :team and person = :person and source = :source",
        team=team,
        person=person,
        source=source,
    )
    if gone:
        audit.note(tx, "not told of AI", person, team=team, detail="the answer was taken back", now=now)


def _find(tx: Tx, team: str, person: str, occasion: str) -> str | None:
    """What told them."""
    row = tx.one(
        "select source from disclosures where team = :team and person = :person and occasion = :occasion",
        team=team,
        person=person,
        occasion=occasion,
    )
    return None if row is None else str(row["source"])
