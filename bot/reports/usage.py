"""Usage by day, channel, person, model and kind: the query in words, who may see what, and the rows.

Rows come from sums that are kept as the ledger settles (storage/costs/ledger.py), so a report is as fast over
ten million requests as over ten thousand. How rows look as text, CSV, … is bot/reports/formats.py's, pictures
are bot/reports/charts.py's.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from decimal import Decimal
from operator import add, attrgetter
from typing import Any, Literal, get_args

from bot.core.calendar import first_day, next_first_day
from bot.core.errors import NotUnderstood
from bot.costs.budgets import EACH, Budget, Standing
from bot.costs.pricing import usd
from bot.costs.viewer import Viewer
from bot.text.typed import find_nearest, tidy
from storage.costs import ledger
from storage.engine import Engine

By = Literal["day", "channel", "person", "model", "kind"]
BYS: tuple[By, ...] = get_args(By)
# What stands where a name is not for the viewer's eyes. Slack's identifiers never look like this.
PRIVATE_CHANNELS = "(private channels)"
OTHERS = "(others)"
HINT = (
    "Try: today, week, last week, month, last month or 2026-10; by channel, person, model, kind or day; csv."
)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTH_NAMES = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    "|nov(?:ember)?|dec(?:ember)?"
)
_MONTH = re.compile(
    r"(?P<year>\d{4})[-/.](?P<number>\d{1,2})"
    rf"|(?P<name>{_MONTH_NAMES})\.?(?: (?P<of>\d{{4}}))?"
)
_BY_WORDS: dict[str, By] = {
    **{name: by for by in BYS for name in (by, f"{by}s")},
    **dict.fromkeys(("people", "user", "users"), "person"),
}
SPAN, BY = "span of time", "column"
_PARTS = {
    "file": re.compile(r"(?:as )?csv(?: |$)"),
    BY: re.compile(rf"(?:by|per) (?P<by>{'|'.join(_BY_WORDS)})(?: |$)"),
    SPAN: re.compile(
        rf"(?:in |for )?(?P<span>today|(?:this |last )?(?:week|month)|{_MONTH.pattern})(?: +|$)"
    ),
}
_VOCABULARY = ("today", "week", "month", "last", "this", "by", "csv", *BYS)


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `first` through `last`, where the team lives."""

    first: date
    last: date
    label: str


@dataclass(frozen=True, slots=True)
class UsageQuery:
    """What a report is asked for in words."""

    span: Span
    by: tuple[By, ...] = ("channel",)
    csv: bool = False

    @property
    def scope(self) -> str:
        """The question in ids and words of ours."""
        return f"{self.span.first} to {self.span.last} by {', '.join(self.by)}{' as CSV' if self.csv else ''}"


@dataclass(frozen=True, slots=True)
class UsageRow:
    """Usage of one combination of day, channel, user, model and kind; '' where it is summed over all."""

    day: str = ""
    team: str = ""
    channel: str = ""
    user: str = ""
    model: str = ""
    kind: str = ""
    requests: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0  # of the input tokens
    output_tokens: int = 0
    audio_seconds: float = 0.0
    images: int = 0
    cost_usd: Decimal = Decimal(0)
    unpriced: int = 0  # requests whose price nobody knows; the cost is without them
    estimated: int = 0  # requests counted by us, because the provider said nothing
    wasted_usd: Decimal = Decimal(0)  # of the cost: requests that were charged and reached nobody


NAMES = ("day", "team", "channel", "user", "model", "kind")
FIGURES = tuple(f.name for f in fields(UsageRow) if f.name not in NAMES)


def parse(words: str, today: date) -> UsageQuery:
    """`[today|week|last month|2026-10] [by channel|person|model|kind|day] [csv]`, or NotUnderstood."""
    question = UsageQuery(_month(today))
    rest = tidy(words.replace(",", " ")).casefold().strip(" .!?'\"")
    given = set[str]()
    while rest:
        part, match = _next_part(rest)
        if part in given:
            raise NotUnderstood(match[0].strip(), f"One {part} at a time. {HINT}")
        given.add(part)
        if part == SPAN:
            question = replace(question, span=span(match["span"], today))
        elif part == BY:
            question = replace(question, by=(_BY_WORDS[match["by"]],))
        else:
            question = replace(question, csv=True)
        rest = rest[match.end() :]
    return question


def _next_part(rest: str) -> tuple[str, re.Match[str]]:
    """What the words begin with, by name."""
    for part, pattern in _PARTS.items():
        if match := pattern.match(rest):
            return part, match
    raise _not_understood(rest)


def _not_understood(words: str) -> NotUnderstood:
    word = words.partition(" ")[0]
    nearest = () if word in _VOCABULARY else find_nearest(word, _VOCABULARY)
    return NotUnderstood(words, "".join(f"Did you mean `{near}`? " for near in nearest) + HINT)


def span(words: str, today: date) -> Span:
    """today, week (from Monday), month, last week, last month, 2026-10, October, October 2026."""
    last, _, name = words.rpartition(" ") if words.startswith(("this ", "last ")) else ("", "", words)
    if words == "today":
        return Span(today, today, f"today, {today.day} {today:%B %Y}")
    if name == "week":
        monday = first_day(today, "week") - timedelta(days=7 if last == "last" else 0)
        return Span(monday, monday + timedelta(days=6), f"the week of {monday.day} {monday:%B %Y}")
    if name == "month":
        return _month(first_day(today, "month") - timedelta(days=1) if last == "last" else today)
    if (match := _MONTH.fullmatch(words)) and (day := _first_of(match, today)):
        return _month(day)
    raise _not_understood(words)


def _first_of(match: re.Match[str], today: date) -> date | None:
    """The first day of a month that is named in digits or by its name; the latest of that name."""
    number = int(match["number"]) if match["number"] else _MONTHS.index(match["name"][:3]) // 4 + 1
    year = int(match["year"] or match["of"] or today.year - (number > today.month))
    return date(year, number, 1) if 1 <= number <= 12 and year > 0 else None


def _month(day: date) -> Span:
    first = first_day(day, "month")
    return Span(first, next_first_day(first, "month") - timedelta(days=1), f"{first:%B %Y}")


async def usage(
    engine: Engine,
    team: str,
    span: Span,
    viewer: Viewer,
    *,
    by: Sequence[By] = ("channel",),
    where: Mapping[str, str] | None = None,
) -> list[UsageRow]:
    """What the viewer may see of a team's usage per combination of `by`, narrowed by `where` (By → value).

    Dearest first; days in their order.
    """
    # What may be shown depends on the channel and, where one person is asked for, on who that is.
    needed = () if viewer.admin else ("channel", *(name for name in ("person",) if name in (where or {})))
    columns = tuple(dict.fromkeys((*by, *needed)))
    days = span.first.isoformat(), span.last.isoformat()
    named = None if viewer.admin else ledger.Named(viewer.user, tuple(viewer.owns), OTHERS)
    found = await engine.read(ledger.used, team, *days, by=columns, where=dict(where or {}), named=named)

    def seen() -> list[UsageRow]:
        rows = permitted_rows((_row(team, line) for line in found), viewer)
        if "person" in needed:
            rows = [row for row in rows if row.user != OTHERS]
        return sum_rows(rows, by)

    # Not on the event loop: a year of many channels is thousands of rows.
    return await asyncio.to_thread(seen)


def permitted_rows(rows: Iterable[UsageRow], viewer: Viewer) -> list[UsageRow]:
    """The rows as this person may see them.

    A member sees the totals of the channels they can enter, and of people only themself; who owns a channel
    sees its people; an admin sees everything. A private channel's name is for its members only, also among
    admins, and its totals are for its members and admins.
    """
    return [_shown(row, viewer) for row in rows if viewer.admin or viewer.knows(row.channel)]


def _shown(row: UsageRow, viewer: Viewer) -> UsageRow:
    if not viewer.knows(row.channel):
        row = replace(row, channel=PRIVATE_CHANNELS)
    elif not _may_name(row, viewer):
        row = replace(row, user=OTHERS)
    return row


def _may_name(row: UsageRow, viewer: Viewer) -> bool:
    return viewer.admin or row.user in ("", viewer.user) or row.channel in viewer.owns


def permitted_standings(standings: Iterable[Standing], viewer: Viewer) -> list[Standing]:
    """The budgets this person may see: an admin all, others their own and their channels'."""
    return [standing for standing in standings if _may_see(standing.budget, viewer)]


def _may_see(budget: Budget, viewer: Viewer) -> bool:
    if budget.target == EACH:  # a rule; what is used of it is different for everybody
        return False
    if budget.scope == "channel":
        return viewer.knows(budget.target)
    return viewer.admin or (budget.scope == "person" and budget.target == viewer.user)


def sum_rows(rows: Iterable[UsageRow], by: Sequence[By] = ()) -> list[UsageRow]:
    """Rows that agree in `by` added up, dearest first; by days, in their order."""
    columns = ["user" if column == "person" else column for column in by]
    # The team twice, because of one name attrgetter gives no tuple.
    key_of, figures_of = attrgetter("team", "team", *columns), attrgetter(*FIGURES)
    sums: dict[tuple[str, ...], tuple[Any, ...]] = {}
    for row in rows:
        key, figures = key_of(row), figures_of(row)
        sums[key] = tuple(map(add, sums[key], figures)) if key in sums else figures
    names = ("team", *columns, *FIGURES)
    added = [UsageRow(**dict(zip(names, (*key[1:], *figures), strict=True))) for key, figures in sums.items()]
    return sorted(added, key=lambda row: (row.day, -row.cost_usd))


def total(rows: Iterable[UsageRow]) -> UsageRow:
    """All rows in one."""
    added = sum_rows(replace(row, team="") for row in rows)
    return added[0] if added else UsageRow()


def _row(team: str, line: Mapping[str, Any]) -> UsageRow:
    figures = {name: line[name] for name in FIGURES if name in line}
    return UsageRow(
        team=team,
        day=line.get("day", ""),
        channel=line.get("channel", ""),
        user=line.get("person", ""),
        model=line.get("model", ""),
        kind=line.get("kind", ""),
        cost_usd=usd(line["cost"]),
        wasted_usd=usd(line["wasted"]),
        **figures,
    )
