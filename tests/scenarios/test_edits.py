"""Edits and deletions of a question that is being answered, in whatever order they come."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.engines import database_url
from tests.support.rows import FILE, rows
from tests.support.statements import holding_rows
from tests.support.workspace import Workspace, workspace

WAITS_FOR_LOCK = "select 1 from pg_locks where not granted"
WAITING = "select count(*) from inbox where state = 'new'"


async def begin(team: Workspace, text: str = "@parley two plus two", thread: str = "") -> str:
    """A question whose answer is just being written; its id."""
    team.model.script("four " * 60, match="two plus two", tokens_per_s=30)
    team.model.script("Six.", match="three plus three")
    before = team.slack.counts["chat.startStream"]
    ts = await team.slack.say("alice", "#general", text, thread_ts=thread or None)
    await team.slack.until(lambda: team.slack.counts["chat.startStream"] > before)
    return ts


@pytest.mark.both_engines
async def test_of_several_edits_while_an_answer_is_shown_the_last_one_alone_is_answered(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        thread = await begin(team)
        for text in ("@parley five plus five", "@parley three plus three"):
            await team.slack.edit("alice", "#general", thread, text)
        await team.slack.until(lambda: rows(tmp_path, WAITING) == [(2,)])
        assert await team.answer("#general", thread, count=2) == "Six."
        await team.quiet()
        assert len(team.replies("#general", thread)) == 2
        assert not [r for r in team.model.requests if "five plus five" in r.prompt]


async def test_a_mention_that_an_edit_adds_changes_nothing_of_the_answer_that_is_shown(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        ts = await begin(team, "two plus two", thread)
        await team.slack.edit("alice", "#general", ts, "@parley three plus three please")
        assert await team.answer("#general", thread, count=3) == "Six."
        await team.ask("@parley why?", thread=thread)
        await team.answer("#general", thread, count=4)
        prompt = team.model.requests[-1].prompt
        order = [prompt.index(words) for words in ("two plus two", "four four", "three plus three", "Six.")]
        assert order == sorted(order), "each answer stands behind its own question"


async def test_an_edit_after_both_answers_changes_the_words_that_were_edited_last(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await begin(team)
        await team.slack.edit("alice", "#general", thread, "@parley three plus three")
        await team.answer("#general", thread, count=2)
        await team.quiet()
        await team.slack.edit("alice", "#general", thread, "@parley three plus many")
        await team.quiet()
        await team.ask("why?", thread=thread)
        await team.answer("#general", thread, count=3)
        prompt = team.model.requests[-1].prompt
        order = [prompt.index(words) for words in ("two plus two", "four four", "three plus many", "Six.")]
        assert order == sorted(order)
        assert "three plus three" not in prompt


async def test_what_was_overheard_and_mentions_us_by_an_edit_is_read_once(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        ts = await team.slack.say("alice", "#general", "@bob is the zebra ready", thread_ts=thread)
        await team.ask("@bob or is it not?", thread=thread)
        await team.quiet()
        await team.slack.edit("alice", "#general", ts, "@parley is the zebra ready")
        await team.answer("#general", thread, count=2)
        await team.quiet()
        assert team.model.requests[-1].prompt.count("zebra") == 1
        remembered = [text for (text,) in rows(tmp_path, "select text from messages order by seq")]
        assert remembered[-2] == "is the zebra ready", "it stands before its answer"


async def deliver_edit_again(team: Workspace) -> None:
    """Slack delivers the last edit once more."""
    payload = next(d.payload for d in reversed(team.slack.deliveries) if "message_changed" in str(d.payload))
    await team.slack.push("events_api", payload, team.slack.team).wait_finished()


@pytest.mark.both_engines
async def test_an_edit_that_is_delivered_again_while_its_answer_is_shown_is_answered_once(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("An old answer.", match="two plus two", first_token_s=5.0)
        team.model.script("six " * 60, match="three plus three", tokens_per_s=30)
        thread = await team.ask("@parley two plus two")
        await team.slack.until(lambda: team.model.requests)
        await team.slack.edit("alice", "#general", thread, "@parley three plus three")
        await team.slack.until(lambda: team.slack.counts["chat.startStream"])
        await deliver_edit_again(team)
        await team.quiet()
        assert len(team.replies("#general", thread)) == 1
        assert len(team.model.requests) == 2


@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
async def test_while_an_edit_is_written_down_the_model_is_not_asked_with_the_old_words_again(
    tmp_path: Path, database_engine: str
) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("An old answer.", match="two plus two", times=0, first_token_s=5.0)
        team.model.script("Six.", match="three plus three")
        thread = await team.ask("@parley two plus two")
        await team.slack.until(lambda: team.model.requests)
        with holding_rows(database_url(tmp_path / FILE), "inbox"):
            await team.slack.edit("alice", "#general", thread, "@parley three plus three")
            await team.slack.until(lambda: rows(tmp_path, WAITS_FOR_LOCK))
            await team.slack.until(lambda: rows(tmp_path, "select 1 from ledger where outcome <> 'open'"))
            await asyncio.sleep(0.2)  # it would be asked again now
        assert await team.answer("#general", thread) == "Six."
        assert ["three plus three" in request.prompt for request in team.model.requests] == [False, True]


async def test_an_edit_while_a_written_answer_waits_for_slack_is_answered_for_itself(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("Four.", match="two plus two")
        team.model.script("Six.", match="three plus three")
        team.slack.faults.add("chat.*", status=503, times=0)
        thread = await team.ask("@parley two plus two")
        await team.slack.until(lambda: rows(tmp_path, "select 1 from replies where state = 'answered'"))
        await team.slack.until(lambda: rows(tmp_path, "select 1 from inbox where tries > 0 and running = 0"))
        await team.slack.edit("alice", "#general", thread, "@parley three plus three")
        await team.slack.until(lambda: all(d.over for d in team.slack.deliveries))
        team.slack.faults.clear()
        assert await team.answer("#general", thread, count=2) == "Six."
        assert team.said("#general", thread)[0] == "Four."
        words = rows(tmp_path, "select text from messages order by seq")
        assert words == [("two plus two",), ("Four.",), ("three plus three",), ("Six.",)]


@pytest.mark.both_engines
async def test_who_deletes_a_question_and_then_says_stop_has_no_answer_left(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_MAX_TOKENS="100000") as team:
        team.model.script("four " * 18_000)  # nine messages
        team.slack.faults.add("chat.postMessage", delay_s=1.0, times=0)
        thread = await team.ask("@parley hello")
        await team.slack.until(lambda: len(team.replies("#general", thread)) >= 2)
        await team.slack.delete("alice", "#general", thread)
        await team.slack.until(lambda: team.slack.deliveries[-1].over)
        await team.ask("stop", thread=thread)
        await team.quiet()
        assert team.replies("#general", thread) == []


@pytest.mark.both_engines
@pytest.mark.parametrize(
    "words", ["@bob is the zebra ready", "is the zebra ready?"], ids=["to somebody else", "to us"]
)
async def test_an_edit_that_arrives_before_its_post_is_not_undone_by_it(words: str, tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_TRANSPORT="http") as team:
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        team.model.script("No horse here.", match="is the horse ready", times=0)
        team.slack.faults.deliver("message", times=1, delay_s=0.5)
        ts = await team.slack.say("alice", "#general", words, thread_ts=thread)
        await team.slack.edit("alice", "#general", ts, words.replace("zebra", "horse"))
        await team.quiet()
        await team.ask("@parley why?", thread=thread, user="carol")
        await team.slack.until(lambda: "why?" in team.model.requests[-1].prompt)
        await team.quiet()
        prompt = team.model.requests[-1].prompt
    assert "zebra" not in prompt
    assert prompt.count("is the horse ready") == 1
