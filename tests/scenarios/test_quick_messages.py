"""One thought in quick messages: what somebody adds before a word is shown belongs to the question."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bot.conversation.turn import WISHES
from bot.provider.own_marks import ABOUT, AFTER_CUT
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from tests.support.clips import TONE_RECOGNITION, answers, clip, drop, speech_requests
from tests.support.guarded_channel import PURPOSE, is_answer, save, verdict
from tests.support.rows import rows, tables
from tests.support.waiting import until
from tests.support.workspace import MANIFEST, Workspace, started, workspace

NEVER_S = 60.0


def wait_for(team: Workspace, *words: str) -> None:
    """Until all of these words stand in the question, the model thinks."""
    team.model.script(
        "", match=lambda asked: not all(word in asked.last for word in words), first_token_s=NEVER_S, times=0
    )


def questions(team: Workspace) -> list[str]:
    """What the model was asked, each time; without our word that the answer before was cut off."""
    return [
        str(r.body["messages"][-1]["content"]).removeprefix(AFTER_CUT).split(ABOUT)[0]
        for r in team.model.requests
        if "messages" in r.body
    ]


async def asked(team: Workspace, times: int) -> None:
    await until(lambda: len(team.model.requests) >= times)


async def delivered(team: Workspace) -> None:
    await team.slack.until(lambda: all(delivery.over for delivery in team.slack.deliveries))


def remembered(tmp_path: Path) -> list[tuple[str, str]]:
    return rows(tmp_path, "select role, text from messages order by seq")


@pytest.mark.both_engines
async def test_what_is_added_before_a_word_is_shown_is_answered_together(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        wait_for(team, "capital", "Belgium")
        thread = await team.ask("@parley what is the capital")
        await asked(team, 1)
        await team.ask("of Belgium, I mean", thread=thread)
        await team.answer("#general", thread)
        await team.quiet()
        assert len(team.replies("#general", thread)) == 1
        assert questions(team) == ["what is the capital", "what is the capital\n\nof Belgium, I mean"]


async def test_what_is_added_with_a_mention_costs_no_look_at_what_the_thread_began_with(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        wait_for(team, "capital", "Belgium")
        thread = await team.ask("@parley what is the capital")
        await asked(team, 1)
        await team.ask("@parley of Belgium, I mean", thread=thread)
        await team.answer("#general", thread)
        await team.quiet()
        assert len(team.replies("#general", thread)) == 1
        assert not team.calls("conversations.replies")


async def test_each_is_remembered_as_a_message_of_its_own(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        wait_for(team, "capital", "secret")
        thread = await team.ask("@parley what is the capital")
        await asked(team, 1)
        second = await team.slack.say("alice", "#general", "and the secret", thread_ts=thread)
        await team.answer("#general", thread)
        await team.quiet()
        said = remembered(tmp_path)
        assert said[:2] == [("human", "what is the capital"), ("human", "and the secret")]
        assert [role for role, _ in said] == ["human", "human", "assistant"]
        await team.slack.edit("alice", "#general", second, "and the mayor")
        await delivered(team)
        assert remembered(tmp_path)[1] == ("human", "and the mayor")
        await team.slack.delete("alice", "#general", second)
        await delivered(team)
        assert [text for _, text in remembered(tmp_path)][:-1] == ["what is the capital"]
        assert len(team.model.requests) == 2


async def test_it_is_asked_anew_twice_and_the_rest_is_the_next_question(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        wait_for(team, "never said")
        thread = await team.ask("@parley one")
        await asked(team, 1)
        for times, text in enumerate(("two", "three"), 2):
            await team.ask(text, thread=thread)
            await asked(team, times)
        for text in ("four", "five"):
            await team.ask(text, thread=thread)
        await delivered(team)
        assert questions(team) == ["one", "one\n\ntwo", "one\n\ntwo\n\nthree"]
        await team.ask("stop", thread=thread)
        await asked(team, 4)
        assert questions(team)[-1] == "four\n\nfive"


async def test_what_is_added_while_the_answer_is_shown_is_the_next_question(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("word " * 100, tokens_per_s=50)
        thread = await team.ask("@parley talk")
        await team.slack.until(lambda: "word" in str(team.said("#general", thread)))
        for text in ("and now", "say more"):
            await team.ask(text, thread=thread)
        assert (await team.answer("#general", thread)).count("word") == 100
        await team.answer("#general", thread, count=2)
        await team.quiet()
        assert questions(team) == ["talk", "and now\n\nsay more"]


async def test_what_another_person_writes_is_a_question_of_its_own(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("Three.", first_token_s=1.0)
        thread = await team.ask("@parley one")
        await asked(team, 1)
        for user, text in (("bob", "@parley two"), ("alice", "@parley three")):
            await team.ask(text, user=user, thread=thread)
            await delivered(team)
        await team.answer("#general", thread, count=3)
        assert [text.split(": ")[-1] for text in questions(team)] == ["one", "two", "three"]


async def test_direct_messages_seconds_apart_are_one_question(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        wait_for(team, "capital", "Belgium")
        dm = team.slack.dm("alice")
        first = await team.ask("what is the capital", channel=dm)
        await asked(team, 1)
        second = await team.ask("of Belgium", channel=dm)
        await team.answer(dm, first)
        await team.quiet()
        assert questions(team)[-1] == "what is the capital\n\nof Belgium"
        assert not team.replies(dm, second)


async def test_direct_messages_further_apart_are_questions_of_their_own(tmp_path: Path) -> None:
    now = [0.0]
    clock = {"clock": lambda: time.time() - 30 + now[0]}
    async with workspace(tmp_path, slack=clock) as team:
        team.model.script("Brussels.", first_token_s=1.0, times=2)
        dm = team.slack.dm("alice")
        first = await team.ask("what is the capital", channel=dm)
        await asked(team, 1)
        now[0] = 11.0
        second = await team.ask("what is the time", channel=dm)
        await team.answer(dm, first)
        await team.answer(dm, second)
        assert questions(team) == ["what is the capital", "what is the time"]


async def test_what_was_added_can_be_edited_before_the_answer(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        wait_for(team, "capital", "Belgium")
        thread = await team.ask("@parley what is the capital")
        await asked(team, 1)
        second = await team.slack.say("alice", "#general", "of Ghent", thread_ts=thread)
        await asked(team, 2)
        await team.slack.edit("alice", "#general", second, "of Belgium")
        await team.answer("#general", thread)
        assert questions(team)[-1] == "what is the capital\n\nof Belgium"


@pytest.mark.both_engines
async def test_what_was_added_and_deleted_is_not_in_the_question(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("", match="capital", first_token_s=NEVER_S, times=2)
        thread = await team.ask("@parley what is the capital")
        await asked(team, 1)
        second = await team.slack.say("alice", "#general", "my password is tulip", thread_ts=thread)
        await asked(team, 2)
        await team.slack.delete("alice", "#general", second)
        await team.answer("#general", thread)
        await team.quiet()
        assert questions(team)[-1] == "what is the capital"
        assert "tulip" not in str(remembered(tmp_path))
        assert len(team.replies("#general", thread)) == 1


async def test_where_the_first_is_deleted_the_rest_is_asked_alone(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("hello all", user="bob")
        wait_for(team, "never said")
        first = await team.slack.say("alice", "#general", "@parley my password is tulip", thread_ts=thread)
        await asked(team, 1)
        await team.ask("how is the weather", thread=thread)
        await asked(team, 2)
        team.model.reset()
        await team.slack.delete("alice", "#general", first)
        await team.answer("#general", thread)
        await team.quiet()
        assert "how is the weather" in questions(team)[-1]
        assert "tulip" not in str(team.model.requests[-1].prompt)
        assert len(team.replies("#general", thread)) == 1


async def test_where_the_model_fails_each_gets_its_word(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        wait_for(team, "never said")
        thread = await team.ask("@parley one")
        await asked(team, 1)
        team.model.reset()
        team.model.faults.add("credentials")
        await team.ask("two", thread=thread)
        await team.answer("#general", thread, count=2)
        await team.quiet()
        assert questions(team) == ["one\n\ntwo"]
        assert len(set(team.said("#general", thread))) == 1, "the same cause, told for both"


async def test_a_deleted_part_of_what_the_guard_judged_takes_its_words_along(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await save(team, purpose=PURPOSE, shadow="false")
        team.model.script(verdict(0.9), match=lambda asked: not is_answer(asked), times=0)
        wait_for(team, "tulip")
        team.model.script("Soup.", times=0)
        thread = await team.ask("@parley what is for lunch")
        await asked(team, 1)
        second = await team.slack.say("alice", "#general", "my password is tulip", thread_ts=thread)
        await team.answer("#general", thread)
        await team.slack.delete("alice", "#general", second)
        await delivered(team)
        kept = str(tables(tmp_path))
        assert "lunch" in kept
        assert "tulip" not in kept


async def test_what_was_said_before_we_were_called_and_comes_late_is_no_question(tmp_path: Path) -> None:
    fake_slack = FakeSlack(manifest=MANIFEST, rate_limits=False, retry_delays_s=())
    async with fake_slack as slack, FakeModel() as model:
        root = await slack.say("bob", "#general", "the beginning")
        await slack.say("bob", "#general", "how are things?", thread_ts=root)
        late = slack.deliveries[-1].payload
        async with started(slack, model, tmp_path) as team:
            team.model.script("Summary.", first_token_s=1.0)
            await team.ask("@parley summarise", thread=root)
            await asked(team, 1)
            await slack.push("events_api", late, slack.team).wait_finished()
            await team.answer("#general", root)
            await slack.push("events_api", late, slack.team).wait_finished()
            await team.quiet()
            assert len(team.replies("#general", root)) == 1
            assert [text for _, text in remembered(tmp_path)] == [
                "the beginning",
                "how are things?",
                "summarise",
                "Summary.",
            ]


async def test_where_the_first_direct_message_is_deleted_the_rest_is_answered(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        wait_for(team, "never said")
        dm = team.slack.dm("alice")
        first = await team.ask("my password is tulip", channel=dm)
        await asked(team, 1)
        second = await team.ask("how is the weather", channel=dm)
        await asked(team, 2)
        team.model.reset()
        await team.slack.delete("alice", dm, first)
        await team.answer(dm, second)
        await team.quiet()
        assert questions(team) == ["how is the weather"]


async def test_where_the_first_is_deleted_while_the_answer_is_shown_the_rest_is_answered_alone(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("hello all", user="bob")
        team.model.script("word " * 200, match="weather", tokens_per_s=50)
        team.model.script("", match="tulip", first_token_s=NEVER_S)
        first = await team.slack.say("alice", "#general", "@parley the tulip", thread_ts=thread)
        await asked(team, 1)
        await team.ask("and the weather", thread=thread)
        await team.slack.until(lambda: "word" in str(team.said("#general", thread)))
        await team.slack.delete("alice", "#general", first)
        await team.answer("#general", thread)
        await team.quiet()
        assert questions(team)[-1].endswith("and the weather")
        assert "tulip" not in questions(team)[-1]
        assert len(team.replies("#general", thread)) == 1


async def test_what_is_added_while_a_clip_is_heard_does_not_have_it_heard_twice(tmp_path: Path) -> None:
    async with workspace(tmp_path, model=TONE_RECOGNITION) as team:
        team.model.faults.add("slow", endpoint="audio/transcriptions", delay_s=1.0, value=100)
        thread = await drop(team, clip([1, 2, 3], tmp_path), text="@parley what is this?")
        await until(lambda: speech_requests(team))
        await team.ask("in one word", thread=thread)
        await team.slack.until(lambda: answers(team, thread))
        await team.quiet()
        assert len(speech_requests(team)) == 1
        assert questions(team)[-1].endswith("in one word")
        assert len(answers(team, thread)) == 1


async def test_where_the_first_is_deleted_before_slack_has_the_answer_the_rest_is_answered_alone(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("hello all", user="bob")
        team.model.script("Cloudy.", match="weather", times=0)
        team.model.script("", match="tulip", first_token_s=NEVER_S)
        team.slack.faults.add("chat.postMessage", hold_s=1.0)
        team.slack.faults.add("chat.stopStream", hold_s=1.0)
        first = await team.slack.say("alice", "#general", "@parley the tulip", thread_ts=thread)
        await asked(team, 1)
        await team.ask("and the weather", thread=thread)
        await until(lambda: remembered(tmp_path)[-1:] == [("assistant", "Cloudy.")])
        await team.slack.delete("alice", "#general", first)
        await team.quiet()
        assert [text.split(": ")[-1] for text in questions(team)][-1] == "and the weather"
        assert team.said("#general", thread) == ["Cloudy."]


async def test_what_was_added_and_deleted_is_not_asked_with_the_next_try(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        wait_for(team, "tulip")
        team.model.faults.add("eof", after=1)
        thread = await team.ask("@parley what is the capital")
        await asked(team, 1)
        second = await team.slack.say("alice", "#general", "of the tulip", thread_ts=thread)
        third = await team.slack.say("alice", "#general", "of the rose", thread_ts=thread)
        await team.answer("#general", thread)
        (broken,) = team.replies("#general", thread)
        await team.slack.delete("alice", "#general", second)
        await team.slack.edit("alice", "#general", third, "of the lily")
        await delivered(team)
        kept = str(tables(tmp_path))
        assert "of the tulip" not in kept
        assert "of the rose" not in kept
        team.model.reset()
        await team.slack.press("alice", "#general", broken["ts"], "retry")
        await team.answer("#general", thread, count=2)
        assert questions(team) == ["what is the capital\n\nof the lily"]


async def test_a_wish_is_not_part_of_a_question(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("Brussels.", first_token_s=1.0)
        thread = await team.ask("@parley what is the capital")
        await asked(team, 1)
        await team.ask("be quiet", thread=thread)
        await team.answer("#general", thread, count=2)
        assert team.said("#general", thread) == ["Brussels.", WISHES["quiet"]]


async def test_forgetting_the_thread_of_a_later_direct_message_forgets_it_and_what_it_went_with(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        wait_for(team, "capital", "tulip")
        dm = team.slack.dm("alice")
        first = await team.ask("what is the capital", channel=dm)
        await asked(team, 1)
        second = await team.ask("of the tulip", channel=dm)
        await team.answer(dm, first)
        await team.ask("the capital, and what of the tulip?", channel=dm, thread=second)
        await team.answer(dm, second)
        await team.quiet()
        link = f"https://sandbox.slack.com/archives/{dm}/p{second.replace('.', '')}"
        await team.slack.command("alice", dm, "/parley", f"forget thread {link}")
        await team.slack.until(lambda: "Forgotten" in str(team.slack.ephemerals("alice")))
        assert remembered(tmp_path) == []


async def test_what_is_asked_once_more_does_not_go_with_the_next_direct_message(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        dm = team.slack.dm("alice")
        team.model.faults.add("server_error", times=3)
        first = await team.ask("what is the capital", channel=dm)
        await team.answer(dm, first)
        await team.quiet()
        (failed,) = team.replies(dm, first)
        team.model.script("", match=lambda request: "weather" in request.last, first_token_s=NEVER_S)
        before = len(team.model.requests)
        second = await team.ask("and the weather", channel=dm)
        await asked(team, before + 1)
        await team.slack.press("alice", dm, failed["ts"], "retry")
        await team.answer(dm, first, count=2, timeout_s=10)
        await team.slack.delete("alice", dm, second)
        await team.quiet()
