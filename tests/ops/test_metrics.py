"""What a monitor reads."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

import pytest

from bot.ops.metrics import INSTRUMENTS, SERIES_LIMIT, Metrics, loop_lag


def test_counters_gauges_and_histograms_as_prometheus_text() -> None:
    metrics = Metrics()
    metrics.count("parley_replies_total", outcome="whole")
    metrics.count("parley_replies_total", 2, outcome="whole")
    metrics.set("parley_queue_depth", 7)
    metrics.follow("parley_provider_open", lambda: 1.0)
    metrics.observe("parley_acked_seconds", 0.005)
    metrics.observe("parley_acked_seconds", 0.3)
    metrics.observe("parley_acked_seconds", 1e9)
    lines = metrics.render().splitlines()
    for line in (
        "# TYPE parley_replies_total counter",
        'parley_replies_total{outcome="whole"} 3',
        "parley_queue_depth 7",
        "parley_provider_open 1",
        'parley_acked_seconds_bucket{le="0.005"} 1',
        'parley_acked_seconds_bucket{le="0.5"} 2',
        'parley_acked_seconds_bucket{le="+Inf"} 3',
        "parley_acked_seconds_count 3",
    ):
        assert line in lines


def test_every_line_is_well_formed_and_every_instrument_described() -> None:
    metrics = Metrics()
    metrics.count("parley_slack_errors_total", code='a"b\\c\nd')
    text = metrics.render()
    value = re.compile(r'[a-z_]+(\{[a-z_]+="([^"\\\n]|\\.)*"(,[a-z_]+="([^"\\\n]|\\.)*")*\})? [-+0-9.e]+')
    for line in text.splitlines():
        assert line.startswith("# ") or value.fullmatch(line), line
    assert text.endswith("\n")
    assert all(f"# HELP {name} " in text for name in INSTRUMENTS)


def test_labels_cannot_grow_without_end() -> None:
    metrics = Metrics()
    for at in range(SERIES_LIMIT * 3):
        metrics.count("parley_slack_errors_total", code=f"code_{at}")
    lines = [line for line in metrics.render().splitlines() if line.startswith("parley_slack_errors_total")]
    assert len(lines) == SERIES_LIMIT + 1
    assert f'parley_slack_errors_total{{code="other"}} {SERIES_LIMIT * 2}' in lines


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("parley_unheard_of", {}),
        ("parley_replies_total", {}),
        ("parley_replies_total", {"outcome": "a", "user": "U1"}),
    ],
)
def test_what_the_table_does_not_have_is_refused(name: str, labels: dict[str, str]) -> None:
    with pytest.raises(KeyError):
        Metrics().count(name, 1, **labels)


def test_no_label_can_name_a_person_or_a_place() -> None:
    labels = {label for instrument in INSTRUMENTS.values() for label in instrument.labels}
    assert labels <= {"outcome", "code", "kind", "model", "direction", "verdict"}


async def test_a_blocked_loop_is_seen() -> None:
    metrics = Metrics()
    async with loop_lag(metrics, every_s=0.01):
        await asyncio.sleep(0.03)
        time.sleep(0.1)  # noqa: ASYNC251
        await asyncio.sleep(0.02)
    [line] = [line for line in metrics.render().splitlines() if line.startswith("parley_loop_lag_seconds ")]
    assert float(line.split()[1]) > 0.05


def test_whatever_is_declared_is_measured_somewhere() -> None:
    root = Path(__file__).parents[2]
    code = "".join(
        path.read_text("utf-8")
        for room in ("bot", "handlers", "storage")
        for path in (root / room).rglob("*.py")
    )
    assert [name for name in INSTRUMENTS if code.count(f'"{name}"') < 2] == []
