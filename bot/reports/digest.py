"""The weekly digest: what last week cost, for whoever asked to be told, as far as they may see it.

When it is due is decided here; handlers/costs/notices.py sends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.core.calendar import first_day
from bot.costs.budgets import Standing
from bot.costs.viewer import Viewer
from bot.reports.service import CostReports
from bot.reports.usage import Span, UsageRow, span
from storage.costs import digests
from storage.unanswered import questions

HOUR = 8  # on Mondays, where the team lives


@dataclass(frozen=True, slots=True)
class RefusedCount:
    """How many questions documents could not answer in a channel, and how many were answered after all."""

    channel: str
    refused: int
    repaired: int


@dataclass(frozen=True, slots=True)
class Digest:
    """A week and the one before, by channel, with the budgets the reader may see."""

    span: Span
    rows: Sequence[UsageRow]
    before: Sequence[UsageRow]
    standings: Sequence[Standing]
    unanswered: Sequence[RefusedCount] = ()


async def subscribe(costs: CostReports, team: str, person: str) -> None:
    """From next Monday on."""
    week = _week(costs).isoformat()
    await costs.engine.write(digests.subscribe, team, person, week, now=costs.calendar.now())


async def unsubscribe(costs: CostReports, team: str, person: str) -> None:
    await costs.engine.write(digests.unsubscribe, team, person, now=costs.calendar.now())


async def due_readers(costs: CostReports) -> list[tuple[str, str]]:
    """(team, person) of everybody who has not had the digest of last week, once it is Monday morning."""
    rows = await costs.engine.read(digests.due, _week(costs).isoformat())
    return [(row["team"], row["person"]) for row in rows]


async def mark_sent(costs: CostReports, team: str, person: str) -> None:
    await costs.engine.write(digests.mark_sent, team, person, _week(costs).isoformat())


async def make_digest(costs: CostReports, team: str, viewer: Viewer) -> Digest:
    """Last week as the viewer may see it."""
    last = _week(costs) - timedelta(days=1)
    week, before = span("week", last), span("week", last - timedelta(days=7))
    return Digest(
        week,
        await costs.rows(team, week, viewer, "channel"),
        await costs.rows(team, before, viewer, "channel"),
        await costs.standings(team, viewer),
        await count_unanswered(costs, team, week, viewer),
    )


async def count_unanswered(costs: CostReports, team: str, week: Span, viewer: Viewer) -> list[RefusedCount]:
    """By channel, of those that the viewer may know; where most was refused first."""
    since = costs.calendar.midnight(week.first).timestamp()
    until = costs.calendar.midnight(week.last + timedelta(days=1)).timestamp()
    rows = await costs.engine.read(questions.count_by_channel, team, since=since, until=until)
    found = [RefusedCount(row["channel"], row["refused"], row["answered"]) for row in rows]
    return sorted((one for one in found if viewer.knows(one.channel)), key=lambda one: -one.refused)


def _week(costs: CostReports) -> date:
    """The Monday of the running week, which begins with the digest of the one before."""
    now = datetime.fromtimestamp(costs.calendar.now(), costs.calendar.zone)
    return first_day((now - timedelta(hours=HOUR)).date(), "week")
