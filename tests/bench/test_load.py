"""Bursts and floods, small ones; the large ones and their figures are `make load`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.promises import kept
from tests.support.workspace import workspace

PATIENCE_S = 200.0  # on a machine that has much to do
# How soon each is acknowledged is measured by `make load`: here Slack shares the bot's process.
PATIENT = {"ack_deadline_s": 60.0}
pytestmark = pytest.mark.timeout(400)


@pytest.mark.parametrize("transport", ["socket", "http"])
async def test_row_27_a_burst_is_answered_once_each(tmp_path: Path, transport: str) -> None:
    async with workspace(tmp_path, slack=PATIENT, model={"keep": 1000}, PARLEY_TRANSPORT=transport) as team:
        for n in range(200):
            await team.ask(f"@parley question {n}")
        await team.slack.until(lambda: team.model.counters["requests"] >= 200, PATIENCE_S)
        assert len(await kept(team)) == 200


async def test_row_27_one_person_who_floods_holds_nobody_else_up(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_PARALLEL_TURNS="4") as team:
        team.model.script("slow " * 5, first_token_s=0.1, times=0)
        for n in range(100):
            await team.ask(f"@parley flood {n}")
        thread = await team.ask("@parley one question", user="bob", channel="#support")
        await team.answer("#support", thread)
        assert team.model.counters["requests"] < 50
        assert len(await kept(team)) == 101


async def test_row_49_hundreds_that_wait_for_slack_are_all_answered_once(tmp_path: Path) -> None:
    async with workspace(tmp_path, slack=PATIENT, model={"keep": 1000}, PARLEY_TRANSPORT="http") as team:
        team.slack.faults.add("*", status=429, retry_after_s=1, for_s=3)
        for n in range(200):
            await team.ask(f"@parley question {n}")
        await team.slack.until(lambda: team.model.counters["requests"] >= 200, PATIENCE_S)
        assert len(await kept(team)) == 200
