"""What the pictures of usage show: titles, values and alt texts. Drawn by bot/reports/chart_process.py.

Three charts: cost per channel over time, share by kind, and how a budget is used up, with a forecast. A chart
is a plain value, so that the serving process never loads a drawing library.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal

from bot.costs.amounts import dollars
from bot.costs.budgets import Standing
from bot.reports.formats import cost
from bot.reports.usage import Span, UsageRow, sum_rows, total

TOLD_APART = 7  # more colours than this nobody tells apart
REST = "all others"


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture before it is drawn. `values` are the rows of its data, `order` its names in order."""

    form: Literal["over_time", "share", "burn_down"]
    title: str
    subtitle: str
    alt: str  # the picture in words, for those who cannot see it
    values: tuple[Mapping[str, Any], ...]
    order: tuple[str, ...] = ()

    @property
    def shows_something(self) -> bool:
        """Is there an amount in it, so that it is worth looking at?"""
        return any(value["usd"] for value in self.values)


def over_time(rows: Sequence[UsageRow], span: Span, names: Mapping[str, str]) -> Chart:
    """Cost per channel and day. `rows` are by day and channel; `names` shows ids."""
    by_channel = sum_rows(rows, ("channel",))
    label = {row.channel: names.get(row.channel, row.channel) for row in by_channel[:TOLD_APART]}
    # Nothing on the first and on the last day, so that the axis is the whole span.
    nothing = Decimal(0)
    daily = {(day.isoformat(), name): nothing for name in label.values() for day in (span.first, span.last)}
    for row in rows:
        key = row.day, label.get(row.channel, REST)
        daily[key] = daily.get(key, nothing) + row.cost_usd
    order = (*label.values(), REST) if len(by_channel) > TOLD_APART else tuple(label.values())
    return Chart(
        "over_time",
        f"Cost per channel, {span.label}",
        _in_all(rows),
        f"Bars of cost per day and channel, {span.label}. {_in_all(rows)}. {_most(by_channel, names)}",
        tuple(
            {"day": day, "name": name, "usd": float(cost), "rank": order.index(name)}
            for (day, name), cost in daily.items()
        ),
        order,
    )


def share(rows: Sequence[UsageRow], span: Span) -> Chart:
    """Cost by kind of request. `rows` are by kind."""
    whole = total(rows).cost_usd or Decimal(1)
    values = tuple(
        {
            "name": row.kind,
            "usd": float(row.cost_usd),
            "label": f"{cost(row)} · {_percent(row.cost_usd / whole)}" if row.cost_usd else cost(row),
        }
        for row in sum_rows(rows, ("kind",))
    )
    told = "; ".join(f"{value['name']} {value['label']}" for value in values)
    return Chart(
        "share",
        f"What it was spent on, {span.label}",
        _in_all(rows),
        f"Bars of cost by kind of request, {span.label}. {_in_all(rows)}: {told}.",
        values,
        tuple(str(value["name"]) for value in values),
    )


def burn_down(standing: Standing, rows: Sequence[UsageRow], today: date, *, name: str) -> Chart:
    """What is left of a budget day by day, and where it goes at the pace so far. `rows` are by day."""
    first, ends, cap = standing.first, standing.ends, standing.cap_now_usd
    spent = {row.day: row.cost_usd for row in rows}
    left, actual = cap, [(first, cap)]
    for day in _days(first, min(today, ends - timedelta(days=1))):
        left -= spent.get(day.isoformat(), Decimal(0))
        actual.append((day + timedelta(days=1), left))
    days = len(actual) - 1
    pace = (cap - left) / days if days else Decimal(0)
    told = f"{dollars(cap - left)} of {dollars(cap)} used. {_outlook(cap, left, pace, first, ends)}"
    # Drawn in this order, what is known on top.
    lines = {
        "even pace": [(first, cap), (ends, Decimal(0))],
        "at this pace": _forecast(*actual[-1], pace, ends),
        "left": actual,
    }
    return Chart(
        "burn_down",
        f"Budget of {name}",
        told,
        f"Line of what is left of the budget of {name} from {_day(first)} to {_day(ends)}. {told}",
        tuple(
            {"day": day.isoformat(), "usd": float(usd), "line": line}
            for line, points in lines.items()
            for day, usd in points
        ),
        tuple(line for line in reversed(lines) if lines[line]),
    )


def _forecast(day: date, left: Decimal, pace: Decimal, ends: date) -> list[tuple[date, Decimal]]:
    """From where it stands to the end, or to the day on which nothing is left."""
    days = (ends - day).days
    if pace * days > left > 0:
        return [(day, left), (day + timedelta(days=int(left / pace)), Decimal(0))]
    return [(day, left), (ends, left - pace * days)] if days and left > 0 else []


def _percent(share: Decimal) -> str:
    return "under 1 %" if 0 < share < Decimal("0.01") else f"{share * 100:.0f} %"


def _outlook(cap: Decimal, left: Decimal, pace: Decimal, first: date, ends: date) -> str:
    """Of a budget of one day there is none: a day's pace is not known before it is over."""
    days = (ends - first).days
    if days == 1 or left <= 0:
        return f"It starts again on {_day(ends)}."
    if pace * days <= cap:
        return f"At this pace {dollars(cap - pace * days)} is left when it starts again on {_day(ends)}."
    return f"At this pace it is used up on {_day(first + timedelta(days=int(cap / pace)))}."


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _day(day: date) -> str:
    return f"{day.day} {day:%B}"


def _in_all(rows: Sequence[UsageRow]) -> str:
    whole = total(rows)
    unpriced = f", {whole.unpriced:,} of them without a known price" if whole.unpriced else ""
    requests = "1 request" if whole.requests == 1 else f"{whole.requests:,} requests"
    return f"{cost(whole)} in all, {requests}{unpriced}"


def _most(rows: Sequence[UsageRow], names: Mapping[str, str]) -> str:
    told = ", ".join(f"{names.get(row.channel, row.channel)} {cost(row)}" for row in rows[:3])
    return f"Most: {told}." if told else "Nothing was used."
