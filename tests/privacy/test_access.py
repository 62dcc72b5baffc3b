"""Where Parley works at all, what another company that reads along sees and leaves behind, and what the
provider is told about keeping."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.core import access, errors
from bot.core.settings import Settings
from bot.core.values import Incoming
from bot.sandbox.model.rules import PARAMETERS
from bot.sandbox.slack.people.acts import FileUpload
from handlers.slack.blocks import FORGET_CLIP, RETRY, SHOULD_ANSWER
from handlers.voice.blocks import EDIT
from tests.support.clips import TONE_RECOGNITION, answered, cards, clip, drop, shown, spoken
from tests.support.commands import tell_in_thread
from tests.support.conversation_rows import HERE
from tests.support.guarded_channel import verdict
from tests.support.rows import SECRET, kept, on_disk, rows
from tests.support.workspace import workspace

# Where Parley works at all


async def test_outside_the_named_channels_a_mention_is_told_so_and_nothing_is_asked_or_kept(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path, PARLEY_CHANNELS="C0SUPPORT1, C0OTHER") as team:
        thread = await team.ask(f"@parley {SECRET}")
        assert await team.answer("#general", thread) == errors.NotHere().notice
        await team.ask(f"{SECRET} again", thread=thread)
        bob = team.slack.user("bob")
        await team.ask(f"<@{bob}> {SECRET} once more", thread=thread)
        await team.quiet()
        assert len(team.said("#general", thread)) == 1
        assert not team.model.requests
        assert kept(tmp_path) == []
        inside = await team.ask("@parley hello", channel="#support")
        assert await team.answer("#support", inside)
        direct = await team.ask("hello", channel=team.slack.dm("alice"))
        assert await team.answer(team.slack.dm("alice"), direct)


# Where another company reads along


async def test_in_a_shared_channel_each_question_is_answered_by_itself_and_no_word_is_kept(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask(f"@parley remember {SECRET}", channel="#partners")
        await team.answer("#partners", thread)
        await team.ask("what did I say?", user="dana", channel="#partners", thread=thread)
        await team.answer("#partners", thread, count=2)
        bob = team.slack.user("bob")
        await team.ask(f"<@{bob}> {SECRET}", channel="#partners", thread=thread)
        await team.quiet()
        assert SECRET not in team.model.requests[-1].prompt
        assert kept(tmp_path) == []


async def test_people_of_another_company_get_no_memory_in_their_direct_messages_either(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        dm = team.slack.dm("dana")
        thread = await team.ask(f"remember {SECRET}", user="dana", channel=dm)
        await team.answer(dm, thread)
        await team.ask("what did I say?", user="dana", channel=dm, thread=thread)
        await team.answer(dm, thread, count=2)
        assert SECRET not in team.model.requests[-1].prompt


async def test_what_was_remembered_before_a_channel_was_shared_is_not_recalled_in_it(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await tell_in_thread(team)
        team.slack.workspace.channels[team.slack.channel("#general")].shared_with = "T0PARTNER1"
        await team.ask("what did I say?", thread=thread)
        await team.answer("#general", thread, count=2)
        assert SECRET not in team.model.requests[-1].prompt


async def test_a_thread_of_a_shared_channel_comes_to_an_end_too(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_THREAD_TURN_LIMIT="1") as team:
        thread = await team.ask("@parley one", channel="#partners")
        await team.answer("#partners", thread)
        await team.ask("two", channel="#partners", thread=thread)
        await team.answer("#partners", thread, count=2)
        assert len(team.model.requests) == 1


async def test_an_operator_may_open_shared_channels(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_EXTERNAL="all") as team:
        thread = await team.ask(f"@parley remember {SECRET}", channel="#partners")
        await team.answer("#partners", thread)
        await team.ask("what did I say?", user="dana", channel="#partners", thread=thread)
        await team.answer("#partners", thread, count=2)
        assert SECRET in team.model.requests[-1].prompt


async def test_or_close_them(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_EXTERNAL="refuse") as team:
        thread = await team.ask("@parley hello", channel="#partners")
        assert await team.answer("#partners", thread) == errors.NotShared().notice
        assert not team.model.requests


@pytest.mark.parametrize(
    ("channel", "settings"),
    [("#partners", {}), ("#general", {"PARLEY_CHANNELS": "C0SUPPORT1"})],
    ids=["where another company reads along", "where nothing is answered"],
)
async def test_no_clip_is_overheard(tmp_path: Path, channel: str, settings: dict[str, str]) -> None:
    async with workspace(tmp_path, PARLEY_VOICE_LISTEN="every", **settings) as team:
        team.slack.faults.add("files.download", status=500, times=9)
        clip = FileUpload("audio_message.m4a", b"RIFF", voice=True, duration_s=1.0)
        await team.slack.say("bob", channel, "", files=[clip])
        await team.slack.until(lambda: all(delivery.over for delivery in team.slack.deliveries))
        await team.quiet()
        assert await team.bot.services.engine.read(lambda tx: tx.all("select seq from inbox")) == []


async def test_the_guard_judges_there_too_and_keeps_no_word_of_it(tmp_path: Path) -> None:
    policies = tmp_path / "policies.toml"
    policies.write_text('[C0SHARED01]\npurpose = "the contract"\nshadow = false\n', "utf-8")
    async with workspace(tmp_path, PARLEY_POLICIES=str(policies)) as team:
        thread = await team.ask(f"@parley what about the contract and {SECRET}?", channel="#partners")
        await team.answer("#partners", thread)
        await team.quiet()
        rows = await team.bot.services.engine.read(
            lambda tx: tx.all("select text, person from guard_verdicts")
        )
        assert [(row["text"], row["person"]) for row in rows] == [("", team.slack.user("alice"))]
        assert kept(tmp_path) == []


@pytest.mark.parametrize(("setting", "words"), [("alone", []), ("all", ["replies"])])
async def test_a_failed_answer_there_offers_no_other_try_for_its_question_is_not_kept(
    tmp_path: Path, setting: str, words: list[str]
) -> None:
    async with workspace(tmp_path, PARLEY_EXTERNAL=setting) as team:
        team.model.faults.add("overloaded", times=0)
        thread = await team.ask(f"@parley {SECRET}", user="dana", channel="#partners")
        await team.answer("#partners", thread)
        await team.quiet()
        assert kept(tmp_path) == words
        assert (RETRY in str(team.replies("#partners", thread))) is bool(words)


async def test_a_refusal_there_cannot_be_overturned_for_its_words_are_not_kept(tmp_path: Path) -> None:
    policies = tmp_path / "policies.toml"
    policies.write_text('[C0SHARED01]\npurpose = "the contract"\nshadow = false\n', "utf-8")
    async with workspace(tmp_path, PARLEY_POLICIES=str(policies)) as team:
        team.model.script(verdict(0.01), match=SECRET, times=0)
        thread = await team.ask(f"@parley {SECRET}", user="dana", channel="#partners")
        assert "the contract" in await team.answer("#partners", thread)
        await team.quiet()
        assert SHOULD_ANSWER not in str(team.replies("#partners", thread))
        assert kept(tmp_path) == []


@pytest.mark.parametrize("setting", ["alone", "all"])
async def test_what_was_heard_in_a_clip_there_stays_in_slack_alone_and_can_be_forgotten_there(
    tmp_path: Path, setting: str
) -> None:
    words = range(10, 16)
    async with workspace(tmp_path, model=TONE_RECOGNITION, PARLEY_EXTERNAL=setting) as team:
        recording = clip(words, tmp_path)
        thread = await drop(team, recording, user="dana", channel="#partners", text="@parley w77")
        await answered(team, thread, "#partners")
        await team.quiet()
        (card,) = cards(team, thread, "#partners")
        assert spoken(words) in shown(card)
        stays = setting == "all"
        assert bool(kept(tmp_path, "w12") or kept(tmp_path, "w77")) is stays
        assert (EDIT in str(card)) is stays
        await team.slack.press("dana", "#partners", card["ts"], FORGET_CLIP)
        await team.slack.until(lambda: not cards(team, thread, "#partners"))
        again = await drop(team, recording, user="dana", channel="#partners")
        await answered(team, again, "#partners")
        await team.slack.until(lambda: cards(team, again, "#partners"))
        await team.slack.delete("dana", "#partners", again)
        await team.slack.until(lambda: not cards(team, again, "#partners"))
        await team.quiet()
        assert stays or not kept(tmp_path, "w12")


@pytest.mark.parametrize(("setting", "words"), [("alone", []), ("all", ["inbox"])])
async def test_what_was_given_up_there_stays_listed_without_its_words(
    tmp_path: Path, setting: str, words: list[str]
) -> None:
    async with workspace(tmp_path, PARLEY_EXTERNAL=setting) as team:
        for method in ("chat.startStream", "chat.postMessage", "chat.update"):
            team.slack.faults.add(method, error="invalid_blocks", times=0)
        await team.ask(f"@parley {SECRET}", channel="#partners")
        await team.slack.until(lambda: states(tmp_path) == ["done", "parked"])
        assert [table for table in kept(tmp_path) if table == "inbox"] == words


def states(tmp_path: Path) -> list[str]:
    """What became of everything in the inbox."""
    return [state for (state,) in rows(tmp_path, "select state from inbox order by state")]


async def test_the_hour_takes_what_was_said_there_out_of_the_files_too(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask(f"@parley {SECRET}", channel="#partners")
        await team.answer("#partners", thread)
        await team.quiet()
    async with workspace(tmp_path) as team:  # housekeeping begins with the process
        await team.slack.until(lambda: not on_disk(tmp_path))


def test_documents_are_not_told_where_another_company_reads_along() -> None:
    question = Incoming("k", HERE, "U1", "1", "hello", datetime.now(UTC), external=True)
    with pytest.raises(errors.KeptInside):
        access.admit_to_documents(question, Settings())
    access.admit_to_documents(question, Settings(external="all"))
    access.admit_to_documents(replace(question, external=False), Settings())


# What the provider is told about keeping


@pytest.mark.parametrize("style", ["chat", "responses"])
async def test_every_request_that_knows_the_word_says_that_nothing_is_to_be_stored(
    tmp_path: Path, style: str
) -> None:
    policies = tmp_path / "policies.toml"
    policies.write_text(
        '[C0GENERAL1]\npurpose = "cats"\nshadow = false\n'
        '[C0SUPPORT1]\npurpose = "the handbook"\ncontext_only = true\nshadow = false\n'
        'passages = ["The annual leave is thirty days."]\n',
        "utf-8",
    )
    given = {"PARLEY_POLICIES": str(policies), "PARLEY_STYLE": style}
    small = {"PARLEY_MEMORY_TOKENS": "1500", "PARLEY_MEMORY_TAIL_TOKENS": "200"}
    async with workspace(tmp_path, **given, **small) as team:
        thread = await team.ask("@parley my cat is called Minka")
        await team.answer("#general", thread)
        for n in range(4):
            await team.ask(f"more about my cat {n}: " + "it purrs and purrs and sleeps. " * 60, thread=thread)
            await team.answer("#general", thread, count=n + 2)
        support = await team.ask("@parley how many days is the annual leave?", channel="#support")
        await team.answer("#support", support)
        await team.quiet()
        rows = await team.bot.services.engine.read(lambda tx: tx.all("select distinct kind from ledger"))
        assert {"answer", "summary", "guard"} <= {row["kind"] for row in rows}
        asked = [r for r in team.model.requests if "store" in PARAMETERS.get(r.endpoint, ())]
        assert len(asked) >= 6
        assert {request.body.get("store") for request in asked} == {False}
