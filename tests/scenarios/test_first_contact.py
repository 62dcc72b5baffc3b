"""First contact: everybody is told once that they talk with an AI, whatever answers them first."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.conversation.turn import GREETING
from bot.core.errors import NotHere
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from bot.welcome.disclosures import SENTENCE
from tests.support.commands import forget_everything, parley
from tests.support.guarded_channel import CARD, PURPOSE, filled, is_answer, said, save, verdict
from tests.support.rows import rows
from tests.support.waiting import until
from tests.support.workspace import MANIFEST, Workspace, started, workspace

TOLD = "select person, occasion, channel, source from disclosures order by at"
OWN_WORDS = "Hier antwortet eine KI. Sie kann sich irren & braucht <Aufsicht>."


def told(team: Workspace, channel: str, thread: str) -> list[bool]:
    """Of each message of ours in a thread, whether it says that this is an AI: in its blocks, and aloud."""
    return [_tells(message) for message in team.replies(channel, thread)]


def _tells(message: dict[str, Any], sentence: str = SENTENCE) -> bool:
    under = [element["text"] for block in message["blocks"] for element in block.get("elements", ())
             if block["type"] == "context"]  # fmt: skip
    return sentence in under


async def ask(team: Workspace, user: str, channel: str = "#general", text: str = "hello") -> list[bool]:
    thread = await team.ask(f"@parley {text}", user=user, channel=channel)
    await team.answer(channel, thread)
    await team.quiet()
    return told(team, channel, thread)


# Under the first answer


async def test_the_first_answer_of_each_person_tells_them_and_no_other_does(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        assert await ask(team, "alice") == [True]
        assert await ask(team, "bob", "#support") == [True]
        assert await ask(team, "alice", "#support") == [False]
        assert await ask(team, "alice", team.slack.dm("alice")) == [False]
        assert await ask(team, "carol", team.slack.dm("carol")) == [True], "in direct messages, too"
        assert await ask(team, "carol") == [False]


async def test_what_is_posted_in_one_piece_tells_it_aloud_and_what_was_streamed_under_it(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        assert await ask(team, "alice", text="") == [True]
        (posted,) = team.calls("chat.postMessage")
        assert posted["text"].startswith(GREETING[:20])
        assert posted["text"].endswith(SENTENCE)
        team.model.script("word " * 60, tokens_per_s=200)
        assert await ask(team, "bob") == [True]
        assert SENTENCE in str(team.calls("chat.stopStream")[-1]["blocks"])


async def test_who_when_and_where_is_kept_with_no_words(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley hello", user="bob", channel="#support")
        await team.answer("#support", thread)
        (reply,) = team.replies("#support", thread)
        id, bob, support = reply["metadata"]["event_payload"]["id"], *_ids(team, "bob", "#support")
        assert rows(tmp_path, TOLD) == [(bob, "answer", support, id)]
        ((at,),) = rows(tmp_path, "select at from disclosures")
        assert abs(at - datetime.now(UTC).timestamp()) < 60
        noted = "select person, about, detail from audit where act = 'told of AI'"
        assert rows(tmp_path, noted) == [("", bob, f"answer in {support}")]


def _ids(team: Workspace, user: str, channel: str) -> tuple[str, str]:
    return team.slack.user(user), team.slack.channel(channel)


@pytest.mark.parametrize(
    "question", ["", "hello"], ids=["nothing but a mention is greeted", "the model is away"]
)
async def test_a_first_answer_that_is_none_of_the_models_tells_it(tmp_path: Path, question: str) -> None:
    async with workspace(tmp_path) as team:
        team.model.faults.add("server_error", times=0)
        thread = await team.ask(f"@parley {question}")
        answer = await team.answer("#general", thread)
        assert (answer == GREETING) is (not question)
        assert told(team, "#general", thread) == [True]


async def test_a_refusal_of_the_guard_tells_it(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script(verdict(0.01), match=lambda asked: not is_answer(asked), times=0)
        await save(team, purpose=PURPOSE, shadow="false", belongs="how do i boil eggs")
        answer, thread = await said(team, CARD, user="bob")
        assert PURPOSE in answer
        assert told(team, "#general", thread) == [True]


async def test_where_nothing_is_answered_that_is_said_and_tells_it(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_CHANNELS="C0SUPPORT1") as team:
        thread = await team.ask("@parley hello")
        assert await team.answer("#general", thread) == NotHere().notice
        assert told(team, "#general", thread) == [True]


async def test_people_of_another_company_are_told_like_everybody(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        assert await ask(team, "dana", "#partners") == [True]
        assert await ask(team, "dana", "#partners") == [False]


async def test_an_answer_that_finds_its_channel_closed_tells_it_in_direct_messages(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("So it is.", first_token_s=0.3)
        await team.ask("@parley hello")
        await team.slack.until(lambda: team.model.requests)
        await team.slack.archive("alice", "#general")
        direct = team.slack.workspace.direct(team.slack.user("alice"))
        await team.slack.until(lambda: direct.messages)
        (message,) = direct.messages.values()
        assert _tells(message)


async def test_what_was_given_up_on_tells_it_once(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_MAX_ATTEMPTS="1") as team:
        team.slack.faults.add("chat.postMessage", error="no_such_thing")
        thread = await team.ask("@parley")
        assert "could not finish" in await team.answer("#general", thread)
        await team.quiet()
        assert told(team, "#general", thread) == [True]
        assert await ask(team, "alice") == [False]


async def test_several_questions_at_once_are_told_once(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        threads = [await team.ask(f"@parley question {n}") for n in range(5)]
        for thread in threads:
            await team.answer("#general", thread)
        assert sorted(told(team, "#general", thread) for thread in threads) == [[False]] * 4 + [[True]]


async def test_an_answer_that_was_taken_back_leaves_it_to_the_next(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.slack.faults.add("chat.*", status=503, times=0)
        thread = await team.ask("@parley hello")
        await until(lambda: bool(rows(tmp_path, TOLD)))
        await team.slack.delete("alice", "#general", thread)
        await team.slack.until(lambda: all(delivery.over for delivery in team.slack.deliveries))
        team.slack.faults.clear()
        await until(lambda: not rows(tmp_path, TOLD), 30)
        assert await ask(team, "alice") == [True]
        acts = rows(tmp_path, "select act from audit where about <> '' and act like '%AI' order by seq")
        assert acts == [("told of AI",), ("not told of AI",), ("told of AI",)]


async def test_an_answer_that_is_stopped_on_its_way_tells_it_where_it_ends(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_MAX_TOKENS="100000") as team:
        team.model.script("word " * 18_000)
        team.slack.faults.add("chat.postMessage", delay_s=1.0, times=0)
        thread = await team.ask("@parley talk")
        await team.slack.until(lambda: len(team.replies("#general", thread)) >= 2 and team.slack.processing)
        await team.slack.stop("alice", "#general", thread)
        await team.quiet()
        *before, last = told(team, "#general", thread)
        assert not any(before)
        assert last
        assert SENTENCE in team.replies("#general", thread)[-1]["text"]


async def test_a_second_try_does_not_tell_it_again_and_neither_does_a_new_process(tmp_path: Path) -> None:
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        async with started(slack, model, tmp_path) as team:
            team.model.faults.add("server_error", times=3)
            thread = await team.ask("@parley hello")
            await team.answer("#general", thread)
            await team.slack.press("alice", "#general", team.replies("#general", thread)[0]["ts"], "retry")
            await team.answer("#general", thread, count=2)
            assert told(team, "#general", thread) == [True, False]
        async with started(slack, model, tmp_path) as team:
            assert await ask(team, "alice") == [False]


async def test_the_operators_own_words_are_shown_letter_for_letter(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_DISCLOSURE=OWN_WORDS) as team:
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        (reply,) = team.replies("#general", thread)
        escaped = OWN_WORDS.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert _tells(reply, escaped)
        assert SENTENCE not in str(reply)


@pytest.mark.parametrize("nothing", [" ", "–", "\u200b"])
async def test_words_that_say_nothing_do_not_remove_it(tmp_path: Path, nothing: str) -> None:
    async with workspace(tmp_path, PARLEY_DISCLOSURE=nothing) as team:
        assert await ask(team, "alice") == [True]


# When a command is what answers first


async def test_the_answer_of_a_command_tells_it_and_the_next_answer_does_not(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        assert SENTENCE in await parley(team, "usage")
        assert SENTENCE not in await parley(team, "usage")
        assert await ask(team, "alice") == [False]
        alice, general = _ids(team, "alice", "#general")
        assert rows(tmp_path, TOLD) == [(alice, "answer", general, "/parley")]


async def test_a_command_after_the_first_answer_does_not_tell_it_again(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        assert await ask(team, "alice") == [True]
        assert SENTENCE not in await parley(team, "help")
        assert SENTENCE in await parley(team, "help", user="bob")


@pytest.mark.parametrize("words", ["help", "nonsense", "usage month", "budget raise", "export", "forget all"])
async def test_whatever_a_command_says_first_tells_it_once(tmp_path: Path, words: str) -> None:
    async with workspace(tmp_path) as team:
        for _ in range(2):
            await team.slack.command("bob", "#general", "/parley", words)
            await team.quiet()
        await team.slack.until(lambda: len(team.slack.ephemerals("bob")) >= 2)
        assert [SENTENCE in str(shown) for shown in team.slack.ephemerals("bob")] == [True, False]


async def test_a_command_that_only_opens_a_window_tells_it_beside_the_window(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        for _ in range(2):
            await team.slack.command("alice", "#general", "/parley", "settings")
            await filled(team)
            await team.slack.close_modal("alice")
        (shown,) = await team.slack.until(lambda: team.slack.ephemerals("alice"))
        assert shown["text"] == SENTENCE


async def test_a_menu_that_answers_first_tells_it(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await ask(team, "alice")
        thread = await team.ask("nobody is asked", user="alice")
        await team.slack.shortcut("bob", "forget_thread", channel="#general", ts=thread)
        (shown,) = await team.slack.until(lambda: team.slack.ephemerals("bob"))
        assert SENTENCE in shown["text"]
        assert SENTENCE in str(shown["blocks"])


async def test_several_commands_at_once_tell_it_once(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        shown = await asyncio.gather(*(parley(team, "usage", user="bob") for _ in range(5)))
        assert sum(SENTENCE in one for one in shown) == 1


# What becomes of it


async def test_who_is_forgotten_was_told_all_the_same_and_finds_it_in_the_export(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await ask(team, "alice")
        before = rows(tmp_path, TOLD)
        assert "Forgotten" in await forget_everything(team)
        await team.quiet()
        assert rows(tmp_path, TOLD) == before
        assert await ask(team, "alice") == [False]
        alice = team.slack.user("alice")
        export = await team.bot.services.forgetting.export_person(team.slack.team, alice)
        (found,) = json.loads(export)["disclosures"]
        assert (found["person"], found["occasion"]) == (alice, "answer")


async def test_with_the_workspace_it_goes_from_the_table_and_stays_in_the_audit_list(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await ask(team, "alice")
        team.slack.uninstall()
        await until(lambda: not rows(tmp_path, TOLD))
        assert rows(tmp_path, "select count(*) from audit where act = 'told of AI'") == [(1,)]


async def test_in_each_workspace_a_person_is_told_anew(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await ask(team, "alice")
        alice = team.slack.user("alice")
        services = team.bot.services
        async with services.disclosures.saying("T9", alice, channel="C", source="x") as answer:
            assert answer.sentence == SENTENCE
