"""What is kept of people, for how long, and what another company or another channel gets to see of it."""

from __future__ import annotations

import argparse
import json
import sqlite3
import time
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot import audit_cli, boundaries, cli, errors, forget_cli, retention, retention_cli
from bot.changes import note_changes
from bot.config import Settings
from bot.messages import Incoming
from bot.sandbox.model_rules import PARAMETERS
from bot.sandbox.slack_acts import Upload
from handlers.blocks import FEEDBACK, RETRY, SHOULD_ANSWER
from handlers.clip_blocks import EDIT, FORGET
from storage import (
    audit,
    budgets,
    channels,
    clips,
    conversations,
    guard,
    inbox,
    ledger,
    owners,
    recordings,
    replies,
    schema,
)
from storage.engine import Tx, open_engine
from storage.forget import forget_team
from storage.guard import Channel
from storage.schema import LASTING, TEAM_TABLES
from storage.sqlite_writer import SqliteTx
from tests.clips import EARS, answered, cards, clip, drop, shown, spoken
from tests.rows import open_rows
from tests.spending import told as told_admin
from tests.test_commands import kept, on_disk, parley, told
from tests.test_conversations import HERE, everything, work_through
from tests.test_guard_in_slack import is_answer, teach, verdict
from tests.workspace import Workspace, workspace

DAY_S = 86_400.0
SECRET = "xylophone-7431"
LEARNED = "xylophone"  # as a trained model knows it


@pytest.fixture
def tx(tmp_path: Path) -> Any:
    with open_rows(tmp_path / "rows.db") as rows:
        yield rows


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
        thread = await told(team)
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
        clip = Upload("audio_message.m4a", b"RIFF", voice=True, duration_s=1.0)
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
        await team.answer("#partners", thread, timeout_s=60)
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
    async with workspace(tmp_path, model=EARS, PARLEY_EXTERNAL=setting) as team:
        recording = clip(words, tmp_path)
        thread = await drop(team, recording, user="dana", channel="#partners", text="@parley w77")
        await answered(team, thread, "#partners")
        await team.quiet()
        (card,) = cards(team, thread, "#partners")
        assert spoken(words) in shown(card)
        stays = setting == "all"
        assert bool(kept(tmp_path, "w12") or kept(tmp_path, "w77")) is stays
        assert (EDIT in str(card)) is stays
        await team.slack.press("dana", "#partners", card["ts"], FORGET)
        await team.slack.until(lambda: not cards(team, thread, "#partners"), 30)
        again = await drop(team, recording, user="dana", channel="#partners")
        await answered(team, again, "#partners")
        await team.slack.until(lambda: cards(team, again, "#partners"), 30)
        await team.slack.delete("dana", "#partners", again)
        await team.slack.until(lambda: not cards(team, again, "#partners"), 30)
        assert stays or not kept(tmp_path, "w12")


@pytest.mark.parametrize(("setting", "words"), [("alone", []), ("all", ["inbox"])])
async def test_what_was_given_up_there_stays_listed_without_its_words(
    tmp_path: Path, setting: str, words: list[str]
) -> None:
    async with workspace(tmp_path, PARLEY_EXTERNAL=setting) as team:
        for method in ("chat.startStream", "chat.postMessage", "chat.update"):
            team.slack.faults.add(method, error="invalid_blocks", times=0)
        await team.ask(f"@parley {SECRET}", channel="#partners")
        await team.slack.until(lambda: states(tmp_path) == ["done", "parked"], 30)
        assert [table for table in kept(tmp_path) if table == "inbox"] == words


def states(tmp_path: Path) -> list[str]:
    """What became of everything in the inbox."""
    db = sqlite3.connect(f"file:{tmp_path}/parley.db?mode=ro", uri=True)
    try:
        return [state for (state,) in db.execute("select state from inbox order by state")]
    finally:
        db.close()


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
        boundaries.admit_to_documents(question, Settings())
    boundaries.admit_to_documents(question, Settings(external="all"))
    boundaries.admit_to_documents(replace(question, external=False), Settings())


# How long what people said is kept


def aged(tx: Tx) -> None:
    """One row of each kind said a long time ago, and one said just now."""
    for at, name in ((0.0, "old"), (100 * DAY_S, "new")):
        conversations.append(
            tx, HERE, role="human", message=name, person="U1", text=f"{name} message", now=at
        )
        owner = recordings.Owner("T", HERE.key, "U1")
        recordings.put_card(tx, f"r-{name}", owner, f"{name} recording", now=at)
        clip = clips.Clip(f"c-{name}", f"r-{name}", "T", "C", HERE.key, name, "U1", f'"{name} clip"')
        clips.put(tx, clip)
        verdict = {
            "conversation": HERE.key, "person": "U1", "message": name, "text": f"{name} verdict",
            "on_topic": 1, "rung": "rules", "probability": None, "threshold": None, "reason": "", "cost": 0,
            "action": "refuse", "shadow": 0, "version": None, "judged_at": at,
        }  # fmt: skip
        guard.add_verdict(tx, Channel("T", "C"), verdict)
        guard.add_unanswered(
            tx, Channel("T", "C"), f"{name} question", "", person="U1", conversation=HERE.key, now=at
        )
        inbox.put(tx, name, f"parked {name}", "m", f'"{name} parked"', team="T", person="U1", now=at)
        job = inbox.take(tx, f"parked {name}", now=at)
        assert isinstance(job, inbox.Job)
        replies.begin(tx, f"reply-{name}", job.seq, HERE, "U1", now=at)
        replies.answered(tx, f"reply-{name}", f'"{name} answer"')
        replies.judge(tx, f"reply-{name}", "T", "U1", 1, now=at)
        inbox.park(tx, job, "no")
    seq = conversations.recall(tx, HERE.key).messages[0].seq
    conversations.summarise(tx, HERE.key, "old summary", upto=seq, tokens=1, erasures=0, now=1.0)


@pytest.fixture
async def engine(tmp_path: Path) -> Any:
    async with open_engine(f"sqlite:///{tmp_path}/parley.db") as opened:
        await opened.write(aged)
        yield opened


async def test_what_is_older_than_its_days_is_erased_for_good_and_the_rest_stays(
    engine: Any, tmp_path: Path
) -> None:
    settings = Settings(keep_messages_days=30, keep_recordings_days=30, keep_verdicts_days=30)
    erased = await retention.apply(engine, settings, now=100 * DAY_S)
    assert erased == {"messages": 3, "recordings": 2, "verdicts": 2}
    words = ("message", "summary", "recording", "clip", "verdict", "question", "parked", "answer")
    assert [w for w in words if kept(tmp_path, f"old {w}") or on_disk(tmp_path, f"old {w}")] == []
    assert [w for w in words if not kept(tmp_path, f"new {w}")] == ["summary"]
    assert await retention.apply(engine, settings, now=100 * DAY_S) == {}


@pytest.mark.parametrize("kind", ["messages", "recordings", "verdicts"])
async def test_each_kind_has_days_of_its_own_and_0_is_for_ever(engine: Any, kind: str) -> None:
    never = {f"keep_{k}_days": 0.0 for k in ("messages", "recordings", "verdicts")}
    assert await retention.apply(engine, Settings(**never), now=1e6 * DAY_S) == {}  # type: ignore[arg-type]
    only = Settings(**never | {f"keep_{kind}_days": 30.0})  # type: ignore[arg-type]
    assert list(await retention.apply(engine, only, now=100 * DAY_S)) == [kind]


async def test_more_rows_than_a_portion_are_erased_too(tmp_path: Path) -> None:
    async with open_engine(f"sqlite:///{tmp_path}/many.db") as many:

        def said(tx: Tx) -> None:
            for n in range(1300):
                conversations.append(tx, HERE, role="human", message=str(n), person="U", text="x", now=0.0)

        await many.write(said)
        assert await retention.apply(many, Settings(), now=31 * DAY_S) == {"messages": 1300}


async def test_a_channel_may_want_less_and_only_what_was_said_in_it_goes_sooner(
    engine: Any, tmp_path: Path
) -> None:
    def beside(tx: Tx) -> None:
        for place in (replace(HERE, channel="C2"), replace(HERE, team="T2")):
            said_by = f"elsewhere {place.key}"
            conversations.append(tx, place, role="human", message="1", person="U1", text=said_by, now=0.0)
            recordings.put_card(tx, said_by, recordings.Owner(place.team, place.key, "U1"), said_by, now=0.0)
        inbox.put(tx, "p", HERE.key, "m", '"here, given up"', team="T", person="U1", now=0.0)
        job = inbox.take(tx, HERE.key, now=0.0)
        assert isinstance(job, inbox.Job)
        inbox.park(tx, job, "no")
        replies.begin(tx, "retryable", job.seq, HERE, "U1", now=0.0)
        replies.sent(tx, "retryable", ["1"], now=0.0, retryable=True)
        channels.wish(tx, "T", "C", retention.KEEP, "7", person="U1", now=0.0)

    await engine.write(beside)
    now, settings = 8 * DAY_S, Settings(keep_verdicts_days=0)
    due = {
        (found.kind.name, found.kind.days): found.due
        for found in await retention.kept(engine, settings, now=now)
    }
    assert [due[name, 7.0] for name in ("messages", "recordings", "verdicts")] == [1, 1, 1]
    assert await retention.apply(engine, settings, now=now) == {"messages": 3, "recordings": 2, "verdicts": 2}
    words = ("message", "summary", "recording", "clip", "verdict", "question", "answer")
    assert [word for word in words if kept(tmp_path, f"old {word}") or on_disk(tmp_path, f"old {word}")] == []
    assert kept(tmp_path, "given up") == []
    assert (
        kept(tmp_path, "elsewhere T:C2:1") == kept(tmp_path, "elsewhere T2:C:1") == ["messages", "recordings"]
    )
    assert kept(tmp_path, "old parked"), "of no conversation of that channel"
    notes = [e for e in await engine.read(lambda tx: list(audit.every(tx))) if e.act == "retention"]
    assert [(e.team, e.about) for e in notes] == [("T", k) for k in ("messages", "recordings", "verdicts")]
    assert notes[0].detail == "3 rows older than 7 days in C"
    assert await retention.apply(engine, settings, now=now) == {}


@pytest.mark.parametrize("words", ["0", "-1", "30", "31", "seven", "7.5", "٧", "999999", "7 8"])
def test_a_channel_cannot_want_more_than_everywhere_nor_nothing(words: str) -> None:
    with pytest.raises(errors.NotUnderstood):
        retention.wish(Settings(keep_verdicts_days=20), words)


def test_where_everything_is_kept_for_ever_a_channel_may_want_any_number_of_days() -> None:
    assert retention.wish(Settings(keep_messages_days=0), "400") == "400"
    assert retention.wish(Settings(), "OFF") == ""


async def test_who_looks_after_a_channel_has_its_words_erased_sooner_and_sees_for_how_long(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with workspace(tmp_path) as team:
        await told(team)
        await told(team, channel="#support")
        assert "messages 30 days" in str(await told_admin(team, "bob", "keep"))
        assert "not yours" in str(await told_admin(team, "bob", "keep 7"))
        assert "may want less" in str(await told_admin(team, "alice", "keep 365"))
        assert "messages 7 days" in str(await told_admin(team, "alice", "keep 7"))
        age(tmp_path, days=8)
        assert await retention_cli.run(argparse.Namespace(apply=True), team.bot.settings) == 0
        lines = capsys.readouterr().out.splitlines()
        where = f"{team.slack.team}:{team.slack.channel('#general')}"
        assert f"messages    kept 7 days       0 there in {where}; 0 due" in lines
        stay = await team.bot.services.engine.read(lambda tx: tx.all("select distinct channel from messages"))
        assert [row["channel"] for row in stay] == [team.slack.channel("#support")]
        assert "messages 30 days" in str(await told_admin(team, "alice", "keep off"))
        found = await team.bot.services.engine.read(lambda tx: list(audit.every(tx)))
        assert [e.detail for e in found if e.act == "channel setting"] == [
            "keep 7 days",
            "keep as everywhere",
        ]


async def test_a_running_bot_forgets_by_itself_and_goes_on_in_the_thread(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await told(team)
        age(tmp_path, days=31)
        assert await team.bot.services.retain() == {"messages": 2}
        assert kept(tmp_path) == []
        await team.ask("what did I say?", thread=thread)
        assert await team.answer("#general", thread, count=2)
        assert SECRET not in team.model.requests[-1].prompt


async def test_what_grew_old_while_the_bot_was_away_goes_when_it_comes_back(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await told(team)
    age(tmp_path, days=31)
    async with workspace(tmp_path) as team:
        await team.slack.until(lambda: not kept(tmp_path))


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


def age(tmp_path: Path, *, days: float) -> None:
    """Makes everything that was said older than it is."""
    db = sqlite3.connect(tmp_path / "parley.db")
    db.execute("update messages set at = at - ?", [days * DAY_S])
    db.commit()
    db.close()


async def test_the_command_tells_what_is_kept_and_lets_the_running_bot_erase(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with workspace(tmp_path) as team:
        await told(team)
        age(tmp_path, days=31)
        for apply, due in ((False, "2 there, the oldest 31 days old; 2 due"), (True, "0 there; 0 due")):
            assert await retention_cli.run(argparse.Namespace(apply=apply), team.bot.settings) == 0
            assert due in capsys.readouterr().out.splitlines()[0]
    assert kept(tmp_path) == []


def test_without_a_running_bot_the_command_erases_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_rows(tmp_path / "parley.db") as rows:
        conversations.append(rows, HERE, role="human", message="1", person="U1", text=SECRET, now=1.0)
    monkeypatch.setenv("PARLEY_DATABASE", f"sqlite:///{tmp_path}/parley.db")
    assert cli.main(["retention", "--apply"]) == 0
    assert "kept 30 days" in capsys.readouterr().out
    assert kept(tmp_path) == []


# What a person may have and take away


async def test_everything_kept_of_a_person_is_given_to_them_alone(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await told(team)
        await told(team, "what bob said", user="bob")
        delivery = await team.slack.command("alice", "#general", "/parley", "export")
        assert delivery.acked
        (file,) = await team.slack.until(lambda: exported(team, "alice"))
        assert SECRET in file
        assert "what bob said" not in file
        assert {"messages", "usage_days"} <= json.loads(file).keys()
        assert not exported(team, "bob")


def exported(team: Workspace, user: str) -> list[str]:
    """The files in somebody's direct messages with the app."""
    direct = team.slack.workspace.direct(team.slack.user(user))
    shared = [file["id"] for message in direct.messages.values() for file in message.get("files", ())]
    return [team.slack.workspace.files[id].content.decode() for id in shared]


async def test_the_operator_erases_for_somebody_who_has_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with workspace(tmp_path) as team:
        await told(team)
        await told(team, "what bob said", user="bob")
        alice, who = team.slack.user("alice"), argparse.Namespace(person=team.slack.user("alice"), team="")
        assert await forget_cli.run(who, team.bot.settings) == 0
        assert f"{alice}: forgotten" in capsys.readouterr().out
        assert kept(tmp_path) == []
        assert kept(tmp_path, "what bob said") == ["messages"]
        found = await team.bot.services.engine.read(lambda tx: list(audit.every(tx)))
        assert [(e.about, e.person) for e in found if e.act == "forgot person"] == [(alice, "")]
    bob = argparse.Namespace(person=team.slack.user("bob"), team=team.slack.team)
    assert await forget_cli.run(bob, team.bot.settings) == 0
    assert kept(tmp_path, "what bob said") == []


async def test_after_a_person_is_forgotten_no_table_has_a_word_of_theirs_nor_their_id_but_where_it_says_why(
    tmp_path: Path,
) -> None:
    words = range(10, 16)
    async with workspace(tmp_path, model=EARS) as team:
        team.model.script("Gently.", match=is_answer, times=0)
        team.model.script(verdict(0.01), match=lambda asked: not is_answer(asked), times=0)
        await told_admin(team, "alice", "budget each person 100 per month")
        await told_admin(team, "alice", "owner @bob")
        await told_admin(team, "bob", "digest on")
        bob, general = team.slack.user("bob"), team.slack.channel("#general")
        liked = await team.ask(f"@parley {SECRET} one", user="bob")
        await team.answer("#general", liked)
        await team.slack.press(
            "bob", "#general", team.replies("#general", liked)[0]["ts"], FEEDBACK, value="positive"
        )
        heard = await drop(team, clip(words, tmp_path), user="bob")
        await answered(team, heard)
        await teach(team)
        refused = await team.ask(f"@parley when is my {SECRET} payment due", user="bob")
        await team.answer("#general", refused, timeout_s=30)
        await team.quiet(60)
        (reply,) = team.replies("#general", refused)
        await team.slack.press("alice", "#general", reply["ts"], SHOULD_ANSWER)
        await team.slack.until(lambda: "guard_examples" in kept(tmp_path), 30)
        await team.quiet(60)
        before = await team.bot.services.usage_of(team.slack.team, channel=general)
        assert {"replies", "ledger", "usage_days", "usage_months", "guard_verdicts"} <= kept_in(tmp_path, bob)
        assert kept_in(tmp_path, SECRET) >= {"messages", "guard_verdicts", "guard_examples"}
        assert "guard_models" in kept_in(tmp_path, LEARNED)
        await parley(team, "forget all", user="bob")
        await team.quiet(60)
        for word in (SECRET, LEARNED, "w12"):
            assert kept_in(tmp_path, word) == set()
            assert on_disk(tmp_path, word) == []
        assert kept_in(tmp_path, bob) <= set(schema.PERSON_STAYS)
        assert kept_in(tmp_path, bob) >= {"audit", "channel_owners", "digests"}
        assert await team.bot.services.usage_of(team.slack.team, channel=general) == before
        report = str(await told_admin(team, "alice", "usage month by person"))
        assert "forgotten-" in report
        assert bob not in report


def kept_in(tmp_path: Path, text: str) -> set[str]:
    """The tables in which something can be found, also in what was trained on it."""
    db = sqlite3.connect(f"file:{tmp_path}/parley.db?mode=ro", uri=True)
    try:
        names = [name for (name,) in db.execute("select name from sqlite_master where type = 'table'")]
        return {name for name in names if text in str([*map(plain, db.execute(f"select * from {name}"))])}
    finally:
        db.close()


def plain(row: tuple[Any, ...]) -> list[Any]:
    return [zlib.decompress(x) if isinstance(x, bytes) and x[:1] == b"x" else x for x in row]


async def test_who_deletes_a_message_deletes_what_the_guard_kept_and_learned_of_it(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("Gently.", match=is_answer, times=0)
        team.model.script(verdict(0.01), match=lambda asked: not is_answer(asked), times=0)
        await teach(team)
        refused = await team.ask(f"@parley when is my {SECRET} payment due", user="bob")
        await team.answer("#general", refused, timeout_s=30)
        await team.quiet(60)
        (reply,) = team.replies("#general", refused)
        await team.slack.press("alice", "#general", reply["ts"], SHOULD_ANSWER)
        await team.slack.until(lambda: "guard_examples" in kept(tmp_path), 30)
        await team.quiet(60)
        assert kept_in(tmp_path, SECRET) >= {"guard_verdicts", "guard_examples"}
        assert "guard_models" in kept_in(tmp_path, LEARNED)
        await team.slack.delete("bob", "#general", refused)
        await team.slack.until(lambda: not kept_in(tmp_path, LEARNED), 30)
        await team.slack.until(lambda: not on_disk(tmp_path), 30)


def test_amounts_of_a_forgotten_person_add_up_under_a_name_that_is_nobodys(tx: SqliteTx) -> None:
    for number, person in enumerate(("U1", "U2", "U1"), 1):
        book(tx, number, person)
    before = sums(tx)
    assert ledger.unname_rows(tx, "T", "U1", "forgotten-1", after=0) == 3
    assert ledger.unname_rows(tx, "T", "U1", "forgotten-1", after=3) is None
    book(tx, 4, "forgotten-1")  # one that was open meanwhile
    for day in ledger.days(tx, "T"):
        ledger.unname_day(tx, "T", "U1", "forgotten-1", day=day)
    assert "U1" not in everything(tx)
    assert [(r["person"], r["requests"]) for r in tx.all("select * from usage_days order by person")] == [
        ("U2", 1),
        ("forgotten-1", 3),
    ]
    assert sums(tx) == [count * 4 // 3 for count in before]
    people = tx.all("select value, requests from usage_months where dim = 'person' order by value")
    assert [(row["value"], row["requests"]) for row in people] == [("U2", 1), ("forgotten-1", 3)]


def book(tx: Tx, id: int, person: str) -> None:
    """One request that cost three nano-dollars."""
    row = {
        "id": id, "team": "T", "channel": "C", "person": person, "conversation": "", "kind": "answer",
        "attempt": 1, "day": "2026-11-01", "opened_at": 1.0,
    }  # fmt: skip
    ledger.open_row(tx, row, [{"model": "m", "reserved": 5, "reason": ""}], {})
    counts = dict.fromkeys((*ledger.COUNTED, "input_audio_tokens"), 1)
    ledger.settle_row(
        tx, id, outcome="ok", cost=3, reason="", tier="", latency_ms=1, settled_at=2.0, **counts
    )


def sums(tx: Tx) -> list[int]:
    """Of days, of months per dimension."""
    found = tx.all(
        "select sum(cost) as n from usage_days union all"
        " select * from (select sum(cost) as n from usage_months group by dim order by dim) as m"
    )
    return [row["n"] for row in found]


async def test_the_app_removed_takes_everybodys_words_with_it(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await told(team)
        team.model.script("word " * 100, tokens_per_s=20)
        await team.ask(f"@parley {SECRET}", user="bob")
        await team.slack.until(lambda: len(team.model.requests) > 1 and team.slack.workspace.streams)
        team.slack.uninstall()
        await team.slack.until(lambda: not kept(tmp_path))
        await team.quiet()
        assert kept(tmp_path) == []
        assert on_disk(tmp_path) == []
        usage = await team.bot.services.usage_of(team.slack.team)
        assert usage.requests == 2


async def test_or_they_stay_if_the_operator_wants_so(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_UNINSTALLED="keep") as team:
        await told(team)
        team.slack.uninstall()
        await team.slack.until(lambda: team.bot.services and "messages" in kept(tmp_path))
        await team.slack.until(lambda: all(d.over for d in team.slack.deliveries))
        assert "messages" in kept(tmp_path)


def test_a_workspace_that_goes_leaves_amounts_and_nothing_else_and_no_other_is_touched(tx: SqliteTx) -> None:
    work_through(tx, "1", HERE, "U1")
    channels.wish(tx, "T", "C", "words", "secret of U1", person="U1", now=0)
    guard.save_policy(tx, Channel("T", "C"), "secret of U1", by="U1", now=0)
    owners.name(tx, "T", "C", "U1", by="U0", at=0)
    other = replace(HERE, team="T2")
    conversations.append(tx, other, role="human", message="1", person="U9", text="secret of U9", now=0)
    forget_team(tx, "T", now=9)
    assert "secret of U1" not in everything(tx)
    assert "secret of U9" in everything(tx)
    for table in set(TEAM_TABLES) - LASTING - {"inbox"}:
        rows = tx.all(f"select * from {table} where team = 'T'")
        assert rows == [], table


# Who changed what


def decisions(tx: Tx) -> None:
    """Everything that is to leave an entry, once."""
    budgets.put(
        tx, team="T", scope="channel", target="C", period="month", cap=5, warn_percent=80, degrade=0,
        owner="U0", by="U0", at=1.0,
    )  # fmt: skip
    budgets.raise_for_a_while(
        tx, budget=1, cap=9, until_at=9.0, person="U0", reason="said in confidence", made_at=2.0
    )
    budgets.remove(tx, "T", 1, by="U0", at=3.0)
    owners.name(tx, "T", "C", "U1", by="U0", at=4.0)
    owners.dismiss(tx, "T", "C", "U1", by="U0", at=5.0)
    guard.save_policy(tx, Channel("T", "C"), "said in confidence", by="U1", now=6.0)
    guard.remove_policy(tx, Channel("T", "C"), by="U1", now=7.0)
    channels.wish(tx, "T", "C", "words", "said in confidence", person="U1", now=8.0)
    note_changes(tx, Settings(model="gpt-other", slack_bot_token="xoxb-secret"), now=9.0)
    inbox.put(tx, "k", "c", "m", '"said in confidence"', now=10.0)
    job = inbox.take(tx, "c", now=10.0)
    assert isinstance(job, inbox.Job)
    inbox.park(tx, job, "no")
    inbox.replay(tx, 1, now=10.5)
    inbox.discard(tx, 1, now=11.0)


ACTS = [
    "budget set",
    "budget raised",
    "budget removed",
    "owner named",
    "owner dismissed",
    "policy set",
    "policy removed",
    "channel setting",
    "setting",
    "replayed",
    "discarded",
]


def test_every_decision_leaves_an_entry_and_no_entry_holds_what_was_said(tx: SqliteTx) -> None:
    decisions(tx)
    found = list(audit.every(tx))
    assert [entry.act for entry in found] == ACTS
    assert [entry.person for entry in found][:3] == ["U0", "U0", "U0"]
    assert "said in confidence" not in repr(found)
    assert "xoxb" not in repr(found)
    assert audit.broken(found) is None


async def test_forgetting_is_written_down(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await told(team)
        await parley(team, "forget thread")
        await parley(team, "forget all")
        found = await team.bot.services.engine.read(lambda tx: list(audit.every(tx)))
        told_of = [(e.act, e.person) for e in found if e.act.startswith("forgot")]
        alice = team.slack.user("alice")
        assert told_of == [("forgot thread", alice), ("forgot person", alice)]
        assert SECRET not in repr(found)


def test_settings_are_noted_when_they_change_and_only_then(tx: SqliteTx) -> None:
    persona = "You are a pirate. " * 20
    for settings in (Settings(), Settings(persona=persona), Settings(persona=persona), Settings()):
        note_changes(tx, settings, now=1.0)
    found = [(e.about, e.detail[:16]) for e in audit.every(tx)]
    assert found == [("PARLEY_PERSONA", "You are a pirate"), ("PARLEY_PERSONA", "You are Parley, ")]


@pytest.mark.parametrize(
    "tamper",
    [
        "update audit set person = 'U9' where seq = 4",
        "update audit set at = 0 where seq = 4",
        "update audit set detail = 'x' where seq = 4",
        "delete from audit where seq = 4",
        "insert into audit (seq, team, person, act, about, detail, at, seal)"
        " select 0, team, person, act, about, detail, at, seal from audit where seq = 1",
    ],
)
def test_an_entry_that_was_changed_removed_or_slipped_in_is_found(tx: SqliteTx, tamper: str) -> None:
    decisions(tx)
    tx.run(tamper)
    assert audit.broken(audit.every(tx)) is not None


def test_a_list_whose_end_was_cut_off_is_found_by_a_seal_that_was_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_rows(tmp_path / "parley.db") as rows:
        decisions(rows)
    monkeypatch.setenv("PARLEY_DATABASE", f"sqlite:///{tmp_path}/parley.db")
    assert cli.main(["audit", "--last", "3"]) == 0
    *lines, last = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "discarded job 1" in lines[-1]
    seal = last.rpartition(" ")[2]
    assert cli.main(["audit", "--seal", seal]) == 0
    with open_rows(tmp_path / "parley.db") as rows:
        rows.run("delete from audit where seq = (select max(seq) from audit)")
    assert cli.main(["audit"]) == 0
    assert cli.main(["audit", "--seal", seal]) == 1
    assert "cut off" in capsys.readouterr().out


def test_an_entry_is_one_line_whatever_is_in_it() -> None:
    entry = audit.Entry(1, "T", "U", "act", "about\n  2  forged", "\x1b[2J", time.time(), "")
    assert audit_cli.line(entry).isprintable()


def test_nothing_in_the_house_changes_or_removes_an_entry() -> None:
    for path in (Path(__file__).parent.parent / "storage").glob("*.py"):
        text = path.read_text("utf-8").lower()
        assert "update audit" not in text, path
        assert "delete from audit" not in text, path
