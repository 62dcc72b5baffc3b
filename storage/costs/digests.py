"""Who gets a weekly digest, and the last week for which they got one (or did not want any yet)."""

from __future__ import annotations

from typing import Any

from storage import audit
from storage.engine import Tx


def subscribe(tx: Tx, team: str, person: str, week: str, *, now: float) -> None:
    """From now on; `week` is the first day of the last week that needs none."""
    new = tx.changed(
        """insert into digests (team, person, week) values (:team, :person, :week)
        on conflict (team, person) do nothing""",
        team=team,
        person=person,
        week=week,
    )
    if new:
        audit.note(tx, "digest on", person, team=team, person=person, now=now)


def unsubscribe(tx: Tx, team: str, person: str, *, now: float) -> None:
    gone = tx.changed("delete from digests where team = :team and person = :person", team=team, person=person)
    if gone:
        audit.note(tx, "digest off", person, team=team, person=person, now=now)


def due(tx: Tx, week: str) -> list[dict[str, Any]]:
    """Everyone whose last digest is of an earlier week (team, person)."""
    return tx.all("select team, person from digests where week < :week order by team, person", week=week)


def mark_sent(tx: Tx, team: str, person: str, week: str) -> None:
    tx.run(
        "update digests set week = :week where team = :team and person = :person",
        team=team,
        person=person,
        week=week,
    )
