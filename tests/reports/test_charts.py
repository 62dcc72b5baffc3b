"""What pictures say and that they can be drawn, each by the real child process."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from bot.core.errors import BotError
from bot.costs.budgets import Budget, Standing
from bot.reports import chart_images
from bot.reports.chart_process import specification
from bot.reports.charts import REST, Chart, burn_down, over_time, share
from bot.reports.usage import UsageRow, span

TODAY = date(2026, 11, 10)
MONTH = span("month", TODAY)


def spent(day: int, channel: str = "", dollars: str = "1") -> UsageRow:
    return UsageRow(day=f"2026-11-{day:02}", channel=channel, requests=1, cost_usd=Decimal(dollars))


def standing(cap: str, spent_usd: str = "0") -> Standing:
    budget = Budget("T1", "workspace", "", "month", Decimal(cap))
    first, ends = date(2026, 11, 1), date(2026, 12, 1)
    return Standing(budget, Decimal(spent_usd), Decimal(0), Decimal(cap), first, ends)


def points(chart: Chart, line: str) -> list[tuple[str, float]]:
    return [(value["day"], value["usd"]) for value in chart.values if value["line"] == line]


def test_the_dearest_channels_are_told_apart_and_the_others_added_up() -> None:
    rows = [spent(1 + n % 2, f"C{n}", str(20 - n)) for n in range(10)]
    chart = over_time(rows, MONTH, {"C0": "#general"})
    assert chart.order == ("#general", *(f"C{n}" for n in range(1, 7)), REST)
    assert sum(value["usd"] for value in chart.values) == float(sum(row.cost_usd for row in rows))
    assert {value["day"] for value in chart.values} == {"2026-11-01", "2026-11-02", "2026-11-30"}
    others = sorted((value["day"], value["usd"]) for value in chart.values if value["name"] == REST)
    assert others == [("2026-11-01", 12.0), ("2026-11-02", 24.0)]


def test_alt_texts_say_in_words_what_the_picture_shows() -> None:
    rows = [spent(1, "C1", "3"), spent(1, "C2", "1.5")]
    assert over_time(rows, MONTH, {"C1": "#general"}).alt == (
        "Bars of cost per day and channel, November 2026. $4.50 in all, 2 requests. "
        "Most: #general $3.00, C2 $1.50."
    )
    kinds = [
        UsageRow(kind="answer", requests=9, cost_usd=Decimal("9.99")),
        UsageRow(kind="title", cost_usd=Decimal("0.01")),
    ]
    assert share(kinds, MONTH).alt.endswith("9 requests: answer $9.99 · 100 %; title $0.01 · under 1 %.")


def test_a_budget_burns_down_to_what_is_left_and_on_at_its_pace() -> None:
    chart = burn_down(standing("60"), [spent(day) for day in range(1, 11)], TODAY, name="the workspace")
    assert points(chart, "left")[0] == ("2026-11-01", 60.0)
    assert points(chart, "left")[-1] == ("2026-11-11", 50.0)
    assert points(chart, "at this pace") == [("2026-11-11", 50.0), ("2026-12-01", 30.0)]
    assert (
        chart.subtitle
        == "$10.00 of $60.00 used. At this pace $30.00 is left when it starts again on 1 December."
    )


def test_a_budget_that_will_not_last_says_when_it_ends() -> None:
    chart = burn_down(standing("15"), [spent(day) for day in range(1, 11)], TODAY, name="the workspace")
    assert points(chart, "at this pace") == [("2026-11-11", 5.0), ("2026-11-16", 0.0)]
    assert chart.subtitle == "$10.00 of $15.00 used. At this pace it is used up on 16 November."


def test_an_overspent_budget_has_no_future() -> None:
    chart = burn_down(standing("5"), [spent(day) for day in range(1, 11)], TODAY, name="x")
    assert points(chart, "at this pace") == []
    assert points(chart, "left")[-1] == ("2026-11-11", -5.0)
    assert chart.subtitle == "$10.00 of $5.00 used. It starts again on 1 December."


def test_the_pace_of_a_day_is_not_foretold_before_the_day_is_over() -> None:
    budget = Budget("T1", "channel", "C1", "day", Decimal(2))
    today = Standing(budget, Decimal(1), Decimal(0), Decimal(2), TODAY, TODAY + timedelta(days=1))
    chart = burn_down(today, [spent(10)], TODAY, name="#general, daily")
    assert chart.subtitle == "$1.00 of $2.00 used. It starts again on 11 November."
    assert specification(chart)["encoding"]["x"]["axis"]["tickCount"] == "day"


def test_where_nothing_has_a_price_there_is_nothing_to_draw() -> None:
    unpriced = [UsageRow(day="2026-11-10", channel="C1", kind="answer", requests=4, unpriced=4)]
    assert not over_time(unpriced, MONTH, {}).shows_something
    assert not share(unpriced, MONTH).shows_something
    assert share([*unpriced, spent(1)], MONTH).shows_something


@pytest.mark.parametrize(
    "today", [date(2026, 11, 1), date(2026, 11, 30), date(2026, 12, 1) + timedelta(days=9)]
)
def test_the_first_and_the_last_day_of_a_budget_can_be_drawn(today: date) -> None:
    chart = burn_down(standing("5"), [], today, name="x")
    assert points(chart, "left")[-1][1] == 5.0
    assert specification(chart)["title"]["text"] == "Budget of x"


def test_a_day_does_not_move_with_the_readers_time_zone() -> None:
    spec = specification(over_time([spent(1, "C1")], MONTH, {}))
    assert spec["encoding"]["x"]["timeUnit"] == "utcyearmonthdate"
    assert spec["encoding"]["x"]["scale"]["type"] == "utc"


async def test_charts_become_png_at_twice_the_size_with_alt_text() -> None:
    rows = [spent(1, "C1"), spent(2, "</script>")]
    charts = [over_time(rows, MONTH, {}), share([UsageRow(kind="answer", cost_usd=Decimal(1))], MONTH)]
    drawn = await chart_images.draw(charts)
    for chart, picture in zip(charts, drawn, strict=True):
        assert picture.png.startswith(b"\x89PNG")
        assert int.from_bytes(picture.png[16:20]) > 1_200
        assert picture.alt == picture.spec["description"] == chart.alt


async def test_a_chart_that_cannot_be_drawn_is_an_error_not_a_hang() -> None:
    with pytest.raises(BotError, match="KeyError"):
        await chart_images.draw([Chart("pie", "", "", "", ())])  # type: ignore[arg-type]


async def test_the_script_for_the_page_is_whole_and_cannot_end_its_tag() -> None:
    script = await chart_images.script()
    assert "vegaEmbed" in script
    assert "</script" not in script.lower()


def test_whoever_draws_is_told_no_secret() -> None:
    ours = {
        "SLACK_BOT_TOKEN": "xoxb-1",
        "OPENAI_API_KEY": "sk-1",
        "PATH": "/bin",
        "LC_ALL": "C",
        "PYTHONPATH": "/x",
    }
    told = chart_images.child_environment(ours)
    assert told.keys() == {"PATH", "LC_ALL", "PYTHONPATH"}
    assert told["PYTHONPATH"].endswith(":/x")
