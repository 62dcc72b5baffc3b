"""Everything of a person forgotten: asked first, said before and after what goes, and nothing is left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.errors import Missing
from bot.core.values import FOLLOW_UPS, WordsKept
from handlers.slack import blocks
from handlers.slack.blocks import ASK_FORGET, FEEDBACK, FORGET_ALL
from storage.conversation import tombstones
from storage.privacy import kept as kept_rows
from storage.schema import WORDS_OF
from tests.support.clips import PATIENCE_S, TONE_RECOGNITION, answered, clip, drop
from tests.support.commands import forget_everything, parley, tell_in_thread
from tests.support.guarded_channel import filled, is_answer, said, teach
from tests.support.rows import SECRET, kept, on_disk, rows
from tests.support.workspace import Workspace, workspace


@pytest.fixture
async def team(tmp_path: Path) -> AsyncIterator[Workspace]:
    async with workspace(tmp_path) as team:
        yield team


# Before


async def test_it_asks_first_and_says_what_goes_in_numbers(team: Workspace, tmp_path: Path) -> None:
    thread = await tell_in_thread(team)
    await tell_in_thread(team, channel="#support")
    await tell_in_thread(team, "bob's own words", user="bob")
    (reply,) = team.replies("#general", thread)
    await team.slack.press("alice", "#general", reply["ts"], FEEDBACK, value="positive")
    await team.slack.until(lambda: rows(tmp_path, "select 1 from feedback"))
    asked = await parley(team, "Forget ALL!")
    assert "4 messages and 1 rating of an answer" in asked
    assert "in 2 threads" in asked
    assert "2 model requests" in asked
    assert FORGET_ALL in asked
    assert "'confirm'" in asked, "Slack asks once more"
    assert "messages" in kept(tmp_path), "asking forgets nothing"


@pytest.mark.parametrize("words", ["forget all", "forget everything", "forget\u00a0all", "FORGET ALL."])
async def test_who_has_nothing_here_is_told_so(team: Workspace, words: str) -> None:
    assert "I keep no words of yours" in await parley(team, words)


def test_every_table_with_words_of_people_is_counted_and_every_kind_has_a_name() -> None:
    counted = [table for tables in kept_rows.KINDS.values() for table in tables]
    assert sorted(counted) == sorted(WORDS_OF)
    assert blocks.KEPT.keys() == kept_rows.KINDS.keys()


# After


async def test_what_went_is_said_where_the_button_was_and_the_button_goes(
    team: Workspace, tmp_path: Path
) -> None:
    await tell_in_thread(team)
    told = await forget_everything(team)
    assert told == "Forgotten: 2 messages. What you used stays in the sums, under nobody's name."
    assert FORGET_ALL not in str(team.slack.ephemerals("alice")[-1])
    assert kept(tmp_path) == []


async def test_each_kind_that_went_is_named_not_only_messages(tmp_path: Path) -> None:
    async with workspace(tmp_path, model=TONE_RECOGNITION) as team:
        team.model.faults.add("server_error", endpoint="chat/completions", times=0)
        thread = await drop(team, clip(range(10, 16), tmp_path))
        await answered(team, thread)
        await team.quiet(PATIENCE_S)
        told = await forget_everything(team)
        assert told.startswith("Forgotten: 1 recording and 1 question kept for another try.")
        assert "message" not in told


async def test_what_a_guard_kept_of_a_person_is_named(team: Workspace) -> None:
    team.model.script("Gently.", match=is_answer, times=0)
    await teach(team)
    await said(team, "when is my next credit card payment due", user="bob")
    assert "1 verdict of a guard" in await forget_everything(team, user="bob")


async def test_a_second_time_nothing_is_left(team: Workspace) -> None:
    await tell_in_thread(team)
    await forget_everything(team)
    await team.quiet()
    assert await forget_everything(team) == "Forgotten: nothing was left."


@pytest.mark.parametrize(
    ("kinds", "shown"),
    [
        ({"messages": 0}, "Forgotten: nothing was left."),
        ({"messages": 1}, "Forgotten: 1 message."),
        ({"messages": 1_200, "recordings": 1}, "Forgotten: 1,200 messages and 1 recording."),
        (
            {"messages": 0, "recordings": 2, "ratings": 1, "parked": 3},
            "Forgotten: 2 recordings, 1 rating of an answer and 3 questions that I gave up on.",
        ),
    ],
)
def test_what_went_reads_as_a_sentence(kinds: dict[str, int], shown: str) -> None:
    assert blocks.forgotten(WordsKept(kinds)) == shown


@pytest.mark.both_engines
async def test_a_thread_says_each_kind_that_went(tmp_path: Path) -> None:
    async with workspace(tmp_path, model=TONE_RECOGNITION) as team:
        thread = await drop(team, clip(range(10, 16), tmp_path))
        await answered(team, thread)
        await team.quiet(PATIENCE_S)
        assert "Forgotten: 2 messages and 1 recording." in await parley(team, "forget this thread")


# From Home


async def test_home_asks_in_a_window_and_says_there_what_went(team: Workspace, tmp_path: Path) -> None:
    await tell_in_thread(team)
    await team.slack.open_home("alice")
    home = await team.slack.until(lambda: team.slack.home("alice"))
    await team.slack.press("alice", "", "", ASK_FORGET, view_id=home["id"])
    window = await filled(team)
    assert "2 messages" in str(window)
    assert "messages" in kept(tmp_path)
    await team.slack.press("alice", "", "", FORGET_ALL, view_id=window["id"])
    await team.slack.until(lambda: "Forgotten: 2 messages." in str(team.slack.modals("alice")))
    assert FORGET_ALL not in str(team.slack.modals("alice"))
    assert (kept(tmp_path), on_disk(tmp_path)) == ([], [])


# What has no answer yet


async def waiting(team: Workspace) -> str:
    """A question whose answer is on its way to a Slack that does not take it; its thread."""
    team.model.script("Noted.")
    team.slack.faults.add("chat.*", status=503, times=0)
    thread = await team.ask(f"@parley remember {SECRET}")
    await team.slack.until(lambda: team.model.requests and not team.slack.workspace.streams)
    return thread


@pytest.mark.both_engines
async def test_what_is_being_answered_is_answered_and_then_forgotten(team: Workspace, tmp_path: Path) -> None:
    thread = await waiting(team)
    await team.slack.until(lambda: rows(tmp_path, "select count(*) from messages") == [(2,)])
    assert "1 question without an answer yet" in await parley(team, "forget all")
    assert "goes as soon as it has one" in await forget_everything(team)
    assert "messages" in kept(tmp_path), "it would be taken for deleted"
    team.slack.faults.clear()
    assert await team.answer("#general", thread) == "Noted."
    await team.slack.until(lambda: not kept(tmp_path))
    await team.quiet()
    assert on_disk(tmp_path) == []
    await team.ask("and what was it?", thread=thread)
    await team.answer("#general", thread, count=2)
    assert SECRET not in team.model.requests[-1].prompt, "it is not read in again"


async def test_what_waits_in_line_is_answered_and_then_forgotten(team: Workspace, tmp_path: Path) -> None:
    thread = await waiting(team)
    team.model.script("Noted too.")
    await team.ask(f"remember {SECRET} too", thread=thread)
    await team.slack.until(lambda: rows(tmp_path, "select count(*) from inbox where state = 'new'") == [(2,)])
    assert "goes as soon as it has one" in await forget_everything(team)
    team.slack.faults.clear()
    assert await team.answer("#general", thread, count=2) == "Noted too."
    await team.slack.until(lambda: not kept(tmp_path))


async def test_what_is_asked_after_the_button_is_remembered(team: Workspace, tmp_path: Path) -> None:
    thread = await waiting(team)
    await forget_everything(team)
    await team.ask("the new plan is xylophones", thread=thread)
    team.slack.faults.clear()
    await team.answer("#general", thread, count=2)
    await team.quiet()
    assert kept(tmp_path) == []
    assert kept(tmp_path, "xylophones") == ["messages"]


async def test_a_question_that_is_given_up_on_is_told_and_then_forgotten(
    team: Workspace, tmp_path: Path
) -> None:
    thread = await tell_in_thread(team, "something harmless")
    for method in ("chat.postMessage", "chat.startStream"):
        team.slack.faults.add(method, error="is_archived", times=0)
    await team.ask(f"remember {SECRET}", thread=thread)
    await team.slack.until(lambda: rows(tmp_path, "select 1 from inbox where state = 'parked'"))
    team.slack.faults.add("chat.*", status=503, times=0)
    assert "question that I gave up on" in await forget_everything(team)
    team.slack.faults.clear()
    assert "could not finish" in await team.answer("#general", thread, count=2)
    await team.slack.until(lambda: not kept(tmp_path))
    await team.quiet()
    assert on_disk(tmp_path) == []


async def test_what_a_button_asked_for_is_answered_and_then_forgotten(
    team: Workspace, tmp_path: Path
) -> None:
    team.model.script(f"It is {SECRET}.")
    thread = await team.ask("@parley what is it?")
    await team.answer("#general", thread)
    await team.quiet()
    (reply,) = team.replies("#general", thread)
    team.model.script(f"{SECRET}!", match=FOLLOW_UPS["shorter"])
    team.slack.faults.add("chat.*", status=503, times=0)
    await team.slack.press("alice", "#general", reply["ts"], "shorter")
    await team.slack.until(lambda: rows(tmp_path, "select count(*) from messages") == [(4,)])
    assert "1 question without an answer yet" in await parley(team, "forget all")
    await forget_everything(team)
    team.slack.faults.clear()
    assert await team.answer("#general", thread, count=2) == f"{SECRET}!"
    await team.slack.until(lambda: not kept(tmp_path))
    await team.quiet()
    assert rows(tmp_path, "select count(*) from messages") == [(0,)]
    assert on_disk(tmp_path) == []


async def test_a_question_that_was_changed_while_it_was_answered_is_forgotten_in_both_wordings(
    team: Workspace, tmp_path: Path
) -> None:
    team.model.script("word " * 60, match="the first", tokens_per_s=30)
    team.model.script("Noted.", match="the second")
    thread = await team.ask(f"@parley remember {SECRET}, the first")
    await team.slack.until(lambda: team.slack.counts["chat.startStream"])
    await team.slack.edit("alice", "#general", thread, f"@parley remember {SECRET}, the second")
    await team.slack.until(lambda: rows(tmp_path, "select count(*) from inbox where state = 'new'") == [(2,)])
    await forget_everything(team)
    assert await team.answer("#general", thread, count=2) == "Noted."
    await team.slack.until(lambda: not kept(tmp_path))
    await team.quiet()
    assert rows(tmp_path, "select count(*) from messages") == [(0,)]


async def test_what_was_forgotten_is_not_asked_once_more_though_its_button_stands(
    team: Workspace, tmp_path: Path
) -> None:
    team.model.faults.add("server_error", endpoint="chat/completions", times=3)
    thread = await team.ask(f"@parley {SECRET}?")
    await team.answer("#general", thread)
    await team.quiet()
    (reply,) = team.replies("#general", thread)
    where = (team.slack.workspace.team, team.slack.channel("#general"))
    # So far a command came that broke off.
    await team.bot.services.engine.write(tombstones.bury, *where, [thread], now=1)
    asked = len(team.model.requests)
    await team.slack.press("alice", "#general", reply["ts"], "retry")
    await team.slack.until(lambda: Missing().notice in str(team.slack.ephemerals("alice")), 5)
    assert rows(tmp_path, "select retried_at from replies") == [(None,)]
    await team.quiet()
    assert len(team.model.requests) == asked
