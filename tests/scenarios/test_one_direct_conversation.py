"""A direct conversation as one conversation (PARLEY_DIRECT=one): one memory and order, answers in threads."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.conversation.turn import TURN_LIMIT
from bot.core.values import Conversation
from bot.sandbox.slack.delivery import events
from storage.engine import Tx
from tests.support.workspace import Workspace, text_of, workspace

ONE = {"PARLEY_DIRECT": "one"}


async def asked(team: Workspace, text: str, *, thread: str = "", count: int = 1, user: str = "alice") -> str:
    """Asks in the direct conversation and waits for the answer; the id of the thread it stands in."""
    dm = team.slack.dm(user)
    thread = await team.ask(text, user=user, channel=dm, thread=thread)
    await team.answer(dm, thread, count=count)
    return thread


async def test_what_was_said_in_other_threads_of_it_is_remembered(tmp_path: Path) -> None:
    async with workspace(tmp_path, **ONE) as team:
        team.model.script("Ghent it is.", match="We move to Ghent")
        first = await asked(team, "We move to Ghent in March.")
        await asked(team, "Which city was it?")
        prompt = team.model.requests[-1].prompt
        assert prompt.index("We move to Ghent") < prompt.index("Ghent it is.") < prompt.index("Which city")
        await asked(team, "And when?", thread=first, count=2)
        prompt = team.model.requests[-1].prompt
        assert prompt.index("We move to Ghent") < prompt.index("Which city") < prompt.index("And when?")


async def test_by_default_each_thread_of_it_is_its_own_conversation(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await asked(team, "We move to Ghent in March.")
        await asked(team, "Which city was it?")
        assert "Ghent" not in team.model.requests[-1].prompt


async def test_the_answer_stands_under_its_question_and_in_its_thread(tmp_path: Path) -> None:
    async with workspace(tmp_path, **ONE) as team:
        dm = team.slack.dm("alice")
        first, second = await asked(team, "one"), await asked(team, "two")
        await asked(team, "three", thread=first, count=2)
        assert [len(team.replies(dm, thread)) for thread in (first, second)] == [2, 1]
        threads = {call.get("thread_ts") for call in team.calls("chat.startStream")}
        assert threads <= {first, second}


async def test_channels_and_other_people_have_conversations_of_their_own(tmp_path: Path) -> None:
    async with workspace(tmp_path, **ONE) as team:
        await asked(team, "We move to Ghent in March.")
        await asked(team, "Which city was it?", user="bob")
        assert "Ghent" not in team.model.requests[-1].prompt
        for _ in range(2):
            thread = await team.ask("@parley which city was it? Bruges?")
            await team.answer("#general", thread)
            assert team.model.requests[-1].prompt.count("Bruges") == 1


async def test_questions_in_it_are_answered_one_after_the_other(tmp_path: Path) -> None:
    async with workspace(tmp_path, **ONE) as team:
        dm = team.slack.dm("alice")
        team.model.script("It is a lamp. " * 20, match="the first", tokens_per_s=40)
        first = await team.ask("the first", channel=dm)
        await team.slack.until(lambda: team.slack.counts["chat.startStream"])
        second = await team.ask("the second", channel=dm)
        await team.answer(dm, second)
        assert len(team.replies(dm, first)) == 1
        assert "It is a lamp." in team.model.requests[-1].prompt


async def test_the_stop_button_ends_the_answer_of_its_own_thread_alone(tmp_path: Path) -> None:
    async with workspace(tmp_path, **ONE) as team:
        dm = team.slack.dm("alice")
        before = await asked(team, "hello")
        team.model.script("word " * 60, match="talk", tokens_per_s=40)
        thread = await team.ask("talk", channel=dm)
        await team.slack.until(lambda: team.replies(dm, thread))
        elsewhere = Conversation(team.slack.team, dm, before, whole=True)
        await team.bot.services.turns.stop(elsewhere)
        assert text_of(team.replies(dm, thread)[0]).count("word") < 60, "it was still being written"
        await team.answer(dm, thread)
        assert text_of(team.replies(dm, thread)[0]).count("word") == 60
        team.model.script("word " * 400, match="again", tokens_per_s=30)
        thread = await team.ask("again", channel=dm)
        sessions = team.slack.workspace.sessions
        await team.slack.until(lambda: sessions.get((dm, thread), {}).get("status") == "processing")
        await team.slack.until(lambda: team.replies(dm, thread))
        await team.slack.stop("alice", dm, thread)
        await team.answer(dm, thread)
        assert text_of(team.replies(dm, thread)[0]).count("word") < 400


async def test_stop_in_words_ends_what_is_being_answered_in_it(tmp_path: Path) -> None:
    async with workspace(tmp_path, **ONE) as team:
        dm = team.slack.dm("alice")
        team.model.script("word " * 400, tokens_per_s=30)
        thread = await team.ask("talk", channel=dm)
        await team.slack.until(lambda: team.slack.counts["chat.startStream"])
        await team.ask("stop", channel=dm)
        await team.answer(dm, thread)
        await team.quiet()
        assert text_of(team.replies(dm, thread)[0]).count("word") < 400
        assert len(team.model.requests) == 1


@pytest.mark.parametrize("how", ["menu", "link", "latest"])
async def test_forgetting_a_thread_of_it_forgets_all_of_it(tmp_path: Path, how: str) -> None:
    async with workspace(tmp_path, **ONE) as team:
        dm = team.slack.dm("alice")
        first = await asked(team, "We move to Ghent in March.")
        await asked(team, "Bruges is nice, too.")
        await team.quiet()
        if how == "menu":
            await team.slack.shortcut("alice", "forget_thread", channel=dm, ts=first)
        else:
            link = f"https://acme.slack.com/archives/{dm}/p{first.replace('.', '')}"
            words = "forget thread" if how == "latest" else f"forget thread {link}"
            await team.slack.command("alice", dm, "/parley", words)
        await team.slack.until(lambda: "Forgotten" in str(team.slack.ephemerals("alice")))
        await asked(team, "Which city was it?")
        prompt = team.model.requests[-1].prompt
        assert "Ghent" not in prompt
        assert "Bruges" not in prompt


async def test_what_was_said_before_the_setting_was_changed_can_be_forgotten_by_its_thread(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        first = await asked(team, "We move to Ghent in March.")
        await team.quiet()
        services, dm = team.bot.services, team.slack.dm("alice")
        place = Conversation(team.slack.team, dm, first, whole=True)
        gone = await services.forgetting.forget_thread(place, team.slack.user("alice"))
        assert gone
        assert gone.kinds["messages"] == 2
        assert not await services.engine.read(list_texts)


async def test_a_thread_of_it_comes_to_its_end_and_a_new_one_goes_on(tmp_path: Path) -> None:
    async with workspace(tmp_path, **ONE, PARLEY_THREAD_TURN_LIMIT="2") as team:
        dm = team.slack.dm("alice")
        thread = await asked(team, "one")
        await asked(team, "two", thread=thread, count=2)
        await asked(team, "three", thread=thread, count=3)
        assert team.said(dm, thread)[-1] == TURN_LIMIT
        other = await asked(team, "four")
        assert team.said(dm, other)[-1] != TURN_LIMIT
        assert "two" in team.model.requests[-1].prompt


async def test_a_long_one_is_summarised_as_a_thread_is(tmp_path: Path) -> None:
    async with workspace(tmp_path, **ONE, PARLEY_MEMORY_TOKENS="300", PARLEY_MEMORY_TAIL_TOKENS="50") as team:
        team.model.script("They move to Ghent.", match="Write a summary", times=0)
        for n in range(6):
            await asked(team, f"{n}: " + "some words about the move " * 12)
        assert "They move to Ghent." in team.model.requests[-1].prompt


async def test_an_answer_of_it_can_be_explained_asked_for_again_and_deleted(tmp_path: Path) -> None:
    async with workspace(tmp_path, **ONE) as team:
        dm = team.slack.dm("alice")
        team.model.script("Noted.", times=0)
        await asked(team, "hello")
        thread = await asked(team, "We move to Ghent in March.")
        await team.quiet()
        (reply,) = team.replies(dm, thread)
        await team.slack.press("alice", dm, reply["ts"], "shorter")
        await team.answer(dm, thread, count=2)
        await team.slack.delete("alice", dm, thread)
        await team.quiet()
        await asked(team, "Which city was it?")
        assert "We move to Ghent" not in team.model.requests[-1].prompt


async def test_a_reply_under_a_note_of_ours_knows_the_note_and_what_was_said_elsewhere(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path, **ONE) as team:
        ws, dm = team.slack.workspace, team.slack.dm("alice")
        for n in range(2):
            await asked(team, f"{n}: We move to Ghent in March.")
        note = events.bot_message(ws, ws.ts(), "The budget of #office is nearly used up.")
        ws.put(ws.channels[dm], note)
        await asked(team, "What does that mean?", thread=note["ts"])
        prompt = team.model.requests[-1].prompt
        parts = ["0: We move to Ghent", "1: We move", "The budget of #office", "What does that mean?"]
        assert [prompt.index(part) for part in parts] == sorted(prompt.index(part) for part in parts)
        await asked(team, "And now?", thread=note["ts"], count=2)
        prompt = team.model.requests[-1].prompt
        assert prompt.count("The budget of #office") == 1
        await team.quiet()
        await team.slack.shortcut("alice", "forget_thread", channel=dm, ts=note["ts"])
        await team.slack.until(lambda: "Forgotten" in str(team.slack.ephemerals("alice")))
        await asked(team, "And now?", thread=note["ts"], count=3)
        assert "budget" not in team.model.requests[-1].prompt


def list_texts(tx: Tx) -> list[str]:
    return [row["text"] for row in tx.all("select text from messages")]
