"""What a monitor may know: counters, gauges and histograms as Prometheus text. No names, ids or content.

INSTRUMENTS is the one table of what is measured; whoever measures names a row of it. Cost and use per channel
are a report (`/parley usage`), not a metric.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

SERIES_LIMIT = 100  # label combinations per instrument; what comes after is counted as "other"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)


@dataclass(frozen=True, slots=True)
class Instrument:
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()


INSTRUMENTS: dict[str, Instrument] = {
    "parley_received_total": Instrument("counter", "posts taken in, or met again", ("outcome",)),
    "parley_acked_seconds": Instrument("histogram", "from Slack's request to our acknowledgement"),
    "parley_queue_depth": Instrument("gauge", "posts that wait for an answer"),
    "parley_oldest_age_seconds": Instrument("gauge", "age of the post that waits longest"),
    "parley_replies_total": Instrument("counter", "replies made final", ("outcome",)),
    "parley_unknown_jobs_total": Instrument("counter", "jobs parked because no worker here knows their kind"),
    "parley_redactions_total": Instrument("counter", "secrets taken out of answers"),
    "parley_slack_errors_total": Instrument("counter", "requests that Slack did not take", ("code",)),
    "parley_provider_attempts_total": Instrument("counter", "requests to the model API", ("kind", "outcome")),
    "parley_provider_open": Instrument("gauge", "1 while the model API is left alone after failures"),
    "parley_fallback_answers_total": Instrument(
        "counter", "answers of a further model, for one that did not answer", ("model",)
    ),
    "parley_first_text_seconds": Instrument("histogram", "from a model request to its first text"),
    "parley_model_waiting": Instrument("gauge", "model requests that wait for their turn"),
    "parley_model_forecast_seconds": Instrument(
        "gauge", "how long the last of those that wait is expected to wait from now on"
    ),
    "parley_model_waited_seconds": Instrument("histogram", "how long a model request waited for its turn"),
    "parley_tokens_total": Instrument("counter", "tokens used", ("model", "direction")),
    "parley_cost_usd_total": Instrument("counter", "priced cost in US dollars", ("model",)),
    "parley_cap_refusals_total": Instrument("counter", "requests not made because a budget was used up"),
    "parley_guard_decisions_total": Instrument(
        "counter", "questions judged against their subject", ("verdict",)
    ),
    "parley_loop_lag_seconds": Instrument(
        "gauge", "how late the event loop wakes, worst of the last seconds"
    ),
    "parley_audit_missed_total": Instrument("counter", "looks at reports that could not be written down"),
    "parley_db_write_seconds": Instrument(
        "histogram", "one write to a PostgreSQL server, from asked to durable"
    ),
    "parley_db_writes_total": Instrument("counter", "writes asked of the database"),
    "parley_db_retries_total": Instrument("counter", "transactions run again after a conflict with another"),
    "parley_db_reconnects_total": Instrument("counter", "connections to the database that were lost"),
    "parley_db_connections": Instrument("gauge", "connections that this process has to the database"),
    "parley_worker": Instrument("gauge", "this process's number on the database; 0 where it is alone"),
    "parley_workers": Instrument("gauge", "processes that live on the database; 0 where one is alone"),
    "parley_worker_silent_seconds": Instrument(
        "gauge", "since the last sign of life of the process on the database that is silent longest"
    ),
    "parley_jobs_running": Instrument("gauge", "what this process is at work on"),
    "parley_taken_over_total": Instrument("counter", "jobs taken over from processes that died or hung"),
}

Key = tuple[str, ...]


@dataclass(slots=True)
class _HistogramSeries:
    """One histogram series: how many values fell at or under each bound, and their sum."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    total: float = 0.0


class Metrics:
    """The values of every instrument. KeyError for one, or for a label, that the table does not have."""

    def __init__(self) -> None:
        self._values: dict[str, dict[Key, float]] = {}
        self._spreads: dict[str, dict[Key, _HistogramSeries]] = {}
        self._read: dict[str, Callable[[], float]] = {}

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        series = self._values.setdefault(name, {})
        key = _key(name, labels, series)
        series[key] = series.get(key, 0) + amount

    def set(self, name: str, value: float, **labels: str) -> None:
        series = self._values.setdefault(name, {})
        series[_key(name, labels, series)] = value

    def follow(self, name: str, read: Callable[[], float]) -> None:
        """A gauge, or a count kept elsewhere, that is read when somebody looks."""
        _key(name, {}, {})
        self._read[name] = read

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        series = self._spreads.setdefault(name, {})
        spread = series.setdefault(_key(name, labels, series), _HistogramSeries())
        spread.counts[bisect_left(SECONDS, seconds)] += 1
        spread.total += seconds

    def render(self) -> str:
        """Everything measured so far in Prometheus' text format.

        Source: Prometheus, "Exposition formats", text format 0.0.4.
        """
        return "".join(f"{line}\n" for name in INSTRUMENTS for line in self._lines(name))

    def _lines(self, name: str) -> Iterator[str]:
        instrument = INSTRUMENTS[name]
        yield f"# HELP {name} {instrument.help}"
        yield f"# TYPE {name} {instrument.kind}"
        if name in self._read:
            yield f"{name} {self._read[name]():.10g}"
        for key, value in self._values.get(name, {}).items():
            yield f"{name}{_labels(instrument.labels, key)} {value:.10g}"
        for key, spread in self._spreads.get(name, {}).items():
            yield from _histogram(name, instrument.labels, key, spread)


def _key(name: str, labels: dict[str, str], series: dict[Key, float] | dict[Key, _HistogramSeries]) -> Key:
    names = INSTRUMENTS[name].labels
    key = tuple(labels[label] for label in names)
    if len(labels) != len(names):
        raise KeyError(f"{name} has the labels {names}, not {tuple(labels)}")
    if key in series or len(series) < SERIES_LIMIT:
        return key
    return ("other",) * len(names)


def _histogram(name: str, labels: tuple[str, ...], key: Key, spread: _HistogramSeries) -> Iterator[str]:
    bounds = [*(f"{bound:g}" for bound in SECONDS), "+Inf"]
    for bound, count in zip(bounds, accumulate(spread.counts), strict=True):
        yield f"{name}_bucket{_labels((*labels, 'le'), (*key, bound))} {count}"
    yield f"{name}_sum{_labels(labels, key)} {spread.total:.10g}"
    yield f"{name}_count{_labels(labels, key)} {sum(spread.counts)}"


_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def _labels(names: tuple[str, ...], values: Key) -> str:
    pairs = ",".join(
        f'{name}="{value.translate(_ESCAPES)}"' for name, value in zip(names, values, strict=True)
    )
    return f"{{{pairs}}}" if pairs else ""


METRICS = Metrics()


@asynccontextmanager
async def loop_lag(metrics: Metrics = METRICS, *, every_s: float = 0.25) -> AsyncIterator[None]:
    """Keeps `parley_loop_lag_seconds` while the block runs; a spike fades within seconds."""
    loop = asyncio.get_running_loop()
    worst = 0.0
    timer: asyncio.TimerHandle

    def tick(due: float) -> None:
        nonlocal worst, timer
        worst = max(loop.time() - due, worst * 0.8)
        metrics.set("parley_loop_lag_seconds", worst)
        timer = loop.call_later(every_s, tick, loop.time() + every_s)

    timer = loop.call_later(every_s, tick, loop.time() + every_s)
    try:
        yield
    finally:
        timer.cancel()
