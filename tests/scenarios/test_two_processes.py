"""Two processes on one database: a question is worked on in one, what comes about it arrives at the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.core.codec import encode
from bot.core.ids import message_key
from bot.core.values import Conversation, Incoming
from bot.guard.policy import Policy
from storage.database import open_engine
from storage.jobs import inbox
from storage.place import Channel
from tests.support.two_bots import TwoBots, two_bots
from tests.support.waiting import until
from tests.support.workspace import text_of, workspace

pytestmark = pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
NEVER_S = 60.0


@pytest.fixture
async def team(tmp_path: Path, database_engine: str) -> AsyncIterator[TwoBots]:
    async with two_bots(tmp_path) as team:
        team.deliver_to(team.first)
        yield team


async def think(
    team: TwoBots, text: str, *, complete: str = "", thread: str = "", channel: str = "#general"
) -> str:
    """A question that the model thinks about until these words stand in it; its id. The next delivery comes
    to the other process."""
    team.model.script(
        "", match=lambda asked: complete not in asked.last or not complete, first_token_s=NEVER_S, times=0
    )
    before = len(team.model.requests)
    ts = await team.slack.say("alice", channel, text, thread_ts=thread or None)
    await until(lambda: len(team.model.requests) > before)
    team.deliver_to(team.second)
    return ts


async def stream(team: TwoBots, text: str = "@parley two plus two") -> str:
    """A question whose answer is just being written; its id."""
    team.model.script("four " * 60, match="two plus two", tokens_per_s=20)
    team.model.script("Six.", match="three plus three")
    before = team.slack.counts["chat.startStream"]
    ts = await team.slack.say("alice", "#general", text)
    await team.slack.until(lambda: team.slack.counts["chat.startStream"] > before)
    team.deliver_to(team.second)
    return ts


def prompts(team: TwoBots) -> list[str]:
    return [str(r.body["messages"][-1]["content"]) for r in team.model.requests if "messages" in r.body]


async def test_a_stop_button_ends_an_answer_that_the_other_process_writes(team: TwoBots) -> None:
    thread = await stream(team)
    await team.slack.until(lambda: team.slack.processing)  # which has the button
    await team.slack.stop("alice", "#general", thread)
    answer = await team.first.answer("#general", thread)
    assert "four" in answer
    assert answer.count("four") < 60
    await team.settled()
    assert len(team.first.replies("#general", thread)) == 1


async def test_the_word_stop_ends_an_answer_that_the_other_process_writes(team: TwoBots) -> None:
    thread = await stream(team)
    await team.slack.say("alice", "#general", "@parley stop", thread_ts=thread)
    answer = await team.first.answer("#general", thread)
    assert answer.count("four") < 60
    await team.settled()
    assert len(team.first.replies("#general", thread)) == 1, "the word itself is no question"


async def test_what_is_stopped_before_a_word_says_so(team: TwoBots) -> None:
    thread = await think(team, "@parley what is the capital")
    await team.slack.say("alice", "#general", "@parley stop", thread_ts=thread)
    assert "Stopped." in await team.first.answer("#general", thread)


async def test_an_edit_before_a_word_is_shown_is_what_is_answered(team: TwoBots) -> None:
    thread = await think(team, "@parley what is the capital of Belgum", complete="Belgium")
    await team.slack.edit("alice", "#general", thread, "@parley what is the capital of Belgium")
    await team.first.answer("#general", thread)
    await team.settled()
    assert len(team.first.replies("#general", thread)) == 1
    assert ["Belgium" in prompt for prompt in prompts(team)] == [False, True]


async def test_an_edit_while_an_answer_is_shown_is_the_next_question(team: TwoBots) -> None:
    thread = await stream(team)
    await team.slack.edit("alice", "#general", thread, "@parley three plus three")
    assert await team.first.answer("#general", thread, count=2) == "Six."
    await team.settled()
    replies = [text_of(reply) for reply in team.first.replies("#general", thread)]
    assert [reply.split()[0] for reply in replies] == ["four", "Six."]
    texts = [row["text"] for row in await team.rows("select text from messages order by seq")]
    assert ["two plus two" in texts[0], "three plus three" in texts[2]] == [True, True]


async def test_a_deleted_question_is_not_answered(team: TwoBots) -> None:
    thread = await think(team, "@parley what is the capital")
    await team.slack.delete("alice", "#general", thread)
    await team.settled()
    assert team.first.replies("#general", thread) == []
    assert await team.rows("select text from messages") == []


async def test_what_is_added_before_a_word_is_shown_is_answered_together(team: TwoBots) -> None:
    thread = await think(team, "@parley what is the capital", complete="Belgium")
    await team.slack.say("alice", "#general", "of Belgium, I mean", thread_ts=thread)
    await team.first.answer("#general", thread)
    await team.settled()
    assert len(team.first.replies("#general", thread)) == 1
    assert prompts(team)[-1].startswith("what is the capital\n\nof Belgium, I mean")


async def test_quick_direct_messages_are_one_question(team: TwoBots) -> None:
    direct = team.slack.dm("alice")
    first = await think(team, "what is the capital", complete="Belgium", channel=direct)
    await team.slack.say("alice", direct, "of Belgium, I mean")
    await team.first.answer(direct, first)
    await team.settled()
    assert prompts(team)[-1].startswith("what is the capital\n\nof Belgium, I mean")
    assert len(team.first.replies(direct, first)) == 1


async def test_what_is_added_and_deleted_again_is_not_answered(team: TwoBots) -> None:
    thread = await think(team, "@parley what is the capital", complete="Belgium")
    ts = await team.slack.say("alice", "#general", "of Atlantis", thread_ts=thread)
    await until(lambda: len(team.model.requests) == 2)
    await team.slack.delete("alice", "#general", ts)
    await team.slack.edit("alice", "#general", thread, "@parley what is the capital of Belgium")
    await team.first.answer("#general", thread)
    await team.settled()
    assert "Atlantis" not in prompts(team)[-1]
    assert "Belgium" in prompts(team)[-1]


async def test_an_edit_that_arrives_before_its_post_is_what_is_asked(team: TwoBots) -> None:
    team.slack.faults.deliver("message", times=1, delay_s=2.0)
    team.slack.faults.deliver("app_mention", times=1, delay_s=2.0)
    thread = await team.slack.say("alice", "#general", "@parley two plus two")
    team.deliver_to(team.second)
    await team.slack.edit("alice", "#general", thread, "@parley three plus three")
    team.deliver_to(team.first)
    await team.first.answer("#general", thread)
    await team.settled()
    assert [prompt.split("\n")[0] for prompt in prompts(team)] == ["three plus three"]
    assert len(team.first.replies("#general", thread)) == 1


async def test_a_deletion_that_arrives_before_its_post_leaves_nothing_to_answer(team: TwoBots) -> None:
    team.slack.faults.deliver("message", times=1, delay_s=1.0)
    team.slack.faults.deliver("app_mention", times=1, delay_s=1.0)
    thread = await team.slack.say("alice", "#general", "@parley two plus two")
    team.deliver_to(team.second)
    await team.slack.delete("alice", "#general", thread)
    await team.settled()
    assert prompts(team) == []


async def test_what_a_channel_is_for_holds_in_both_at_once(team: TwoBots) -> None:
    at = Channel(team.slack.workspace.team, team.slack.channel("#general"))
    guards = [bot.bot.services.guard for bot in (team.first, team.second)]
    for purpose in ("cooking", "gardening"):
        assert [await guard.read_policy(at) for guard in guards] == [await guards[0].read_policy(at)] * 2
        await guards[1].save_policy(at, Policy(purpose=purpose), by="U1")

        for _ in range(1000):
            policy = await guards[0].read_policy(at)
            if policy is not None and policy.purpose == purpose:
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail(f"{purpose} is not known")


async def test_what_is_forgotten_in_one_process_is_not_answered_with_in_the_other(team: TwoBots) -> None:
    thread = await team.first.ask("@parley my cat is called Zebra")
    await team.first.answer("#general", thread)
    await team.settled()
    team.deliver_to(team.second)
    place = Conversation(team.slack.workspace.team, team.slack.channel("#general"), thread)
    user = team.slack.user("alice")
    assert await team.second.bot.services.forgetting.forget_thread(place, user)
    team.deliver_to(team.first)
    await team.first.ask("@parley what is my cat called?", thread=thread)
    await team.first.answer("#general", thread, count=2)
    assert "Zebra" not in team.model.requests[-1].prompt


async def test_a_message_of_which_nobody_was_told_when_its_process_died_is_answered_by_another(
    tmp_path: Path, database_engine: str
) -> None:
    async with workspace(tmp_path) as team, open_engine(team.environ["PARLEY_DATABASE"]) as died:
        for event in ("message", "app_mention"):
            team.slack.faults.deliver(event, drop=True)
        ts = await team.slack.say("alice", "#general", "@parley two plus two")
        place = Conversation(team.slack.workspace.team, team.slack.channel("#general"), ts)
        key, user = message_key(place.team, place.channel, ts), team.slack.user("alice")
        asked = encode(Incoming(key, place, user, ts, "two plus two", datetime.now(UTC), mentioned=True))
        await died.write(inbox.put, key, place.key, "message", asked, now=time.time())
        assert await team.answer("#general", ts)
