"""What a person may have and take away: everything kept of them, and all of it forgotten."""

from __future__ import annotations

import argparse
import json
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.cli import forget as forget_cli
from bot.voice import local_files
from handlers.slack.blocks import FEEDBACK, SHOULD_ANSWER
from storage import audit, schema
from storage.channel import owners, preferences
from storage.conversation import messages, quiet_threads
from storage.costs import budgets, ledger
from storage.engine import Tx
from storage.guard import policies
from storage.jobs import inbox
from storage.place import Channel
from storage.privacy import anonymise, export
from storage.privacy.forget import forget, forget_team, forget_user
from storage.schema import LASTING, TEAM_TABLES
from storage.sqlite.writer import SqliteTx
from storage.welcome import disclosures
from tests.support.clips import TONE_RECOGNITION, answered, clip, drop
from tests.support.commands import forget_everything, tell_in_thread
from tests.support.conversation_rows import HERE, everything, work_through
from tests.support.guarded_channel import is_answer, teach, verdict
from tests.support.rows import SECRET, kept, on_disk, open_rows, tables
from tests.support.spending import run_command as run_command
from tests.support.workspace import Workspace, workspace

LEARNED = "xylophone"  # as a trained model knows it


@pytest.fixture
def tx(tmp_path: Path) -> Any:
    with open_rows(tmp_path / "rows.db") as rows:
        yield rows


@pytest.mark.both_engines
async def test_everything_kept_of_a_person_is_given_to_them_alone(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await tell_in_thread(team)
        await tell_in_thread(team, "what bob said", user="bob")
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


async def used_by_command(team: Workspace, person: str) -> None:
    """As if `parley transcribe` had used what a person did: it belongs to no workspace."""
    moved = "update usage_days set team = :team where person = :person"
    engine = team.bot.services.engine
    await engine.write(lambda tx: tx.run(moved, team=local_files.SCOPE.team, person=person))


@pytest.mark.both_engines
async def test_the_operator_erases_for_somebody_who_has_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with workspace(tmp_path) as team:
        await tell_in_thread(team)
        await tell_in_thread(team, "what bob said", user="bob")
        await used_by_command(team, team.slack.user("bob"))
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
    async with workspace(tmp_path, model=TONE_RECOGNITION) as team:
        team.model.script("Gently.", match=is_answer, times=0)
        team.model.script(verdict(0.01), match=lambda asked: not is_answer(asked), times=0)
        await run_command(team, "alice", "budget each person 100 per month")
        await run_command(team, "alice", "owner @bob")
        await run_command(team, "bob", "digest on")
        bob, general = team.slack.user("bob"), team.slack.channel("#general")
        liked = await team.ask(f"@parley {SECRET} one", user="bob")
        await team.answer("#general", liked)
        await team.slack.press(
            "bob", "#general", team.replies("#general", liked)[0]["ts"], FEEDBACK, value="positive"
        )
        clip_thread = await drop(team, clip(words, tmp_path), user="bob")
        await answered(team, clip_thread)
        await overturned(team, tmp_path)
        before = await team.bot.services.costs.this_month(team.slack.team, channel=general)
        assert {"replies", "ledger", "usage_days", "usage_months", "guard_verdicts"} <= kept_in(tmp_path, bob)
        await forget_everything(team, user="bob")
        await team.quiet()
        for word in (SECRET, LEARNED, "w12"):
            assert kept_in(tmp_path, word) == set()
            assert on_disk(tmp_path, word) == []
        assert kept_in(tmp_path, bob) <= set(schema.PERSON_STAYS)
        assert kept_in(tmp_path, bob) >= {"audit", "channel_owners", "digests"}
        assert await team.bot.services.costs.this_month(team.slack.team, channel=general) == before
        report = str(await run_command(team, "alice", "usage month by person"))
        assert "forgotten-" in report
        assert bob not in report


async def test_what_was_refused_and_then_forgotten_is_not_read_in_again_from_slack(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.faults.add("content_policy")
        thread = await team.ask(f"@parley {SECRET}", user="bob")
        await team.answer("#general", thread)
        await team.quiet()
        await forget_everything(team, user="bob")
        await team.quiet()
        await team.ask("@parley and now?", user="bob", thread=thread)
        await team.answer("#general", thread, count=2)
        assert kept(tmp_path) == []
        assert SECRET not in team.model.requests[-1].prompt


async def overturned(team: Workspace, tmp_path: Path) -> str:
    """A question of Bob's that was refused, and from which the guard learned otherwise; its thread."""
    await teach(team)
    refused = await team.ask(f"@parley when is my {SECRET} payment due", user="bob")
    await team.answer("#general", refused)
    await team.quiet()
    (reply,) = team.replies("#general", refused)
    await team.slack.press("alice", "#general", reply["ts"], SHOULD_ANSWER)
    await team.slack.until(lambda: "guard_examples" in kept(tmp_path))
    wanted = {"messages", "guard_verdicts", "guard_examples"}
    await team.slack.until(lambda: kept_in(tmp_path, SECRET) >= wanted, 30)  # it is answered by now
    await team.slack.until(lambda: "guard_models" in kept_in(tmp_path, LEARNED))
    await team.quiet()
    assert kept_in(tmp_path, SECRET) >= wanted
    return refused


def kept_in(tmp_path: Path, text: str) -> set[str]:
    """The tables in which something can be found, also in what was trained on it."""
    return {name for name, found in tables(tmp_path).items() if text in str([*map(plain, found)])}


def plain(row: tuple[Any, ...]) -> list[Any]:
    return [zlib.decompress(x) if isinstance(x, bytes) and x[:1] == b"x" else x for x in row]


async def test_who_deletes_a_message_deletes_what_the_guard_kept_and_learned_of_it(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.script("Gently.", match=is_answer, times=0)
        team.model.script(verdict(0.01), match=lambda asked: not is_answer(asked), times=0)
        refused = await overturned(team, tmp_path)
        await team.slack.delete("bob", "#general", refused)
        await team.slack.until(lambda: not kept_in(tmp_path, LEARNED))
        await team.slack.until(lambda: not on_disk(tmp_path))


def test_amounts_of_a_forgotten_person_add_up_under_a_name_that_is_nobodys(tx: SqliteTx) -> None:
    for number, (person, channel) in enumerate((("U1", "C"), ("U2", "C"), ("U1", "D1")), 1):
        book(tx, number, person, channel)
    before = sums(tx)
    assert anonymise.anonymise_rows(tx, "T", "U1", "forgotten-1", after=0) == 3
    assert anonymise.anonymise_rows(tx, "T", "U1", "forgotten-1", after=3) is None
    book(tx, 4, "forgotten-1", "forgotten-1")  # one that was open meanwhile
    for day in anonymise.days(tx, "T"):
        anonymise.anonymise_day(tx, "T", "U1", "forgotten-1", day=day)
    assert {text for text in ("U1", "D1") if text in everything(tx)} == set()
    expected = [("C", "U2", 1), ("C", "forgotten-1", 1), ("forgotten-1", "forgotten-1", 2)]
    days = tx.all("select channel, person, requests from usage_days order by channel, person")
    assert [tuple(row.values()) for row in days] == expected
    months = "select channel, value, requests from usage_months where dim = 'person' order by channel, value"
    assert [tuple(row.values()) for row in tx.all(months)] == expected
    assert sums(tx) == [count * 4 // 3 for count in before]


def book(tx: Tx, id: int, person: str, channel: str) -> None:
    """One request that cost three nano-dollars."""
    row = {
        "id": id, "team": "T", "channel": channel, "person": person, "kind": "answer",
        "conversation": f"where {person} is", "attempt": 1, "day": "2026-11-01", "opened_at": 1.0,
        "worker": 0,
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


@pytest.mark.both_engines
def test_an_answer_is_forgotten_though_somebody_elses_button_under_it_is_being_worked_on(
    tx: SqliteTx,
) -> None:
    work_through(tx, "1", HERE, "U1")
    inbox.put(tx, "b:r-1:shorter", HERE.key, "message", "{}", team="T", person="U2", now=1)
    forget_user(tx, "T", "U1", now=2)
    assert "secret of U1" not in everything(tx)


def test_a_thread_that_is_forgotten_stays_quiet_if_somebody_wanted_that(tx: SqliteTx) -> None:
    work_through(tx, "1", HERE, "U1")
    quiet_threads.set_quiet(tx, HERE, True, now=0)
    forget(tx, HERE, now=1)
    assert messages.recall(tx, HERE.key).messages == ()
    assert quiet_threads.is_quiet(tx, HERE.key)


async def test_the_app_removed_takes_everybodys_words_with_it(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await tell_in_thread(team)
        team.model.script("word " * 100, tokens_per_s=20)
        await team.ask(f"@parley {SECRET}", user="bob")
        await team.slack.until(lambda: len(team.model.requests) > 1 and team.slack.workspace.streams)
        team.slack.uninstall()
        await team.slack.until(lambda: not kept(tmp_path) and not on_disk(tmp_path))
        await team.quiet()
        assert kept(tmp_path) == []
        assert on_disk(tmp_path) == []
        usage = await team.bot.services.costs.this_month(team.slack.team)
        assert usage.requests == 2


async def test_or_they_stay_if_the_operator_wants_so(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_UNINSTALLED="keep") as team:
        await tell_in_thread(team)
        team.slack.uninstall()
        await team.slack.until(lambda: team.bot.services and "messages" in kept(tmp_path))
        await team.slack.until(lambda: all(d.over for d in team.slack.deliveries))
        assert "messages" in kept(tmp_path)


def test_why_somebody_raised_a_budget_goes_with_them_and_is_theirs_until_then(tx: SqliteTx) -> None:
    id = budgets.put(
        tx, by="U1", at=0, team="T", scope="workspace", target="", period="day", cap=9, warn_percent=80,
        degrade=0, owner="",
    )  # fmt: skip
    for person in ("U1", "U2"):
        why = {"budget": id, "cap": 10, "until_at": 99.0, "person": person, "made_at": 1.0}
        budgets.raise_for_a_while(tx, reason=f"secret of {person}", **why)
    assert b"secret of U1" in export.export_person(tx, "T", "U1")
    forget_user(tx, "T", "U1", now=9)
    assert "secret of U1" not in everything(tx)
    assert everything(tx).count("secret of U2") == 2
    assert tx.one("select max(cap) as cap from budget_overrides") == {"cap": 10}


@pytest.mark.both_engines
def test_a_workspace_that_goes_leaves_amounts_and_nothing_else_and_no_other_is_touched(tx: SqliteTx) -> None:
    work_through(tx, "1", HERE, "U1")
    preferences.wish(tx, "T", "C", "words", "secret of U1", person="U1", now=0)
    policies.save_policy(tx, Channel("T", "C"), "secret of U1", by="U1", now=0)
    owners.name(tx, "T", "C", "U1", by="U0", at=0)
    quiet_threads.set_quiet(tx, HERE, True, now=0)
    disclosures.note(tx, "T", "U1", disclosures.ANSWER, channel="C", source="r-1", now=0)
    other = replace(HERE, team="T2")
    messages.append(tx, other, role="human", message="1", person="U9", text="secret of U9", now=0)
    forget_team(tx, "T", now=9)
    assert "secret of U1" not in everything(tx)
    assert "secret of U9" in everything(tx)
    for table in set(TEAM_TABLES) - LASTING - {"inbox"}:
        rows = tx.all(f"select * from {table} where team = 'T'")
        assert rows == [], table
