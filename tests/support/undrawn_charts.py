"""Charts that no process draws, for tests of what stands beside them: a drawing costs seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import pytest

from bot.reports import chart_images
from bot.reports.chart_images import Picture
from bot.reports.charts import Chart


async def keep_undrawn(charts: Sequence[Chart]) -> list[Picture]:
    """What each chart says, in the place of its specification."""
    return [Picture(b"\x89PNG", chart.alt, asdict(chart)) for chart in charts]


async def no_script() -> str:
    return ""


@pytest.fixture
def undrawn_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_images, "draw", keep_undrawn)
    monkeypatch.setattr(chart_images, "script", no_script)
