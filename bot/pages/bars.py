"""Bars on web pages, of boxes and text alone: they take the colours and the width of the page they stand on.

What a chart shows is said in its label too, for those who cannot see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

STYLE = Path(__file__).with_name("bars.css").read_text("utf-8")
LABELS = 7  # more of them do not fit below each other on a phone


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of thing over time: its amounts, one for each label of the chart."""

    name: str
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Bar:
    """One amount, and how it is written."""

    name: str
    value: float
    shown: str


def draw_over_time(title: str, labels: Sequence[str], series: Sequence[Series], *, said: str) -> str:
    """Amounts stacked on each other, from left to right. `said`: the chart in words."""
    sums = [sum(column) for column in zip(*(one.values for one in series), strict=True)]
    most = max(sums, default=0)
    every = -(-len(labels) // LABELS)
    columns = "".join(
        f'<div class="column" title="{escape(_tell_column(label, series, n))}">'
        f"{_stack(series, n, most)}<span>{escape(label) if n % every == 0 else ''}</span></div>"
        for n, label in enumerate(labels)
    )
    keys = "".join(
        f'<li><i class="part{n}"></i>{escape(one.name)}</li>'
        for n, one in enumerate(series)
        if any(one.values)
    )
    return _figure(
        title,
        f'<div class="columns" role="img" aria-label="{escape(said)}"><b>{most:,.10g}</b>{columns}</div>'
        f'<ul class="keys">{keys}</ul>',
    )


def _stack(series: Sequence[Series], n: int, most: float) -> str:
    parts = "".join(
        f'<i class="part{number}" style="height:{one.values[n] / most:.2%}"></i>'
        for number, one in enumerate(series)
        if one.values[n] > 0
    )
    return f'<div class="stack">{parts}</div>'


def _tell_column(label: str, series: Sequence[Series], n: int) -> str:
    return f"{label}: {', '.join(f'{one.values[n]:,.10g} {one.name}' for one in series)}"


def draw_ranked(title: str, bars: Sequence[Bar], *, said: str) -> str:
    """Amounts below each other, each with its name and its figure."""
    most = max((bar.value for bar in bars), default=0)
    rows = "".join(
        f"<span>{escape(bar.name)}</span><div>"
        f'<i class="part0" style="width:{_share(bar.value, most):.2%}"></i>{escape(bar.shown)}</div>'
        for bar in bars
    )
    return _figure(title, f'<div class="ranked" role="img" aria-label="{escape(said)}">{rows}</div>')


def _share(value: float, most: float) -> float:
    """Of the widest bar, which leaves room for its figure."""
    return 0.75 * max(0.0, value) / most if most > 0 else 0.0


def _figure(title: str, inner: str) -> str:
    return f'<figure class="bars"><figcaption>{escape(title)}</figcaption>{inner}</figure>'
