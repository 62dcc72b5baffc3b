"""How long what people said is kept, everywhere and where a channel wants less."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.cli import main
from bot.cli import retention as retention_cli
from bot.core import errors
from bot.core.settings import Settings
from bot.privacy import retention
from storage import audit
from storage.channel import preferences
from storage.conversation import messages, quiet_threads, replies, summaries
from storage.database import open_engine
from storage.engine import Tx
from storage.guard import verdicts
from storage.jobs import inbox
from storage.place import Channel
from storage.unanswered import questions
from storage.voice import clips, recordings
from tests.support.commands import tell_in_thread
from tests.support.conversation_rows import HERE
from tests.support.engines import database_url
from tests.support.rows import SECRET, kept, on_disk, open_rows, rows
from tests.support.spending import run_command as run_command
from tests.support.workspace import workspace

DAY_S = 86_400.0


def aged(tx: Tx) -> None:
    """One row of each kind said a long time ago, and one said just now."""
    for at, name in ((0.0, "old"), (100 * DAY_S, "new")):
        messages.append(tx, HERE, role="human", message=name, person="U1", text=f"{name} message", now=at)
        owner = recordings.Owner("T", HERE.key, "U1")
        recordings.put_card(tx, f"r-{name}", owner, f"{name} recording", now=at)
        clip = clips.Clip(f"c-{name}", f"r-{name}", "T", "C", HERE.key, name, "U1", f'"{name} clip"')
        clips.put(tx, clip)
        verdict = {
            "conversation": HERE.key, "person": "U1", "message": name, "text": f"{name} verdict",
            "on_topic": 1, "rung": "rules", "probability": None, "threshold": None, "reason": "", "cost": 0,
            "action": "refuse", "shadow": 0, "version": None, "judged_at": at,
        }  # fmt: skip
        verdicts.add_verdict(tx, Channel("T", "C"), verdict)
        questions.add_question(
            tx, Channel("T", "C"), f"{name} question", "", person="U1", conversation=HERE.key, now=at
        )
        inbox.put(tx, name, f"parked {name}", "m", f'"{name} parked"', team="T", person="U1", now=at)
        job = inbox.take(tx, f"parked {name}", now=at)
        assert isinstance(job, inbox.Job)
        replies.begin(tx, f"reply-{name}", job.seq, HERE, "U1", sending=False, now=at)
        replies.mark_answered(tx, f"reply-{name}", f'"{name} answer"')
        replies.judge(tx, f"reply-{name}", "T", "U1", 1, now=at)
        inbox.park(tx, job, "no")
    seq = messages.recall(tx, HERE.key).messages[0].seq
    summaries.summarise(tx, HERE.key, "old summary", upto=seq, tokens=1, erasures=0, now=1.0)


def list_quiet(tx: Tx) -> list[str]:
    return [row["conversation"] for row in tx.all("select conversation from quiet_threads order by 1")]


async def test_the_wish_for_quiet_goes_with_the_last_sign_of_life_of_its_thread(engine: Any) -> None:
    alive, silent, new = (replace(HERE, thread=name) for name in ("alive", "silent", "new"))

    def scene(tx: Tx) -> None:
        for place, quiet_at, said_at in ((alive, 0.0, 95.0), (silent, 0.0, 1.0), (new, 95.0, 1.0)):
            quiet_threads.set_quiet(tx, place, True, now=quiet_at * DAY_S)
            messages.append(
                tx, place, role="human", message=place.thread, person="U1", text="hm", now=said_at * DAY_S
            )
        preferences.wish(tx, "T", "C", retention.KEEP, "1", person="U1", now=0)

    await engine.write(scene)
    await retention.erase_due(engine, Settings(keep_messages_days=0), now=101 * DAY_S)
    assert len(await engine.read(list_quiet)) == 3, "a channel's own days are for words"
    await retention.erase_due(engine, Settings(keep_messages_days=30), now=101 * DAY_S)
    assert await engine.read(list_quiet) == [alive.key, new.key]


@pytest.fixture
async def engine(tmp_path: Path) -> Any:
    async with open_engine(database_url(tmp_path / "parley.db")) as opened:
        await opened.write(aged)
        yield opened


@pytest.mark.both_engines
async def test_what_is_older_than_its_days_is_erased_for_good_and_the_rest_stays(
    engine: Any, tmp_path: Path
) -> None:
    settings = Settings(keep_messages_days=30, keep_recordings_days=30, keep_verdicts_days=30)
    erased = await retention.erase_due(engine, settings, now=100 * DAY_S)
    assert erased == {"messages": 3, "recordings": 2, "verdicts": 2}
    words = ("message", "summary", "recording", "clip", "verdict", "question", "parked", "answer")
    assert [w for w in words if kept(tmp_path, f"old {w}") or on_disk(tmp_path, f"old {w}")] == []
    assert [w for w in words if not kept(tmp_path, f"new {w}")] == ["summary"]
    assert await retention.erase_due(engine, settings, now=100 * DAY_S) == {}


@pytest.mark.both_engines
@pytest.mark.parametrize("kind", ["messages", "recordings", "verdicts"])
async def test_each_kind_has_days_of_its_own_and_0_is_for_ever(engine: Any, kind: str) -> None:
    never = {f"keep_{k}_days": 0.0 for k in ("messages", "recordings", "verdicts")}
    assert await retention.erase_due(engine, Settings(**never), now=1e6 * DAY_S) == {}  # type: ignore[arg-type]
    only = Settings(**never | {f"keep_{kind}_days": 30.0})  # type: ignore[arg-type]
    assert list(await retention.erase_due(engine, only, now=100 * DAY_S)) == [kind]


async def test_more_rows_than_a_portion_are_erased_too(tmp_path: Path) -> None:
    async with open_engine(database_url(tmp_path / "many.db")) as many:

        def said(tx: Tx) -> None:
            for n in range(1300):
                messages.append(tx, HERE, role="human", message=str(n), person="U", text="x", now=0.0)

        await many.write(said)
        assert await retention.erase_due(many, Settings(), now=31 * DAY_S) == {"messages": 1300}


async def test_a_channel_may_want_less_and_only_what_was_said_in_it_goes_sooner(
    engine: Any, tmp_path: Path
) -> None:
    def beside(tx: Tx) -> None:
        for place in (replace(HERE, channel="C2"), replace(HERE, team="T2")):
            said_by = f"elsewhere {place.key}"
            messages.append(tx, place, role="human", message="1", person="U1", text=said_by, now=0.0)
            recordings.put_card(tx, said_by, recordings.Owner(place.team, place.key, "U1"), said_by, now=0.0)
        inbox.put(tx, "p", HERE.key, "m", '"here, given up"', team="T", person="U1", now=0.0)
        job = inbox.take(tx, HERE.key, now=0.0)
        assert isinstance(job, inbox.Job)
        inbox.park(tx, job, "no")
        replies.begin(tx, "retryable", job.seq, HERE, "U1", sending=False, now=0.0)
        replies.mark_sent(tx, "retryable", ["1"], now=0.0, retryable=True)
        preferences.wish(tx, "T", "C", retention.KEEP, "7", person="U1", now=0.0)

    await engine.write(beside)
    now, settings = 8 * DAY_S, Settings(keep_verdicts_days=0)
    due = {
        (found.kind.name, found.kind.days): found.due
        for found in await retention.count_kept(engine, settings, now=now)
    }
    assert [due[name, 7.0] for name in ("messages", "recordings", "verdicts")] == [1, 1, 1]
    assert await retention.erase_due(engine, settings, now=now) == {
        "messages": 3,
        "recordings": 2,
        "verdicts": 2,
    }
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
    assert await retention.erase_due(engine, settings, now=now) == {}


@pytest.mark.parametrize(
    "words",
    ["0", "-1", "30", "31", "thirty", "7.5", "999999", "7 8", "36 hours", "a month", "for ever", "7 $"],
)
def test_a_channel_cannot_want_more_than_everywhere_nor_nothing(words: str) -> None:
    with pytest.raises(errors.NotUnderstood):
        retention.parse_days(Settings(keep_verdicts_days=20), words)


def test_where_everything_is_kept_for_ever_a_channel_may_want_any_number_of_days() -> None:
    assert retention.parse_days(Settings(keep_messages_days=0), "400") == "400"
    assert retention.parse_days(Settings(), "OFF") == ""


@pytest.mark.parametrize(
    "words", ["7", "7 days", "seven days", "a week", "7d", "for 7 days", "７", "٧", "168 hours"]
)
def test_days_are_understood_as_people_write_them(words: str) -> None:
    assert retention.parse_days(Settings(), words) == "7"


async def test_who_looks_after_a_channel_has_its_words_erased_sooner_and_sees_for_how_long(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with workspace(tmp_path) as team:
        await tell_in_thread(team)
        await tell_in_thread(team, channel="#support")
        assert "messages 30 days" in str(await run_command(team, "bob", "keep"))
        assert "not yours" in str(await run_command(team, "bob", "keep 7"))
        assert "may want less" in str(await run_command(team, "alice", "keep 365"))
        assert "messages 7 days" in str(await run_command(team, "alice", "keep 7"))
        age(tmp_path, days=8)
        assert await retention_cli.run(argparse.Namespace(apply=True), team.bot.settings) == 0
        lines = capsys.readouterr().out.splitlines()
        where = f"{team.slack.team}:{team.slack.channel('#general')}"
        assert f"messages    kept 7 days       0 there in {where}; 0 due" in lines
        stay = await team.bot.services.engine.read(lambda tx: tx.all("select distinct channel from messages"))
        assert [row["channel"] for row in stay] == [team.slack.channel("#support")]
        assert "messages 30 days" in str(await run_command(team, "alice", "keep off"))
        found = await team.bot.services.engine.read(lambda tx: list(audit.every(tx)))
        assert [e.detail for e in found if e.act == "channel setting"] == [
            "keep 7 days",
            "keep as everywhere",
        ]


@pytest.mark.both_engines
async def test_a_running_bot_forgets_by_itself_and_goes_on_in_the_thread(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await tell_in_thread(team)
        age(tmp_path, days=31)
        assert await team.bot.services.retention.erase_due() == {"messages": 2}
        assert kept(tmp_path) == []
        await team.ask("what did I say?", thread=thread)
        assert await team.answer("#general", thread, count=2)
        assert SECRET not in team.model.requests[-1].prompt


async def test_what_grew_old_while_the_bot_was_away_goes_when_it_comes_back(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await tell_in_thread(team)
    age(tmp_path, days=31)
    async with workspace(tmp_path) as team:
        await team.slack.until(lambda: not kept(tmp_path))


def age(tmp_path: Path, *, days: float) -> None:
    """Makes everything that was said older than it is."""
    rows(tmp_path, f"update messages set at = at - {days * DAY_S}")


@pytest.mark.both_engines
async def test_the_command_tells_what_is_kept_and_lets_the_running_bot_erase(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with workspace(tmp_path) as team:
        await tell_in_thread(team)
        age(tmp_path, days=31)
        for apply, due in ((False, "2 there, the oldest 31 days old; 2 due"), (True, "0 there; 0 due")):
            assert await retention_cli.run(argparse.Namespace(apply=apply), team.bot.settings) == 0
            assert due in capsys.readouterr().out.splitlines()[0]
    assert kept(tmp_path) == []


@pytest.mark.both_engines
def test_without_a_running_bot_the_command_erases_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_rows(tmp_path / "parley.db") as rows:
        messages.append(rows, HERE, role="human", message="1", person="U1", text=SECRET, now=1.0)
    monkeypatch.setenv("PARLEY_DATABASE", database_url(tmp_path / "parley.db"))
    assert main.main(["retention", "--apply"]) == 0
    assert "kept 30 days" in capsys.readouterr().out
    assert kept(tmp_path) == []
