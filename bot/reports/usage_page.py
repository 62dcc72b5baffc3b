"""How the usage page looks: a `View` becomes one HTML file on the frame of all pages (bot/pages/html.py).

Pictures are images with alt text first; the script turns them into charts one can point at. Everything that
came from outside is escaped.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlencode

import orjson

from bot.costs.amounts import dollars
from bot.costs.budgets import Standing, title_budget
from bot.pages.html import figures, frame, select
from bot.pages.tables import Column, table
from bot.reports.chart_images import Picture
from bot.reports.formats import NAMED, SHOWN, cells, columns, compact, cost
from bot.reports.usage import BYS, By, Span, UsageRow, total

_BODY = Template(Path(__file__).with_name("usage_page.html").read_text("utf-8"))
_STYLE = Path(__file__).with_name("usage_page.css").read_text("utf-8")
_SCRIPTS = Template("""\
<script nonce="$nonce">$script</script>
<script nonce="$nonce" type="application/json" id="specs">$specs</script>
<script nonce="$nonce">
JSON.parse(document.getElementById("specs").textContent).forEach(function (spec, i) {
  vegaEmbed("#chart" + i, spec, { actions: false, renderer: "svg", ast: true });
});
</script>
""")
NARROW: tuple[By, ...] = ("channel", "person", "model", "kind")
MONTHS_BACK = 12


@dataclass(frozen=True, slots=True)
class Filters:
    """What the page is asked for: a span in words, what to add up by, what to narrow to."""

    word: str
    span: Span
    by: By
    where: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class View:
    """All that one page shows, already only what its viewer may see."""

    filters: Filters
    today: date
    rows: Sequence[UsageRow]
    choices: Mapping[By, Sequence[str]]
    standings: Sequence[Standing]
    drawn: Sequence[Picture]
    names: Mapping[str, str]
    gap: str = ""  # what is missing


def page(view: View, *, token: str, script: str, nonce: str) -> str:
    """The HTML. `script` is what shows charts, `nonce` what the content security policy lets run."""
    query = {"token": token, "span": view.filters.word, "by": view.filters.by, **view.filters.where}
    specs = orjson.dumps([picture.spec for picture in view.drawn]).decode().replace("<", "\\u003c")
    body = _BODY.substitute(
        token=escape(token),
        selects=_selects(view),
        figures=figures(_figures(total(view.rows))),
        budgets=_budgets(view),
        charts="".join(_figure(n, picture) for n, picture in enumerate(view.drawn)),
        heading=f"By {view.filters.by}",
        table=_table(view.rows, view.names) if view.rows else "<p>Nothing was used.</p>",
        downloads="".join(
            f'<a class="button" href="?{escape(urlencode({**query, "format": form}))}">{label}</a>'
            for form, label in (("csv", "CSV"), ("parquet", "Parquet"))
        ),
    )
    scripts = _SCRIPTS.substitute(nonce=nonce, script=script, specs=specs)
    title = f"Usage, {view.filters.span.label}"
    return frame(title, _subtitle(view), body, style=_STYLE, scripts=scripts)


def _subtitle(view: View) -> str:
    # A name is shown only where it was offered: whoever guesses an id does not learn what it is called.
    offered = {value for values in view.choices.values() for value in values}
    narrowed = [
        f"{by} {view.names.get(value, value) if value in offered else value}"
        for by, value in view.filters.where.items()
    ]
    shown = f"Only {', '.join(narrowed)}" if narrowed else "Everything you may see"
    return f"{shown}. {view.gap}" if view.gap else shown


def _selects(view: View) -> str:
    named = {by: [(value, view.names.get(value, value)) for value in view.choices[by]] for by in NARROW}
    parts = [
        select("span", "When", _spans(view.today), view.filters.word),
        select("by", "Added up by", [(by, by) for by in BYS], view.filters.by),
    ]
    parts += [
        select(by, by.capitalize(), [("", "all"), *named[by]], view.filters.where.get(by, ""))
        for by in NARROW
    ]
    return "\n".join(parts)


def _spans(today: date) -> list[tuple[str, str]]:
    spans = [("today", "today"), ("week", "this week"), ("month", "this month")]
    first = today.replace(day=1)
    for _ in range(MONTHS_BACK):
        first = (first - timedelta(days=1)).replace(day=1)
        spans.append((f"{first:%Y-%m}", f"{first:%B %Y}"))
    return spans


def _figures(whole: UsageRow) -> dict[str, str]:
    cached = f"{whole.cached_tokens / whole.input_tokens:.0%}" if whole.input_tokens else "–"
    shown = {
        "cost": cost(whole),
        "requests": f"{whole.requests:,}",
        "tokens in / out": f"{compact(whole.input_tokens)} / {compact(whole.output_tokens)}",
        "of the input from cache": cached,
    }
    if whole.unpriced:
        shown["requests without a known price"] = f"{whole.unpriced:,}"
    if whole.wasted_usd:
        shown["charged, reached nobody"] = dollars(whole.wasted_usd)
    return shown


def _budgets(view: View) -> str:
    if not view.standings:
        return ""
    return f"<section><h2>Budgets</h2>{''.join(_budget(s, view.names) for s in view.standings)}</section>"


def _budget(standing: Standing, names: Mapping[str, str]) -> str:
    cap, spent = standing.cap_now_usd, standing.spent_usd
    label = escape(title_budget(standing.budget, names))
    used = f"{spent / cap:.0%}" if cap else "–"
    return (
        f'<div class="budget"><span>{label}</span>'
        f'<progress max="{cap}" value="{min(spent, cap)}" aria-label="{label}">{used}</progress>'
        f'<span class="quiet">{dollars(spent)} of {dollars(cap)} ({used}), '
        f"again on {standing.ends.day} {standing.ends:%B}</span></div>"
    )


def _figure(number: int, picture: Picture) -> str:
    source = base64.b64encode(picture.png).decode()
    return (
        f'<figure><div id="chart{number}" role="img" aria-label="{escape(picture.alt)}">'
        f'<img alt="{escape(picture.alt)}" src="data:image/png;base64,{source}"></div></figure>'
    )


def _table(rows: Sequence[UsageRow], names: Mapping[str, str]) -> str:
    shown = columns(rows)
    titles = [Column(SHOWN[name][0], is_name=name in NAMED) for name in shown]
    texts = [cells(row, shown, names) for row in rows]
    return table(titles, texts, total=cells(total(rows), shown, {"": "total"}))
