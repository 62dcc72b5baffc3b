"""Budgets as their owners see them: set, listed, raised for a while, and the one warning.

What a budget does to a request is in bot/costs/ledger.py and storage/costs/budgets.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

from bot.core.calendar import Calendar, Period, next_first_day
from bot.core.errors import Missing
from bot.costs.pricing import nano, usd
from storage.costs import budgets as rows
from storage.engine import Engine

BudgetScope = Literal["workspace", "channel", "person", "model", "kind"]
EACH = rows.EACH
ADJECTIVES: Mapping[str, str] = {"day": "daily", "week": "weekly", "month": "monthly"}


@dataclass(frozen=True, slots=True)
class Budget:
    """A cap in US dollars per period. `target` is what the scope names; EACH: one for every target."""

    team: str
    scope: BudgetScope
    target: str  # '' for the workspace
    period: Period
    cap_usd: Decimal
    owner: str = ""  # who is warned
    warn_percent: int = 80
    degrade: bool = False  # answer with the smaller model from 80 % on
    id: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget in its running period. `cap_now_usd` is above the cap while somebody has raised it."""

    budget: Budget
    spent_usd: Decimal
    reserved_usd: Decimal
    cap_now_usd: Decimal
    first: date
    ends: date  # the day it starts again
    gaps: tuple[str, ...] = ()  # models whose requests it lets pass, because no price of them is known


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the list of changes."""

    act: Literal["set", "raised", "removed"]
    scope: BudgetScope
    target: str
    period: Period
    cap_usd: Decimal
    until: datetime | None  # of what was raised
    reason: str
    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BudgetWarning:
    """A budget that passed its warning mark in the period that began at `first`."""

    budget: int
    team: str
    scope: BudgetScope
    owner: str
    what: str
    target: str
    first: str
    spent_usd: Decimal
    cap_usd: Decimal
    degrade: bool


@dataclass(frozen=True, slots=True)
class BudgetGap:
    """A model whose requests a budget cannot hold, because no price of it is known. `first`: since when."""

    budget: Budget
    model: str
    first: date


class Budgets:
    """The budgets of every team of this bot."""

    def __init__(self, engine: Engine, calendar: Calendar) -> None:
        self._engine = engine
        self._calendar = calendar

    async def put(self, budget: Budget, *, by: str = "") -> int:
        """Sets a budget and returns its number; one like it is changed and keeps what was spent.

        `by`: the person, who is written down; whether they may is the caller's to know.
        """
        return await self._engine.write(
            rows.put,
            team=budget.team,
            scope=budget.scope,
            target=budget.target,
            period=budget.period,
            cap=nano(budget.cap_usd),
            warn_percent=budget.warn_percent,
            degrade=int(budget.degrade),
            owner=budget.owner,
            by=by,
            at=self._calendar.now(),
        )

    async def remove(self, team: str, id: int, *, by: str = "") -> None:
        """Missing when the team has no such budget."""
        if not await self._engine.write(rows.remove, team, id, by=by, at=self._calendar.now()):
            raise Missing(f"budget {id}")

    async def override(self, id: int, cap_usd: Decimal, *, until: datetime, by: str, reason: str) -> None:
        """Another cap until a moment, in somebody's name. The caller sees to it that `by` is an admin."""
        await self._engine.write(
            rows.raise_for_a_while,
            budget=id,
            cap=nano(cap_usd),
            until_at=until.timestamp(),
            person=by,
            reason=reason,
            made_at=self._calendar.now(),
        )

    async def changes(self, team: str, *, limit: int = 10) -> list[Change]:
        """Who changed which budget, newest first."""
        return [_read_change(row) for row in await self._engine.read(rows.changes, team, limit)]

    async def standings(self, team: str) -> list[Standing]:
        """Each budget of the team and its use. One for EACH shows none: every target has its own."""
        now = self._calendar.now()
        found = await self._engine.read(rows.list_standings, team, now, self._calendar.firsts(now))
        return [_read_standing(row) for row in found]

    async def standings_in(self, team: str, channel: str) -> list[Standing]:
        """The budgets that everything in a channel counts towards: its own and the workspace's."""
        now = self._calendar.now()
        firsts = self._calendar.firsts(now)
        found = await self._engine.read(rows.list_in_channel, now, firsts, team=team, channel=channel)
        return [_read_standing(row) for row in found]

    async def due_warnings(self) -> list[BudgetWarning]:
        """The warnings to give. Call `note_warned` after giving one; a crash between leaves it due."""
        return [_read_warning(row) for row in await self._engine.read(rows.due_warnings)]

    async def note_warned(self, warning: BudgetWarning) -> None:
        """The owner was warned: not again in this period."""
        await self._engine.write(rows.mark_warned, warning.budget, warning.target, warning.first)

    async def due_gaps(self) -> list[BudgetGap]:
        """Models that budgets could not hold, to be told to their owners, as with `due_warnings`."""
        return [_read_gap(row) for row in await self._engine.read(rows.due_gaps)]

    async def note_gap_told(self, gap: BudgetGap) -> None:
        """The owner was told: not again."""
        await self._engine.write(rows.mark_gap_told, gap.budget.id, gap.model)


def name_budget(row: Mapping[str, Any]) -> str:
    """The budget in a sentence, before the word budget: monthly channel, daily personal, weekly gpt-6-sol."""
    what = {"person": "personal", "model": row["target"], "kind": row["target"]}.get(
        row["scope"], row["scope"]
    )
    return f"{ADJECTIVES[row['period']]} {what}"


def title_budget(budget: Budget, names: Mapping[str, str]) -> str:
    """The budget as a title: the workspace, monthly; #general, daily."""
    whose = names.get(budget.target, budget.target) if budget.target else "the workspace"
    return f"{whose}, {ADJECTIVES[budget.period]}"


def _read_budget(row: Mapping[str, Any]) -> Budget:
    return Budget(
        team=row["team"],
        scope=row["scope"],
        target=row["target"],
        period=row["period"],
        cap_usd=usd(row["cap"]),
        owner=row["owner"],
        warn_percent=row["warn_percent"],
        degrade=bool(row["degrade"]),
        id=row["id"],
    )


def _read_gap(row: Mapping[str, Any]) -> BudgetGap:
    return BudgetGap(_read_budget(row), row["model"], date.fromisoformat(row["noted"]))


def _read_standing(row: Mapping[str, Any]) -> Standing:
    budget = _read_budget(row)
    first = date.fromisoformat(row["first"])
    return Standing(
        budget,
        spent_usd=usd(row["spent"]),
        reserved_usd=usd(row["reserved"]),
        cap_now_usd=usd(row["cap_now"]),
        first=first,
        ends=next_first_day(first, budget.period),
        gaps=tuple(row.get("gaps", ())),
    )


def _read_change(row: Mapping[str, Any]) -> Change:
    return Change(
        act=row["act"],
        scope=row["scope"],
        target=row["target"],
        period=row["period"],
        cap_usd=usd(row["cap"]),
        until=None if row["until_at"] is None else datetime.fromtimestamp(row["until_at"], UTC),
        reason=row["reason"],
        person=row["person"],
        at=datetime.fromtimestamp(row["at"], UTC),
    )


def _read_warning(row: Mapping[str, Any]) -> BudgetWarning:
    return BudgetWarning(
        budget=row["id"],
        team=row["team"],
        scope=row["scope"],
        owner=row["owner"],
        what=name_budget(row),
        target=row["target"],
        first=row["first"],
        spent_usd=usd(row["spent"]),
        cap_usd=usd(row["cap"]),
        degrade=bool(row["degrade"]),
    )
