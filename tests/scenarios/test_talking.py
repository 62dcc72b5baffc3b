"""Talking with Parley: what a person in Slack sees, over both transports."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.conversation import turn
from handlers.reply.bodies import MOST_PARTS, STOPPED
from handlers.slack.links import JOINER
from tests.support.spending import run_command
from tests.support.workspace import is_final, text_of, workspace

TRANSPORTS = pytest.mark.parametrize("transport", ["socket", "http"])


@TRANSPORTS
async def test_a_mention_in_a_channel_is_answered_in_its_thread(tmp_path: Path, transport: str) -> None:
    async with workspace(tmp_path, PARLEY_TRANSPORT=transport) as team:
        team.model.script("All is well.")
        thread = await team.ask("@parley how are things?")
        assert await team.answer("#general", thread) == "All is well."
        assert len(team.model.requests) == 1


@TRANSPORTS
async def test_each_top_level_message_in_a_dm_has_a_thread_of_its_own(tmp_path: Path, transport: str) -> None:
    async with workspace(tmp_path, PARLEY_TRANSPORT=transport) as team:
        dm = team.slack.dm("alice")
        first = await team.ask("one", channel=dm)
        await team.answer(dm, first)  # what comes before is one question with it
        second = await team.ask("two", channel=dm)
        await team.answer(dm, second)
        prompts = [r.prompt for r in team.model.requests]
        assert not any("one" in p and "two" in p for p in prompts)


async def test_a_follow_up_needs_no_mention_and_remembers(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley my cat is called Minka")
        await team.answer("#general", thread)
        await team.ask("what is my cat called?", thread=thread)
        assert "Minka" in await team.answer("#general", thread, count=2)


async def test_a_thread_without_parley_and_a_channel_without_mention_stay_unanswered(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("lunch anyone?")
        await team.ask("me!", user="bob", thread=thread)
        await team.quiet()
        assert not team.said("#general", thread)
        assert not team.model.requests


async def test_a_post_said_to_somebody_else_in_the_thread_is_remembered_but_not_answered(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        bob = team.slack.user("bob")
        await team.ask(f"<@{bob}> the key is under the mat", thread=thread)
        await team.quiet()  # deliveries at once may overtake each other
        await team.ask("@parley where is the key?", thread=thread)
        await team.answer("#general", thread, count=2)
        assert len(team.model.requests) == 2
        assert "under the mat" in team.model.requests[-1].prompt


async def test_called_into_somebody_elses_thread_it_reads_what_was_said(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("the release is on Friday", user="bob")
        await team.ask("I will write the notes", user="alice", thread=thread)
        await team.ask("@parley when is the release?", user="alice", thread=thread)
        await team.answer("#general", thread)
        prompt = team.model.requests[-1].prompt
        assert (
            prompt.index("on Friday") < prompt.index("write the notes") < prompt.index("when is the release")
        )
        assert len(team.calls("conversations.replies")) == 1  # for what it began with as well


async def test_of_a_very_long_thread_it_says_that_it_saw_only_part(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_MEMORY_TOKENS="2000", PARLEY_MEMORY_TAIL_TOKENS="500") as team:
        thread = await team.ask("the beginning", user="bob")
        for n in range(60):
            await team.ask(f"message {n} " + "with many words " * 30, user="bob", thread=thread)
        await team.ask("@parley summarise", thread=thread)
        await team.answer("#general", thread)
        (reply,) = team.replies("#general", thread)
        assert "I read only" in str(reply["blocks"])
        assert "message 59" in team.model.requests[-1].prompt


async def test_an_edit_that_adds_the_mention_is_a_question(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        ts = await team.ask("how are things?")
        await team.slack.edit("alice", "#general", ts, "@parley how are things?")
        await team.answer("#general", ts)
        await team.quiet()
        assert len(team.model.requests) == 1


async def test_an_edit_of_an_answered_post_changes_what_is_remembered_and_nothing_else(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        ts = await team.ask("@parley my cat is called Minka")
        await team.answer("#general", ts)
        await team.quiet()
        await team.slack.edit("alice", "#general", ts, "@parley my cat is called Tiger")
        await team.ask("what is my cat called?", thread=ts)
        await team.answer("#general", ts, count=2)
        prompt = team.model.requests[-1].prompt
        assert "<user>my cat is called Tiger" in prompt
        assert "<user>my cat is called Minka" not in prompt


async def test_a_post_deleted_before_its_answer_gets_none_and_its_cost_stays(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("A long answer " * 50, tokens_per_s=20)
        ts = await team.ask("@parley tell me everything")
        await team.slack.until(lambda: team.slack.counts["chat.startStream"])
        await team.slack.delete("alice", "#general", ts)
        await team.quiet()
        assert team.said("#general", ts) == []
        assert len(team.model.requests) == 1
        usage = await team.bot.services.costs.this_month(
            team.slack.team, channel=team.slack.channel("#general")
        )
        assert usage.requests == 1


async def test_a_post_deleted_while_it_waits_is_never_asked(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("slow " * 20, tokens_per_s=20)
        thread = await team.ask("@parley first")
        waiting = await team.ask("second", thread=thread)
        second = await team.slack.say("alice", "#general", "third secret", thread_ts=thread)
        await team.slack.delete("alice", "#general", second)
        await team.quiet(20)
        assert waiting
        assert not any("third secret" in r.prompt for r in team.model.requests)


async def test_an_empty_mention_is_greeted_without_asking_the_model(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley")
        assert await team.answer("#general", thread) == turn.GREETING
        assert not team.model.requests


async def test_other_bots_and_its_own_messages_are_ignored(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        await team.quiet()
        assert len(team.model.requests) == 1


async def test_a_thread_that_goes_round_in_circles_comes_to_an_end(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_THREAD_TURN_LIMIT="2") as team:
        thread = await team.ask("@parley one")
        await team.answer("#general", thread)
        await team.ask("two", thread=thread)
        await team.answer("#general", thread, count=2)
        await team.ask("three", thread=thread)
        assert await team.answer("#general", thread, count=3) == turn.TURN_LIMIT
        assert len(team.model.requests) == 2


async def test_the_native_stop_button_ends_the_request_and_keeps_what_was_written(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("word " * 200, tokens_per_s=30)
        thread = await team.ask("@parley talk")
        await team.slack.until(lambda: team.slack.processing and team.slack.counts["chat.startStream"])
        await team.slack.stop("alice", "#general", thread)
        text = await team.answer("#general", thread)
        assert text.startswith("word word")
        assert len(text) < 900
        assert team.model.requests[0].outcome == "disconnected"
        (reply,) = team.replies("#general", thread)
        assert turn.CUT["stopped"] in str(reply["blocks"])


LONG = "word " * 18_000  # nine messages


async def test_stop_ends_a_delivery_that_is_under_way_and_marks_it(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_MAX_TOKENS="100000") as team:
        team.model.script(LONG)
        team.slack.faults.add("chat.postMessage", delay_s=1.0, times=0)
        thread = await team.ask("@parley talk")
        await team.slack.until(lambda: len(team.replies("#general", thread)) >= 2 and team.slack.processing)
        await team.slack.stop("alice", "#general", thread)
        await team.quiet()
        shown = team.replies("#general", thread)
        assert 2 <= len(shown) <= 7
        assert STOPPED in str(shown[-1]["blocks"])
        assert all(is_final(message) for message in shown)


async def test_a_question_deleted_during_the_delivery_takes_all_of_the_answer_along(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_MAX_TOKENS="100000") as team:
        team.model.script(LONG)
        team.slack.faults.add("chat.postMessage", delay_s=1.0, times=0)
        thread = await team.ask("@parley talk")
        await team.slack.until(lambda: len(team.replies("#general", thread)) >= 2)
        await team.slack.delete("alice", "#general", thread)
        await team.quiet()
        assert team.replies("#general", thread) == []
        assert len(team.calls("chat.postMessage")) <= 7


async def test_a_server_that_never_ends_is_not_read_for_ever_and_that_is_said(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_MAX_TOKENS="100000") as team:
        team.model.script("word " * 60_000)
        thread = await team.ask("@parley talk")
        await team.quiet(120)
        shown = team.replies("#general", thread)
        assert len(shown) <= MOST_PARTS
        assert turn.CUT["length"] in str(shown[-1]["blocks"])
        assert sum(len(text_of(message)) for message in shown) < 1.2 * turn.ANSWER_LIMIT


async def test_the_messages_tab_opens_with_prompts_to_begin_with(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await team.slack.open_home("alice", "messages")
        await team.slack.until(lambda: team.calls("assistant.threads.setSuggestedPrompts"))
        (call,) = team.calls("assistant.threads.setSuggestedPrompts")
        assert "thread_ts" not in call
        assert 1 <= len(call["prompts"]) <= 4


async def test_nothing_that_slack_delivers_is_refused(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_TRANSPORT="http") as team:
        await team.slack.look_at("alice", ["#general"])
        ts = await team.ask("plain words")
        await team.slack.react("bob", "#general", ts, "tada")
        await team.slack.join("dana", "#general")
        await team.slack.until(lambda: team.slack.deliveries and all(d.acked for d in team.slack.deliveries))
        assert all(len(d.attempts) == 1 for d in team.slack.deliveries)


async def test_two_people_in_a_thread_are_told_apart(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley I like tea", user="alice")
        await team.answer("#general", thread)
        await team.ask("I like coffee", user="bob", thread=thread)
        await team.answer("#general", thread, count=2)
        prompt = team.model.requests[-1].prompt
        assert "bob: I like coffee" in prompt
        assert "alice: I like tea" not in prompt, "as it was before there was a second person"
        assert "Asked by: bob" in prompt


async def test_the_model_is_told_what_a_channel_is_for_whoever_looked_at_a_report_before(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        await run_command(team, "alice", "usage month")
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        assert "as its members wrote it: Talk to the whole team" in team.model.requests[-1].prompt


async def test_people_are_names_to_the_model_and_in_its_answer(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        bob, carol = team.slack.user("bob"), team.slack.user("carol")
        team.model.script(f"<@{team.slack.user('alice')}>, ask <@{bob}> or <@{carol}>.", tokens_per_s=50)
        thread = await team.ask(f"@parley does <@{bob}> know who has the keys?")
        assert await team.answer("#general", thread) == f"<@{team.slack.user('alice')}>, ask bob or carol."
        prompt = team.model.requests[-1].prompt
        assert "does @bob know" in prompt
        assert bob not in prompt


async def test_the_model_is_told_where_by_whom_and_when_it_is_asked(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await team.answer("#general", await team.ask("@parley what day is it?"))
        prompt = team.model.requests[-1].prompt
        assert (
            "Channel: #general\nPurpose of the channel, as its members wrote it: Talk to the whole team"
            in prompt
        )
        assert "Asked by: alice" in prompt
        here = datetime.now(ZoneInfo("Europe/Berlin"))
        assert f"Asked on: {here:%A, %d %B %Y}" in prompt
        assert "(CET, UTC+0100)" in prompt or "(CEST, UTC+0200)" in prompt
        calls = [request.method for request in team.slack.requests]
        await team.answer("#general", await team.ask("@parley and now?"))
        again = [request.method for request in team.slack.requests][len(calls) :]
        assert not {"users.info", "conversations.info"} & set(again), "what is known is not asked again"


@pytest.mark.parametrize("told", ["", "names", "channel", "time"])
async def test_the_operator_decides_what_the_model_is_told_beside_the_words(
    tmp_path: Path, told: str
) -> None:
    async with workspace(tmp_path, PARLEY_CONTEXT=told or " ") as team:
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        await team.ask("and hello from me", user="bob", thread=thread)
        await team.answer("#general", thread, count=2)
        prompt = team.model.requests[-1].prompt
        assert ("bob: and hello" in prompt) == ("Asked by: bob" in prompt) == (told == "names")
        assert ("#general" in prompt) == (told == "channel")
        assert ("Asked on:" in prompt) == (told == "time")


async def test_an_address_somebody_wrote_earlier_in_the_thread_may_be_a_link(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        link, mail = "https://wiki.example/a?b=c", "ann@corp.example"
        thread = await team.ask(f"@parley our page is {link}, ask {mail}", user="bob")
        await team.answer("#general", thread)
        for tokens_per_s in (0, 50):
            refused = f"not {link}&d=e, https://wiki.example/b, other.example."
            said = f"See {link}, [here]({link}) or {mail}; {refused}"
            team.model.script(said, tokens_per_s=tokens_per_s)
            await team.ask("where was that?", thread=thread)
            shown = await team.answer("#general", thread, count=3 if tokens_per_s else 2)
            assert f"See {link}, [here]({link}) or {mail}; not https:{JOINER}/" in shown
            assert shown.replace(JOINER, "") == said
            assert shown.count("://") == 2


async def test_a_status_is_shown_while_working_and_cleared_afterwards(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("done", first_token_s=1.5)
        thread = await team.ask("@parley think")
        await team.answer("#general", thread)
        await team.quiet()
        assert team.calls("agents.sessions.setStatus")[0]["status"] == "processing"
        stops = team.calls("chat.stopStream")
        ended = team.calls("agents.sessions.setStatus")[-1]["status"]
        assert ended == "active" or stops[-1].get("session_status") == "active"


def test_text_of_reads_blocks_before_the_fallback() -> None:
    assert text_of({"text": "x", "blocks": [{"type": "markdown", "text": "y"}]}) == "y"
