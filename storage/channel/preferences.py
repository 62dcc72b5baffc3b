"""What a channel wants differently from the rest of the workspace: named values, set by people in it.

What a name means, and what holds where a channel set nothing, is the business of whoever reads it. Under an
empty channel stands what people set for their whole workspace.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from storage import audit
from storage.engine import Tx


@dataclass(frozen=True, slots=True)
class Wish:
    """What one channel set under a name."""

    team: str
    channel: str
    value: str
    person: str = ""  # who set it


def wishes(tx: Tx, team: str, channel: str) -> dict[str, str]:
    """Everything a channel has set, by name."""
    return wishes_of(tx, team, channel, channel)[channel]


def wishes_of(tx: Tx, team: str, first: str, second: str) -> dict[str, dict[str, str]]:
    """The same of two channels, by channel."""
    found: dict[str, dict[str, str]] = {first: {}, second: {}}
    for row in tx.all(
        "select channel, name, value from channel_wishes where team = :team and channel in (:first, :second)",
        team=team,
        first=first,
        second=second,
    ):
        found[row["channel"]][row["name"]] = row["value"]
    return found


def wishing(tx: Tx, name: str) -> list[Wish]:
    """Every channel that has set something under a name."""
    rows = tx.all(
        "select team, channel, value, changed_by as person from channel_wishes where name = :name"
        " order by team, channel",
        name=name,
    )
    return [Wish(**row) for row in rows]


def channels_wishing(tx: Tx, team: str, names: Collection[str]) -> list[str]:
    """The channels of a workspace that have set something under one of these names."""
    rows = tx.all(
        "select channel, name from channel_wishes where team = :team and channel <> '' and value <> ''"
        " order by channel",
        team=team,
    )
    return list(dict.fromkeys(row["channel"] for row in rows if row["name"] in names))


def wish(
    tx: Tx, team: str, channel: str, name: str, value: str, *, person: str, detail: str = "", now: float
) -> None:
    """Sets one value; the last one counts. `detail`: what may be written down of it, beside its name."""
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
    told = f"{name} {detail}".strip()
    act, about = ("channel setting", channel) if channel else ("workspace setting", team)
    audit.note(tx, act, about, team=team, person=person, detail=told, now=now)
