"""What a channel wants differently from the rest of the workspace: named values, set by people in it.

What a name means, and what holds where a channel set nothing, is the business of whoever reads it.
"""

from __future__ import annotations

from storage import audit
from storage.engine import Tx


def wishes(tx: Tx, team: str, channel: str) -> dict[str, str]:
    """Everything a channel has set, by name."""
    rows = tx.all(
        "select name, value from channel_wishes where team = :team and channel = :channel",
        team=team,
        channel=channel,
    )
    return {row["name"]: row["value"] for row in rows}


def wish(tx: Tx, team: str, channel: str, name: str, value: str, *, person: str, now: float) -> None:
    """Sets one value; the last one counts."""
    tx.run(
        "insert into channel_wishes (team, channel, name, value, changed_by, changed_at)"
        " values (:team, :channel, :name, :value, :person, :now) on conflict (team, channel, name)"
        " do update set value = :value, changed_by = :person, changed_at = :now",
        team=team,
        channel=channel,
        name=name,
        value=value,
        person=person,
        now=now,
    )
    audit.note(tx, "channel setting", channel, team=team, person=person, detail=name, now=now)
