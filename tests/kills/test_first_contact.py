"""`kill -9` around a person's first answer, and around the note to whoever invites the bot: told once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from bot.welcome.disclosures import SENTENCE
from handlers.welcome.delivery import METADATA
from tests.support.bot_messages import finals
from tests.support.rows import rows
from tests.support.supervised import Supervised, supervised
from tests.support.waiting import until
from tests.support.workspace import MANIFEST

ANSWER = "This is the whole answer, word for word. " * 6
PATIENT = (2.0, *[8.0] * 50)
PATIENCE_S = 90.0

# The points between what a person wrote and the answer that tells them, and how the answer comes.
ANSWERED = (
    "write:put_and_take:before:1",
    "write:begin_reply:after:1",
    "slack:chat.appendStream:after:1",
    "write:remember_turn:before:1",
    "write:remember_turn:after:1",
    "slack:chat.stopStream:after:1",
    "write:finish_and_take:after:1",
)
INVITED = (
    "write:put_and_take:before:1",
    "slack:conversations.open:after:1",
    "slack:chat.postMessage:before:1",
    "slack:chat.postMessage:after:1",
    "write:finish_and_take:before:1",
    "write:finish_and_take:after:1",
)


def telling(slack: FakeSlack) -> list[dict[str, Any]]:
    """Every message of the bot's that says that this is an AI."""
    channels = slack.workspace.channels.values()
    ours = (m for channel in channels for m in channel.messages.values() if m.get("user") == slack.bot)
    return [message for message in ours if SENTENCE in str(message)]


async def connected(slack: FakeSlack) -> None:
    await slack.until(lambda: slack.counts["apps.connections.open"] >= 2, PATIENCE_S)


async def died(bot: Supervised) -> None:
    await until(lambda: bot.lives == 2, PATIENCE_S)
    await asyncio.sleep(1.5)  # for what a second life might do too much


@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", ANSWERED)
async def test_killed_at_this_point_the_first_answer_tells_it_once_and_the_second_does_not(
    tmp_path: Path, point: str
) -> None:
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, ack_deadline_s=1.0, retry_delays_s=PATIENT) as slack,
        FakeModel() as model,
        supervised(slack, model, tmp_path, kill_at=[point]) as bot,
    ):
        model.script(ANSWER, times=0, first_token_s=0.05, tokens_per_s=25)
        await connected(slack)
        thread = await slack.say("alice", "#general", "@parley tell me")
        await slack.until(lambda: finals(slack, "#general", thread), PATIENCE_S)
        await died(bot)
        (told,) = telling(slack)
        assert told["thread_ts"] == thread
        model.script("And more.", times=0)
        again = await slack.say("alice", "#support", "@parley and more")
        await slack.until(lambda: finals(slack, "#support", again), PATIENCE_S)
        assert telling(slack) == [told]
        assert rows(tmp_path, "select count(*) from disclosures") == [(1,)]
        assert rows(tmp_path, "select count(*) from audit where act = 'told of AI'") == [(1,)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", INVITED)
async def test_killed_at_this_point_whoever_invites_it_gets_one_note(tmp_path: Path, point: str) -> None:
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, ack_deadline_s=1.0, retry_delays_s=PATIENT) as slack,
        FakeModel() as model,
        supervised(slack, model, tmp_path, kill_at=[point]) as bot,
    ):
        people = [slack.user(name) for name in ("alice", "bob")]
        slack.workspace.add_channel("C0OFFICE01", "office", *people)
        await connected(slack)
        await slack.invite("alice", "#office")
        await until(_settled(tmp_path), PATIENCE_S)
        await died(bot)
        (note,) = telling(slack)
        assert note["metadata"]["event_type"] == METADATA
        assert rows(tmp_path, "select occasion from disclosures") == [("invitation",)]


def _settled(tmp_path: Path) -> Callable[[], bool]:
    return lambda: rows(tmp_path, "select state from inbox") == [("done",)]
