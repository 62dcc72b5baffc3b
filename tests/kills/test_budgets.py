"""`kill -9` between reserve, request and settle: nothing of a budget stays held, nothing is charged twice."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.core.calendar import Calendar, zone
from bot.costs.budgets import Budget, Budgets
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from storage.database import open_engine
from storage.engine import Tx
from tests.support.bot_messages import finals
from tests.support.engines import database_url
from tests.support.supervised import supervised
from tests.support.workspace import MANIFEST

POINTS = {
    "reserved, not asked": "write:open_row:after:1",
    "answered, not settled": "write:settle_row:before:1",
    "settled": "write:settle_row:after:1",
}


def books(tx: Tx) -> tuple[list[dict[str, Any]], ...]:
    return (
        tx.all("select outcome, cost, reserved from ledger order by id"),
        tx.all("select spent, reserved from budget_use"),
        tx.all("select * from budget_holds"),
        tx.all("select sum(cost) as cost, sum(requests) as requests from usage_days"),
    )


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
async def test_a_killed_process_leaves_the_books_in_order(tmp_path: Path, point: str) -> None:
    url = database_url(tmp_path / "parley.db")
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        async with open_engine(url) as engine:
            budget = Budget(slack.team, "workspace", "", "month", Decimal(1))
            await Budgets(engine, Calendar(zone("UTC"))).put(budget)
        async with supervised(slack, model, tmp_path, kill_at=[point]) as bot:
            await slack.until(lambda: slack.counts["apps.connections.open"] >= 2, 90)
            thread = await slack.say("alice", "#general", "@parley tell me")
            await slack.until(lambda: bot.lives == 2 and finals(slack, "#general", thread), 90)
            assert await bot.end() == 0
        async with open_engine(url, read_only=True) as engine:
            ledger, (use,), holds, (sums,) = await engine.read(books)
        outcomes = [row["outcome"] for row in ledger]
        assert outcomes == (["ok"] if point.endswith("settle_row:after:1") else ["unknown"]) + ["ok"]
        assert all(row["cost"] == row["reserved"] for row in ledger if row["outcome"] == "unknown")
        assert holds == []
        assert use == {"spent": sum(row["cost"] for row in ledger), "reserved": 0}
        assert sums == {"cost": use["spent"], "requests": len(ledger)}
