"""What is drawn above a table of fields: money per month, and how often each kind of thing occurs.

Only what is sure is added up: a value that somebody still has to look at is left out, and that is said.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from bot.core.calendar import next_first_day
from bot.fields.values import Field, FieldForm, FieldRow
from bot.pages.bars import Bar, Series, draw_over_time, draw_ranked

CURRENCIES = 2
MONTHS = 36
RANKED = 8
KINDS_MOST = 40  # of more different texts than this a chart says nothing


def draw_charts(form: FieldForm, rows: Sequence[FieldRow]) -> str:
    """Their markup; "" where there is nothing to be drawn."""
    drawn = [*_draw_money(form, rows), *_draw_kinds(form, rows)]
    return f'<div class="charts">{"".join(drawn)}</div>' if drawn else ""


def find_sure(row: FieldRow, field: Field) -> str:
    """What a field of a row means; "" where there is nothing, or somebody has to look at it."""
    value = row.find(field.name)
    return value.value if value and not value.open else ""


def find_total(form: FieldForm) -> Field | None:
    """The money that is added up: the total of a sum, else the last that the form names."""
    totals = {check.total for check in form.checks if check.kind == "sum"}
    money = [field for field in form.fields if field.type == "money"]
    named = [field for field in money if field.name in totals]
    return next(reversed(named or money), None)


def sum_by_month(
    rows: Iterable[FieldRow], day: Field, money: Field
) -> tuple[dict[str, dict[date, Decimal]], int]:
    """By currency and month, and how many rows were left out."""
    sums = defaultdict[str, dict[date, Decimal]](lambda: defaultdict(Decimal))
    left_out = 0
    for row in rows:
        currency, _, amount = find_sure(row, money).rpartition(" ")
        on = find_sure(row, day)
        if not on or not amount:
            left_out += 1
            continue
        sums[currency][date.fromisoformat(on).replace(day=1)] += Decimal(amount)
    return dict(sums), left_out


def count_kinds(form: FieldForm, rows: Sequence[FieldRow]) -> tuple[str, Counter[str]]:
    """The first field whose values occur more than once, a choice before a text, and how often each does."""
    of_type = (field for type in ("choice", "text") for field in form.fields if field.type == type)
    for field in of_type:
        counted = Counter(filter(None, (find_sure(row, field) for row in rows)))
        if counted and len(counted) <= KINDS_MOST and max(counted.values()) > 1:
            return field.name, counted
    return "", Counter()


def _draw_money(form: FieldForm, rows: Sequence[FieldRow]) -> Iterable[str]:
    money, day = find_total(form), next((field for field in form.fields if field.type == "date"), None)
    if money is None or day is None:
        return
    sums, left_out = sum_by_month(rows, day, money)
    for currency in sorted(sums, key=lambda one: -len(sums[one]))[:CURRENCIES]:
        months = list_months(sums[currency])
        amounts = [sums[currency].get(month, Decimal(0)) for month in months]
        title = f"{money.name} per month, {currency}".rstrip(", ")
        rest = f" Left out, because somebody has to look at them: {left_out:,}." if left_out else ""
        said = f"{title}: bars from {months[0]:%B %Y} to {months[-1]:%B %Y}, in all {sum(amounts):,}.{rest}"
        labels = [f"{month:%b %y}" for month in months]
        series = [Series(currency or money.name, [float(amount) for amount in amounts])]
        yield draw_over_time(f"{title}, in all {sum(amounts):,}", labels, series, said=said)


def list_months(known: Iterable[date]) -> list[date]:
    """Every month from the first to the last, those too of which nothing is known; the newest of too many."""
    first, last = min(known), max(known)
    months = [first]
    while months[-1] < last:
        months.append(next_first_day(months[-1], "month"))
    return months[-MONTHS:]


def _draw_kinds(form: FieldForm, rows: Sequence[FieldRow]) -> Iterable[str]:
    name, counted = count_kinds(form, rows)
    if not counted:
        return
    most = counted.most_common(RANKED)
    title = f"By {name}, n = {counted.total():,}"
    said = f"{title}: {'; '.join(f'{kind} {times:,}' for kind, times in most)}."
    yield draw_ranked(title, [Bar(kind, times, f"{times:,}") for kind, times in most], said=said)
