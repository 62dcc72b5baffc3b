"""Answers the usage page; `respond` is all that a route has to call.

It reads the query, gathers what the viewer may see and answers with the page (bot/reports/usage_page.py), CSV
or Parquet. Who the viewer is and what ids are called in Slack is the handlers' to know; links are signed in
bot/pages/signed_links.py.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.costs.budgets import Budgets, Standing, title_budget
from bot.costs.viewer import OPERATOR, Viewer
from bot.pages import html
from bot.pages.html import Response
from bot.reports import chart_images
from bot.reports.chart_images import Picture
from bot.reports.charts import Chart, burn_down, over_time, share
from bot.reports.formats import as_csv, as_parquet
from bot.reports.usage import (
    BYS,
    OTHERS,
    PRIVATE_CHANNELS,
    By,
    Span,
    UsageRow,
    parse,
    permitted_standings,
    usage,
)
from bot.reports.usage_page import NARROW, Filters, View, page
from storage.engine import Engine

FORMATS = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


@dataclass(frozen=True, slots=True)
class PageData:
    """Where the page's figures come from and for whom.

    `names` tells what Slack shows for ids; `draw` draws charts, which `None` leaves out.
    """

    engine: Engine
    budgets: Budgets
    team: str
    viewer: Viewer
    today: date
    names: Callable[[Iterable[str]], Awaitable[Mapping[str, str]]]
    draw: Callable[[Sequence[Chart]], Awaitable[list[Picture]]] | None

    async def rows(self, span: Span, *by: By, where: Mapping[str, str]) -> list[UsageRow]:
        return await usage(self.engine, self.team, span, self.viewer, by=by, where=where)


async def respond(data: PageData, query: Mapping[str, str]) -> Response:
    """The page for a query, or with format=csv|parquet its rows. NotUnderstood for unknown words."""
    filters = filters_of(query, data.today)
    if (form := query.get("format", "")) in FORMATS:
        rows = await data.rows(filters.span, *BYS, where=filters.where)
        names = await data.names({id for row in rows for id in (row.channel, row.user)})
        return _download(rows, form, names, shows=f"{_shows(filters)} as {form}")
    view = await gather(data, filters)
    nonce = secrets.token_urlsafe(16)
    script = await chart_images.script() if view.drawn else ""
    whole = page(view, token=query.get("token", ""), script=script, nonce=nonce)
    return html.respond(whole, nonce=nonce, shows=_shows(filters))


def filters_of(query: Mapping[str, str], today: date) -> Filters:
    """The filters of a query; NotUnderstood when a span or a column is none we know."""
    word = query.get("span") or "month"
    question = parse(f"{word} by {query.get('by') or 'channel'}", today)
    where = {str(name): query[name] for name in NARROW if query.get(name)}
    return Filters(word, question.span, question.by[0], where)


async def gather(data: PageData, filters: Filters) -> View:
    """Everything the viewer may see under these filters, with its charts drawn where they can be."""
    span, where = filters.span, filters.where
    choices = {by: _choices(await data.rows(span, by, where={}), by) for by in NARROW}
    standings = permitted_standings(await data.budgets.standings(data.team), data.viewer)
    rows = await data.rows(span, filters.by, where=where)
    names = await data.names(
        {*choices["channel"], *choices["person"], *(standing.budget.target for standing in standings)}
    )
    charts: list[Chart] = []
    if rows and data.draw:
        charts.append(over_time(await data.rows(span, "day", "channel", where=where), span, names))
        charts.append(share(await data.rows(span, "kind", where=where), span))
        charts += [await burn_down_of(data.engine, one, data.today, names=names) for one in standings[:1]]
    charts = [chart for chart in charts if chart.shows_something]
    drawn = await data.draw(charts) if data.draw and charts else []
    return View(filters, data.today, rows, choices, standings, drawn, names, data.viewer.gap)


async def burn_down_of(engine: Engine, standing: Standing, today: date, *, names: Mapping[str, str]) -> Chart:
    """How a budget is used up, for somebody who may see the budget."""
    budget = standing.budget
    where: dict[str, str] = {} if budget.scope == "workspace" else {budget.scope: budget.target}
    span = Span(standing.first, standing.ends - timedelta(days=1), "")
    # Whoever may see the budget may see what was spent of it.
    rows = await usage(engine, budget.team, span, OPERATOR, by=("day",), where=where)
    return burn_down(standing, rows, today, name=title_budget(budget, names))


def _choices(rows: Sequence[UsageRow], by: By) -> list[str]:
    values = (row.user if by == "person" else getattr(row, by) for row in rows)
    return sorted(value for value in values if value not in ("", OTHERS, PRIVATE_CHANNELS))


def _shows(filters: Filters) -> str:
    """What is narrowed to is told by its name alone: an address may hold anything."""
    narrowed = f" of one {', '.join(filters.where)}" if filters.where else ""
    return f"{filters.span.first} to {filters.span.last} by {filters.by}{narrowed}"


def _download(rows: Sequence[UsageRow], form: str, names: Mapping[str, str], *, shows: str) -> Response:
    body = as_parquet(rows) if form == "parquet" else as_csv(rows, names=names).encode()
    return html.download(body, kind=FORMATS[form], name=f"usage.{form}", shows=shows)
