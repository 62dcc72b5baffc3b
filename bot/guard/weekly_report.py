"""What the guards of a workspace did, week by week."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from bot.costs.pricing import usd
from storage.engine import Engine
from storage.guard import verdicts


@dataclass(frozen=True, slots=True)
class Week:
    """What a guard did in one channel in the week from `begins_at` (unix seconds)."""

    channel: str
    begins_at: float
    refused: int
    allowed: int
    overturned: int  # of both, by people
    cost_usd: Decimal


async def read_weeks(engine: Engine, team: str, *, since: float, channel: str = "") -> list[Week]:
    """Per channel and week, latest week first; all channels when none is named."""
    rows = await engine.read(verdicts.count_by_week, team, since=since, channel=channel)
    return [
        Week(r["channel"], r["week"], r["refused"], r["allowed"], r["overturned"], usd(r["cost"]))
        for r in rows
    ]
