"""What servers said of their models when they were last asked, and which notices of an end were given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from storage.engine import Tx
from storage.workers import changes


@dataclass(frozen=True, slots=True)
class EndingNotice:
    """One notice of the end of a model. Team and channel: whose owners are told; both "": the operator."""

    team: str
    channel: str
    model: str
    ends: str  # ISO date; "": it was not announced
    days: int  # the mark that was passed: so many days ahead, 0 when it has ended


def put_reported(tx: Tx, address: str, reported: Mapping[str, str], *, now: float) -> None:
    """What the server lists now: its models, each with the ISO date of its end or ""."""
    tx.lock(f"models of {address}")
    tx.run("delete from model_endings where address = :address", address=address)
    for model, ends in reported.items():
        tx.run(
            "insert into model_endings (address, model, ends, seen_at)"
            " values (:address, :model, :ends, :now)",
            address=address,
            model=model,
            ends=ends,
            now=now,
        )
    changes.note(tx, changes.ENDINGS)


def reported(tx: Tx, address: str) -> tuple[dict[str, str], float]:
    """The same as it was last seen, and when (unix seconds; 0: never)."""
    rows = tx.all("select model, ends, seen_at from model_endings where address = :address", address=address)
    return {row["model"]: row["ends"] for row in rows}, max((row["seen_at"] for row in rows), default=0.0)


def is_given(tx: Tx, notice: EndingNotice) -> bool:
    row = tx.one(
        "select 1 as given from ending_notices where team = :team and channel = :channel and model = :model"
        " and ends = :ends and days = :days",
        **_columns(notice),
    )
    return row is not None


def note_given(tx: Tx, notice: EndingNotice, *, now: float) -> None:
    tx.run(
        "insert into ending_notices (team, channel, model, ends, days, at)"
        " values (:team, :channel, :model, :ends, :days, :now)"
        " on conflict (team, channel, model, ends, days) do nothing",
        **_columns(notice),
        now=now,
    )


def _columns(notice: EndingNotice) -> dict[str, str | int]:
    return {
        "team": notice.team,
        "channel": notice.channel,
        "model": notice.model,
        "ends": notice.ends,
        "days": notice.days,
    }
