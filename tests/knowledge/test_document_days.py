"""Questions to documents are counted by day, each channel's by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.database import open_engine
from storage.knowledge import document_days as days
from storage.knowledge.document_days import DocumentDay
from tests.support.engines import database_url

pytestmark = pytest.mark.both_engines


async def test_each_channel_and_day_has_its_own_counts(tmp_path: Path) -> None:
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        for team, channel, day, outcome in (
            ("T1", "C1", "2026-11-29", "answered"),
            ("T1", "C1", "2026-11-30", "answered"),
            ("T1", "C1", "2026-11-30", "answered"),
            ("T1", "C1", "2026-11-30", "refused"),
            ("T1", "C1", "2026-11-30", "general"),
            ("T1", "C2", "2026-11-30", "refused"),
            ("T2", "C1", "2026-11-30", "refused"),
        ):
            await engine.write(days.count_outcome, team, channel, day=day, outcome=outcome)
        found = await engine.read(days.list_days, "T1", "C1", since="2026-11-30")
        assert found == [DocumentDay("2026-11-30", answered=2, refused=1, general=1)]
        assert await engine.read(days.list_channels, "T1") == ["C1", "C2"]


async def test_counts_go_with_a_channel_that_goes_by_another_id(tmp_path: Path) -> None:
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        for channel, day in (("OLD", "2026-11-28"), ("OLD", "2026-11-30"), ("NEW", "2026-11-30")):
            await engine.write(days.count_outcome, "T1", channel, day=day, outcome="answered")
        await engine.write(days.move, "T1", "OLD", "NEW")
        found = await engine.read(days.list_days, "T1", "NEW", since="")
        assert [(day.day, day.answered) for day in found] == [("2026-11-28", 1), ("2026-11-30", 1)]
