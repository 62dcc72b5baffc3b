"""How many questions documents answered, day by day and channel by channel: counts alone, no words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from storage.engine import Tx

# answered: from documents · refused: nothing there was enough · general: else the model said what it knows
Outcome = Literal["answered", "refused", "general"]


@dataclass(frozen=True, slots=True)
class DocumentDay:
    """A day's questions to the documents of a channel. `day` is a date where the workspace lives."""

    day: str
    answered: int = 0
    refused: int = 0
    general: int = 0


def count_outcome(tx: Tx, team: str, channel: str, *, day: str, outcome: Outcome) -> None:
    """One question more."""
    tx.run(
        f"""insert into document_days (team, channel, day, {outcome}) values (:team, :channel, :day, 1)
        on conflict (team, channel, day) do update set {outcome} = document_days.{outcome} + 1""",
        team=team,
        channel=channel,
        day=day,
    )


def move(tx: Tx, team: str, old: str, new: str) -> None:
    """The same counts where a channel goes by another id; those of a day that has some there already stay."""
    tx.run(
        """update document_days set channel = :new where team = :team and channel = :old and not exists (
            select 1 from document_days there
            where there.team = :team and there.channel = :new and there.day = document_days.day)""",
        team=team,
        old=old,
        new=new,
    )


def list_days(tx: Tx, team: str, channel: str, *, since: str) -> list[DocumentDay]:
    """The days on which something was asked, oldest first."""
    rows = tx.all(
        """select day, answered, refused, general from document_days
        where team = :team and channel = :channel and day >= :since order by day""",
        team=team,
        channel=channel,
        since=since,
    )
    return [DocumentDay(**row) for row in rows]


def list_channels(tx: Tx, team: str) -> list[str]:
    """Where documents are, or were asked: in channels and direct messages."""
    rows = tx.all(
        """select channel from documents where team = :team and audience in ('channel', 'thread')
        union select channel from document_days where team = :team order by channel""",
        team=team,
    )
    return [row["channel"] for row in rows if row["channel"]]
