"""Real processes on one PostgreSQL: what one receives reaches the other, or whoever goes on after it died."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from tests.support.bot_messages import finals
from tests.support.several import Several, several
from tests.support.workspace import MANIFEST

WORDS = 400
PATIENCE_S = 120.0


async def find_connections(slack: FakeSlack, team: Several) -> dict[str, int]:
    """Which process each of the connections belongs to."""
    found = dict[str, int]()
    await slack.until(lambda: len(slack.sockets.connections) == 4, PATIENCE_S)
    for id in list(slack.sockets.connections):
        slack.sockets.choose({id})
        thread = await slack.say("bob", "#general", "@parley hello")
        await slack.until(lambda thread=thread: finals(slack, "#general", thread), PATIENCE_S)
        [(worker,)] = team.rows("select worker from inbox order by seq desc limit 1")
        found[id] = int(str(worker))
    return found


@pytest.mark.slow
async def test_stops_reach_the_other_process_and_outlast_one_that_never_heard_of_them(tmp_path: Path) -> None:
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False) as slack,
        FakeModel() as model,
        several(slack, model, tmp_path, 2) as team,
    ):
        connections = await find_connections(slack, team)
        model.script("four " * WORDS, match="two plus two", tokens_per_s=20, times=0)
        one = next(iter(connections.values()))
        for hears in (True, False):
            slack.sockets.choose(id for id, worker in connections.items() if worker == one)
            before = slack.counts["chat.startStream"]
            thread = await slack.say("alice", "#general", "@parley two plus two")
            await slack.until(lambda before=before: slack.counts["chat.startStream"] > before, PATIENCE_S)
            process = team.find(one).process
            assert process is not None
            if not hears:
                process.send_signal(signal.SIGSTOP)
            slack.sockets.choose(id for id, worker in connections.items() if worker != one)
            await slack.say("alice", "#general", "@parley stop", thread_ts=thread)
            if not hears:
                await slack.until(lambda: all(delivery.over for delivery in slack.deliveries), PATIENCE_S)
                process.send_signal(signal.SIGKILL)
            await slack.until(lambda thread=thread: finals(slack, "#general", thread), PATIENCE_S)
            [answer] = finals(slack, "#general", thread)
            assert answer.count("four") < WORDS / 4
