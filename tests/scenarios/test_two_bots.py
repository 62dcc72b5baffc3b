"""Two bots on one PostgreSQL in a workspace that limits them together, as Slack does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from tests.support.engines import POSTGRESQL
from tests.support.rows import read_rows
from tests.support.workspace import MANIFEST, started

pytestmark = pytest.mark.parametrize("database_engine", [POSTGRESQL], indirect=True)
QUESTIONS = 7
SETTLED_S = 2.5  # both know of each other by then


async def test_a_channel_flooded_through_both_takes_posts_of_both_by_turns_and_none_is_refused(
    tmp_path: Path,
) -> None:
    async with (
        FakeSlack(manifest=MANIFEST) as slack,
        FakeModel() as model,
        started(slack, model, tmp_path, PARLEY_STREAMS_PER_MINUTE="1") as one,
        started(slack, model, tmp_path, PARLEY_STREAMS_PER_MINUTE="1"),
    ):
        await asyncio.sleep(SETTLED_S)
        threads = [await slack.say("alice", "#general", f"@parley question {n}") for n in range(QUESTIONS)]
        for thread in threads:
            await one.answer("#general", thread)
        at_work = read_rows(one.environ["PARLEY_DATABASE"], "select distinct worker from ledger")
        posts = slack.counts["chat.postMessage"]
    assert slack.refused["chat.postMessage"] == 0, "Slack takes one a second there"
    assert posts >= QUESTIONS - 2, "the others were streamed"
    assert len(at_work) == 2
