"""Who owns a channel beside its creator: those an admin has named."""

from __future__ import annotations

from storage import audit
from storage.engine import Tx


def name(tx: Tx, team: str, channel: str, person: str, *, by: str, at: float) -> None:
    """Makes a person an owner; naming an owner again changes nothing."""
    new = tx.changed(
        """insert into channel_owners (team, channel, person, named_by, at)
        values (:team, :channel, :person, :by, :at) on conflict (team, channel, person) do nothing""",
        team=team,
        channel=channel,
        person=person,
        by=by,
        at=at,
    )
    if new:
        audit.note(tx, "owner named", channel, team=team, person=by, detail=person, now=at)


def dismiss(tx: Tx, team: str, channel: str, person: str, *, by: str, at: float) -> bool:
    """False when nobody had named that person."""
    gone = tx.changed(
        "delete from channel_owners where team = :team and channel = :channel and person = :person",
        team=team,
        channel=channel,
        person=person,
    )
    if gone:
        audit.note(tx, "owner dismissed", channel, team=team, person=by, detail=person, now=at)
    return bool(gone)


def of_channel(tx: Tx, team: str, channel: str) -> list[str]:
    """The people who were named for a channel."""
    rows = tx.all(
        "select person from channel_owners where team = :team and channel = :channel order by at",
        team=team,
        channel=channel,
    )
    return [row["person"] for row in rows]


def of_person(tx: Tx, team: str, person: str) -> list[str]:
    """The channels a person was named for."""
    rows = tx.all(
        "select channel from channel_owners where team = :team and person = :person",
        team=team,
        person=person,
    )
    return [row["channel"] for row in rows]
