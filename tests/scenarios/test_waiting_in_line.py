"""Whoever has to wait for the model's limits sees it: the place in line, and about how long."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from handlers.reply.queue_words import describe_place
from tests.support.workspace import Workspace, workspace

LONG = "several words " * 400  # as many tokens as two are left for in a burst, and three are not


def statuses(team: Workspace, thread: str) -> list[str]:
    calls = team.calls("assistant.threads.setStatus")
    return [call.get("status", "") for call in calls if call["thread_ts"] == thread]


@pytest.mark.both_engines
async def test_whoever_waits_for_tokens_reads_the_place_and_the_time_and_nobody_else_does(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path, model={"tokens_per_minute": 20_000}, PARLEY_MAX_TOKENS="100") as team:
        first = await team.ask(f"@parley {LONG}")
        await team.answer("#general", first)
        threads = [await team.ask(f"@parley {LONG} {n}") for n in range(6)]
        await team.slack.until(lambda: sum(bool(statuses(team, thread)) for thread in threads) >= 3)
        shown = [statuses(team, thread)[0] for thread in threads if statuses(team, thread)]
        assert all(re.fullmatch(r"\d(st|nd|rd|th) in line, about \d+ (s|min)", status) for status in shown)
        assert len({status[0] for status in shown}) == len(shown), "each has a place of its own"
        assert statuses(team, first) == []
        assert not team.model.counters["outcome:refused"]
        for thread in threads:  # who takes a question back waits no longer
            await team.slack.delete("alice", "#general", thread)
        await team.quiet(timeout_s=5)


async def test_a_server_of_ones_own_never_gets_more_than_its_places(tmp_path: Path) -> None:

    most = 0

    async with workspace(tmp_path, PARLEY_MODEL_PARALLEL="3") as team:
        model = team.model
        model.script("Done.", times=0, first_token_s=0.1)
        threads = [await team.ask(f"@parley {n}") for n in range(12)]
        while len([r for r in model.requests if r.ended_at]) < 12:
            most = max(most, sum(not request.ended_at for request in model.requests))
            await asyncio.sleep(0.01)
        for thread in threads:
            assert await team.answer("#general", thread) == "Done."
    assert most == 3


@pytest.mark.parametrize(
    ("place", "wait_s", "words"),
    [
        (1, 0.5, "1st in line, in a moment"),
        (2, 6.0, "2nd in line, about 5 s"),
        (3, 21.0, "3rd in line, about 20 s"),
        (4, 46.0, "4th in line, about 50 s"),
        (11, 56.0, "11th in line, about 1 min"),
        (12, 80.0, "12th in line, about 90 s"),
        (22, 170.0, "22nd in line, about 3 min"),
        (113, 4000.0, "113th in line, about 67 min"),
    ],
)
def test_a_place_in_words(place: int, wait_s: float, words: str) -> None:
    assert describe_place(place, wait_s) == words
