"""When Parley answers in a channel, and when it leaves people to each other."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.channel.options import ANSWERS
from bot.conversation.turn import WISHES
from handlers.shortcuts import ALWAYS_ANSWERED
from storage.place import Channel
from tests.support.workspace import Workspace, text_of, workspace


async def begun(team: Workspace, answer: str = "It is Ghent.") -> str:
    team.model.script(answer)
    thread = await team.ask("@parley where do we move?")
    await team.answer("#general", thread)
    return thread


async def left_alone(team: Workspace, thread: str, text: str, *, user: str = "alice") -> None:
    """Says something that is not answered, and is remembered."""
    before = len(team.model.requests)
    await team.ask(text, user=user, thread=thread)
    await team.quiet()
    assert len(team.model.requests) == before, text


async def answered(team: Workspace, thread: str, text: str, *, user: str = "alice") -> str:
    before = len(team.replies("#general", thread))
    await team.ask(text, user=user, thread=thread)
    return await team.answer("#general", thread, count=before + 1)


async def test_what_mentions_somebody_else_anywhere_is_overheard_and_so_is_their_answer(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        thread = await begun(team)
        bob = team.slack.user("bob")
        await left_alone(team, thread, f"could <@{bob}> have a look at the contract?")
        await left_alone(team, thread, "Yes, I will do that tomorrow.", user="bob")
        await left_alone(team, thread, "and the keys?")
        await answered(team, thread, "@parley and what about the keys?")
        prompt = team.model.requests[-1].prompt
        assert "could @bob have a look at the contract?" in prompt
        assert "[said to others by bob]\n> Yes, I will do that tomorrow.\n[end of what others wrote" in prompt
        await answered(team, thread, "and the boxes?")


async def test_a_group_is_somebody_else_too(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await begun(team)
        await left_alone(team, thread, "see this, <!subteam^S0TEAM0001|@ops>")


@pytest.mark.parametrize("text", ["sure, thanks!", "ok", ":+1:", "👍", "danke schön"])
async def test_thanks_ok_and_an_emoji_alone_get_no_answer(tmp_path: Path, text: str) -> None:
    async with workspace(tmp_path) as team:
        thread = await begun(team)
        await left_alone(team, thread, text)
        await answered(team, thread, "and when?")
        assert text in team.model.requests[-1].prompt or text == "👍"


@pytest.mark.parametrize(
    "question", ["Shall I look up the address?", "Shall I? *Just say so.*", "“Which one?”"]
)
async def test_a_yes_to_a_question_of_ours_is_an_answer(tmp_path: Path, question: str) -> None:
    async with workspace(tmp_path) as team:
        thread = await begun(team, f"It is Ghent. {question}")
        await answered(team, thread, "yes")


@pytest.mark.parametrize(
    "end", ["See https://wiki.example/a?b=c.", "Why? Because it rains there, and often so."]
)
async def test_an_answer_that_ends_in_no_question_has_not_asked(tmp_path: Path, end: str) -> None:
    async with workspace(tmp_path) as team:
        thread = await begun(team, f"It is Ghent. {end}")
        await left_alone(team, thread, "ok")


async def test_where_mentions_alone_are_answered_a_follow_up_is_not(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_ANSWERS="mentions") as team:
        thread = await begun(team)
        await left_alone(team, thread, "and when do we move?")
        await answered(team, thread, "@parley and when?")
        assert "and when do we move?" in team.model.requests[-1].prompt
        dm = team.slack.dm("alice")
        await team.answer(dm, await team.ask("hello", channel=dm))


async def test_where_every_message_is_answered_one_without_a_mention_is(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_ANSWERS="every") as team:
        await team.answer("#general", await team.ask("when do we move?"))
        before = len(team.model.requests)
        for text in (f"<@{team.slack.user('bob')}> lunch?", "thanks!"):
            await team.ask(text)
        await team.quiet()
        assert len(team.model.requests) == before


async def test_a_channel_may_want_mentions_alone_to_be_answered(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        at = Channel(team.slack.team, team.slack.channel("#general"))
        await team.bot.services.preferences.save(at, {ANSWERS: "mentions"}, by=team.slack.user("alice"))
        thread = await begun(team)
        await left_alone(team, thread, "and when do we move?")
        support = await team.ask("@parley hello", channel="#support")
        await team.answer("#support", support)
        await team.ask("and again", channel="#support", thread=support)
        await team.answer("#support", support, count=2)


async def test_quiet_is_asked_for_in_words_and_taken_back_in_words(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await begun(team)
        asked = len(team.model.requests)
        assert await answered(team, thread, "please be quiet in this thread") == WISHES["quiet"]
        assert len(team.model.requests) == asked, "no model is asked for that"
        await left_alone(team, thread, "and the boxes?")
        await answered(team, thread, "@parley and the boxes?")
        await left_alone(team, thread, "and the keys?")
        assert await answered(team, thread, "@parley you may speak again") == WISHES["speak"]
        await answered(team, thread, "and the keys?")


async def test_quiet_can_be_chosen_in_the_menu_and_undone_there(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await begun(team)
        (reply,) = team.replies("#general", thread)
        for sentence in (WISHES["quiet"], WISHES["speak"]):
            await team.slack.shortcut("bob", "quiet_thread", channel="#general", ts=reply["ts"])
            await team.slack.until(lambda: sentence in str(team.slack.ephemerals("bob")))  # noqa: B023
            if sentence == WISHES["quiet"]:
                await left_alone(team, thread, "and the boxes?")
        await answered(team, thread, "and the keys?")


async def test_a_direct_conversation_is_never_quiet(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        dm = team.slack.dm("alice")
        thread = await team.ask("hello", channel=dm)
        await team.answer(dm, thread)
        await team.slack.shortcut("alice", "quiet_thread", channel=dm, ts=thread)
        await team.slack.until(lambda: ALWAYS_ANSWERED in str(team.slack.ephemerals("alice")))
        await team.ask("and again", channel=dm, thread=thread)
        await team.answer(dm, thread, count=2)


async def test_stop_in_words_ends_the_answer_and_is_no_question(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("word " * 400, tokens_per_s=30)
        thread = await team.ask("@parley talk")
        await team.slack.until(lambda: team.slack.counts["chat.startStream"])
        await team.ask("stop", thread=thread)
        await team.answer("#general", thread)
        await team.quiet()
        assert len(team.replies("#general", thread)) == 1
        assert len(team.model.requests) == 1
        assert await answered(team, thread, "@parley stop") == WISHES["stop"]
        assert len(team.model.requests) == 1


async def test_stop_with_a_mention_is_no_question_though_its_second_event_comes_late(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("word " * 400, tokens_per_s=30)
        thread = await team.ask("@parley talk")
        await team.slack.until(lambda: team.slack.counts["chat.startStream"])
        team.slack.faults.deliver("message", times=1, delay_s=1.0)
        await team.ask("@parley stop", thread=thread)
        await team.answer("#general", thread)
        await team.quiet()
        assert len(team.replies("#general", thread)) == 1


# Edits of a question that is being answered


async def test_a_question_changed_before_a_word_is_shown_is_asked_anew(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("An old answer.", match="two plus two", first_token_s=3.0)
        team.model.script("A new answer.", match="three plus three")
        thread = await team.ask("@parley two plus two")
        await team.slack.until(lambda: team.model.requests)
        await team.slack.edit("alice", "#general", thread, "@parley three plus three")
        assert await team.answer("#general", thread) == "A new answer."
        await team.quiet()
        assert len(team.replies("#general", thread)) == 1
        await answered(team, thread, "why?")
        prompt = team.model.requests[-1].prompt
        assert "three plus three" in prompt
        assert "two plus two" not in prompt


async def test_a_question_changed_while_its_answer_is_shown_keeps_it_and_is_answered_as_well(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("four " * 40, match="two plus two", tokens_per_s=30)
        team.model.script("Six.", match="three plus three")
        thread = await team.ask("@parley two plus two")
        await team.slack.until(lambda: team.slack.counts["chat.startStream"])
        await team.slack.edit("alice", "#general", thread, "@parley three plus three")
        assert await team.answer("#general", thread, count=2) == "Six."
        assert text_of(team.replies("#general", thread)[0]).startswith("four four")
        await answered(team, thread, "why?")
        prompt = team.model.requests[-1].prompt
        order = [prompt.index(words) for words in ("two plus two", "four four", "three plus three", "Six.")]
        assert order == sorted(order), "each answer stands behind its own question"
        await team.slack.delete("alice", "#general", thread)
        await asyncio.sleep(0.2)
        await answered(team, thread, "and now?", user="bob")
        assert "plus" not in team.model.requests[-1].prompt
