"""`python -m bot.reports.chart_process`: charts as JSON on stdin become PNG and Vega-Lite as JSON on stdout.

How a chart looks, and nothing else; what it says is bot/reports/charts.py's. Run by
bot/reports/chart_images.py, imported by nobody who serves. Days are UTC throughout: a date must not move with
the reader's time zone.
"""

from __future__ import annotations

import base64
import sys
from typing import Any

import altair as alt
import orjson
import vl_convert

from bot.reports.charts import Chart

WIDTH = 640
FONT = "Liberation Sans, Arial, Helvetica, DejaVu Sans, sans-serif"
INK, QUIET, GRID = "#1d1c1d", "#5c5a5e", "#e6e3e8"
# Told apart also by those who do not see all colours; the last is the rest.
# Source: Okabe and Ito, Color Universal Design, 2008.
COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8c6bb1", "#b0aeb3"]
LINES = {
    "left": (COLOURS[0], [1, 0]),
    "at this pace": (COLOURS[5], [7, 5]),
    "even pace": ("#a09da3", [2, 4]),
}
FEW_DAYS = 8  # so few have a label each; more are left to Vega
SNIPPET = "window.vegaEmbed = vegaEmbed;"
DAY = alt.Tooltip("utcyearmonthdate(day):T", format="%-d %B %Y", title="day")
LOOK: dict[str, Any] = {
    "background": "white",
    "padding": 20,
    "font": FONT,
    "view": {"stroke": None},
    "title": {
        "anchor": "start",
        "frame": "bounds",
        "fontSize": 22,
        "fontWeight": 700,
        "color": INK,
        "subtitleFontSize": 15,
        "subtitleColor": QUIET,
        "subtitlePadding": 8,
        "offset": 16,
    },
    "axis": {
        "labelFontSize": 14,
        "titleFontSize": 14,
        "titleFontWeight": "normal",
        "labelColor": QUIET,
        "titleColor": QUIET,
        "gridColor": GRID,
        "domain": False,
        "ticks": False,
        "labelPadding": 8,
    },
    "legend": {
        "orient": "bottom",
        "columns": 4,
        "labelFontSize": 14,
        "labelColor": INK,
        "labelLimit": 140,
        "title": None,
        "symbolType": "square",
        "symbolSize": 140,
        "columnPadding": 18,
        "rowPadding": 6,
        "offset": 14,
    },
}


def main() -> None:
    if sys.argv[1:] == ["script"]:
        sys.stdout.write(vl_convert.javascript_bundle(SNIPPET))
        return
    drawn = []
    for given in orjson.loads(sys.stdin.buffer.read()):
        spec = specification(Chart(**given))
        png = vl_convert.vegalite_to_png(spec, scale=2)
        drawn.append({"png": base64.b64encode(png).decode(), "spec": spec})
    sys.stdout.buffer.write(orjson.dumps(drawn))


def specification(chart: Chart) -> dict[str, Any]:
    """The Vega-Lite spec; altair checks it against the schema."""
    source = alt.Chart(alt.InlineData(values=[dict(value) for value in chart.values]))
    marks = {"over_time": _over_time, "share": _share, "burn_down": _burn_down}[chart.form](source, chart)
    title = alt.TitleParams(chart.title, subtitle=chart.subtitle)
    spec: dict[str, Any] = marks.properties(title=title, description=chart.alt, config=LOOK).to_dict()
    return spec


def _days(field: str, chart: Chart, **more: Any) -> alt.X:
    few = len({value["day"] for value in chart.values}) <= FEW_DAYS
    axis = alt.Axis(
        format="%-d %b",
        grid=False,
        labelOverlap="parity",
        labelSeparation=16,
        labelFlush=False,
        tickCount="day" if few else alt.Undefined,
    )
    return alt.X(field, title=None, axis=axis, **more)


def _dollars(title: str, chart: Chart, **more: Any) -> alt.Y:
    """The unit stands above the axis, where it can be read without turning one's head."""
    most = max((value["usd"] for value in chart.values), default=0.0)
    axis = alt.Axis(
        format="$,.2f" if 0.1 <= most < 5 else "$,~r",
        tickCount=5,
        titleAngle=0,
        titleAlign="left",
        titleAnchor="end",
        titleX=-40,
        titleY=-14,
    )
    return alt.Y("usd:Q", title=title, axis=axis, **more)


def _over_time(source: alt.Chart, chart: Chart) -> Any:
    names = list(chart.order)
    return (
        source.mark_bar()
        .encode(
            x=_days(
                "utcyearmonthdate(day):T", chart, bandPosition=0, scale=alt.Scale(type="utc", padding=16)
            ),
            y=_dollars("US dollars a day", chart, stack="zero"),
            color=alt.Color("name:N", sort=names, scale=alt.Scale(domain=names, range=COLOURS)),
            order=alt.Order("rank:Q", sort="ascending"),
            tooltip=[
                DAY,
                alt.Tooltip("name:N", title="channel"),
                alt.Tooltip("usd:Q", format="$,.4f", title="cost"),
            ],
        )
        .properties(width=WIDTH, height=300)
    )


def _share(source: alt.Chart, chart: Chart) -> Any:
    base = source.encode(
        y=alt.Y(
            "name:N", sort=list(chart.order), title=None, axis=alt.Axis(labelColor=INK, labelFontSize=15)
        ),
        x=alt.X("usd:Q", axis=None, scale=alt.Scale(padding=0)),
        tooltip=[alt.Tooltip("name:N", title="kind"), alt.Tooltip("label:N", title="cost")],
    )
    bars = base.mark_bar(color=COLOURS[0], height={"band": 0.66}, cornerRadiusEnd=3)
    labels = base.mark_text(align="left", dx=8, fontSize=15, color=INK).encode(text="label:N")
    return alt.layer(bars, labels).properties(width=WIDTH - 140, height=alt.Step(38))


def _burn_down(source: alt.Chart, chart: Chart) -> Any:
    lines = list(chart.order)
    colour = alt.Scale(domain=lines, range=[LINES[line][0] for line in lines])
    dash = alt.Scale(domain=lines, range=[LINES[line][1] for line in lines])
    return (
        source.mark_line(strokeWidth=3)
        .encode(
            x=_days("day:T", chart, scale=alt.Scale(type="utc")),
            y=_dollars("US dollars left", chart),
            color=alt.Color(
                "line:N",
                scale=colour,
                legend=alt.Legend(symbolType="stroke", symbolStrokeWidth=3, symbolSize=500),
            ),
            strokeDash=alt.StrokeDash("line:N", scale=dash),
            tooltip=[
                alt.Tooltip("line:N", title="line"),
                DAY,
                alt.Tooltip("usd:Q", format="$,.2f", title="left"),
            ],
        )
        .properties(width=WIDTH, height=300)
    )


if __name__ == "__main__":
    main()
