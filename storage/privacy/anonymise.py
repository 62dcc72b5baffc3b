"""Whose amounts they are, taken out of the ledger and its sums when a person is forgotten.

They go on under a name that is nobody's, so that every report still adds up. Where they were spent could tell
whose they are: direct messages get that name as well. In which order: bot/privacy/anonymise.py.
"""

from __future__ import annotations

from storage.costs.ledger import ADD_DAY, ADD_LINE
from storage.engine import Tx

DIRECT = "D"  # what the ids of direct messages begin with


def anonymise_rows(
    tx: Tx, team: str, person: str, marker: str, *, after: int, limit: int = 2000
) -> int | None:
    """Renames a person in the next `limit` rows after an id; the last id looked at, or None at the end."""
    last = tx.one(
        "select max(id) as id from (select id from ledger where id > :after order by id limit :limit) as p",
        after=after,
        limit=limit,
    )
    if last is None or last["id"] is None:
        return None
    tx.run(
        f"""update ledger set person = :marker, conversation = '',
        channel = case when channel like '{DIRECT}%' then :marker else channel end
        where id > :after and id <= :last and team = :team and person = :person""",
        marker=marker,
        after=after,
        last=last["id"],
        team=team,
        person=person,
    )
    return int(last["id"])


def days(tx: Tx, team: str) -> list[str]:
    """Every day on which a team used anything."""
    return [row["day"] for row in tx.all("select distinct day from usage_days where team = :team", team=team)]


def anonymise_day(tx: Tx, team: str, person: str, marker: str, *, day: str) -> None:
    """Adds a person's sums of a day, and of its month, to those of the marker."""
    directs = set()
    for row in tx.all(
        "delete from usage_days where team = :team and day = :day and person = :person returning *",
        team=team,
        day=day,
        person=person,
    ):
        if row["channel"].startswith(DIRECT):
            directs.add(row["channel"])
            row["channel"] = marker
        tx.run(ADD_DAY, **row | {"person": marker})
    for channel in directs:
        _anonymise_lines(
            tx, "channel = :channel", {"channel": marker}, team=team, month=day[:7], channel=channel
        )
    theirs = "dim = 'person' and value = :person"
    _anonymise_lines(tx, theirs, {"value": marker}, team=team, month=day[:7], person=person)


def _anonymise_lines(tx: Tx, which: str, renamed: dict[str, str], **values: str) -> None:
    for row in tx.all(
        f"delete from usage_months where team = :team and month = :month and {which} returning *", **values
    ):
        tx.run(ADD_LINE, **row | renamed)
