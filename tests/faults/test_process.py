"""The process in the fault table: its file, its clock, its settings, the network around it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.core.errors import SetupError
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from tests.support.preload import built, needs_compiler
from tests.support.promises import kept, kept_in
from tests.support.served import served
from tests.support.supervised import supervised
from tests.support.workspace import MANIFEST, environment, is_final, started, workspace

ANSWER = "The answer, word for word, in one piece."
PATIENT = (0.5, *[1.0] * 60)


def finals(slack: FakeSlack) -> int:
    there = slack.workspace
    return sum(is_final(m) for c in there.channels.values() for m in c.messages.values())


# Row 44: other programs on the file


@pytest.mark.sqlite_file
@pytest.mark.timeout(400)
async def test_row_44_a_program_that_reads_without_end_holds_up_no_answer(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        shell = sqlite3.connect(tmp_path / "parley.db", isolation_level=None)
        shell.execute("begin")
        shell.execute("select count(*) from inbox").fetchall()
        for n in range(12):
            await team.ask(f"@parley question {n}")
        await team.slack.until(lambda: team.model.counters["requests"] >= 12, 200)
        assert len(await kept(team)) == 12
        shell.close()
        thread = await team.ask("@parley one more")
        await team.answer("#general", thread)
        assert len(await kept(team)) == 13
        assert (tmp_path / "parley.db-wal").stat().st_size < 64 << 20


# Rows 45 and 46: damage, and what stands in the backup


def without_header(path: Path) -> None:
    path.write_bytes(bytes(100) + path.read_bytes()[100:])


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def of_something_else(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04 an archive of holiday pictures" * 1_000)


@pytest.mark.sqlite_file
@pytest.mark.parametrize("damage", [without_header, half, emptied, of_something_else])
async def test_row_45_a_damaged_file_is_left_alone_and_with_the_backup_all_is_answered_once(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    file, backup = tmp_path / "parley.db", tmp_path / "backup.db"
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, retry_delays_s=PATIENT) as slack,
        FakeModel() as model,
    ):
        model.script(ANSWER, times=0)
        async with started(slack, model, tmp_path) as team:
            await team.answer("#general", await team.ask("@parley before the damage"))
            await team.quiet()
            await team.bot.services.engine.backup(backup)
        damage(file)
        found = file.read_bytes()
        await slack.say("alice", "#general", "@parley after the damage")
        with pytest.raises(SetupError):
            async with started(slack, model, tmp_path):
                pass
        assert file.read_bytes() == found, "it was not written over"
        for left in tmp_path.glob("parley.db*"):
            left.unlink()
        os.replace(backup, file)
        async with started(slack, model, tmp_path) as team:
            await slack.until(lambda: finals(slack) == 2)
            assert await kept(team) == [ANSWER] * 2


@pytest.mark.sqlite_file
async def test_row_46_what_was_not_taken_while_the_file_was_gone_is_answered_after_the_next_start(
    tmp_path: Path,
) -> None:
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, ack_deadline_s=1.0, retry_delays_s=PATIENT) as slack,
        FakeModel() as model,
    ):
        model.script(ANSWER, times=0)
        async with started(slack, model, tmp_path, PARLEY_TRANSPORT="http") as team:
            for path in tmp_path.glob("parley.db*"):
                path.unlink()
            await team.ask("@parley hello")
            await slack.until(lambda: slack.counts["events_api:http_error"])
            assert not model.requests
        async with started(slack, model, tmp_path, PARLEY_TRANSPORT="http") as team:
            await slack.until(lambda: finals(slack) == 1)
            assert await kept(team) == [ANSWER]


# Row 48: the clock on the wall jumps, under the real process


@needs_compiler
@pytest.mark.timeout(300)
@pytest.mark.parametrize("jump_s", [3_600, -3_600, 86_400, -86_400])
async def test_row_48_a_clock_that_jumps_loses_nothing_and_doubles_nothing(
    tmp_path: Path, jump_s: int
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("0")
    wrong = {"LD_PRELOAD": str(built("wrong_clock")), "CLOCK_FILE": str(clock)}
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, retry_delays_s=PATIENT) as slack,
        FakeModel() as model,
        supervised(slack, model, tmp_path, PARLEY_LOG_LEVEL="ERROR", **wrong),
    ):
        model.script(ANSWER, times=0, first_token_s=0.5)
        await slack.until(lambda: slack.counts["apps.connections.open"] >= 2, 90)
        await slack.say("alice", "#general", "@parley before")
        await slack.until(lambda: finals(slack) == 1, 90)
        slack.faults.add("chat.postMessage", status=503, times=2)
        for n in range(3):
            await slack.say("alice", "#general", f"@parley while it jumps {n}")
        await slack.until(lambda: model.counters["requests"] >= 2, 90)
        clock.write_text(str(jump_s))
        await slack.until(lambda: finals(slack) == 4, 90)
        clock.write_text("0")
        await slack.say("alice", "#general", "@parley after it was put right")
        await slack.until(lambda: finals(slack) == 5, 90)
        assert len(await kept_in(tmp_path, slack, model)) == 5


# Row 53: no network but to Slack and the model


@needs_compiler
@pytest.mark.timeout(300)
async def test_row_53_without_a_network_long_texts_are_counted_and_answered(tmp_path: Path) -> None:
    alone = {"LD_PRELOAD": str(built("no_network")), "HOME": str(tmp_path)}
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False) as slack,
        FakeModel() as model,
        supervised(slack, model, tmp_path, PARLEY_LOG_LEVEL="ERROR", **alone),
    ):
        model.script(ANSWER, times=0)
        await slack.until(lambda: slack.counts["apps.connections.open"] >= 2, 90)
        await slack.say("alice", "#general", "@parley " + "many different words, " * 1_500)
        await slack.until(lambda: finals(slack) == 1, 90)
        assert await kept_in(tmp_path, slack, model) == [ANSWER]


# Row 54: a start that fails for its settings


@pytest.mark.parametrize(
    "wrong", [{"PORT": "many"}, {"SLACK_BOT_TOKEN": "xapp-1"}, {"PARLEY_STOP": "["}], ids=str
)
async def test_row_54_what_waits_for_a_start_that_fails_is_answered_once_by_the_next_one(
    tmp_path: Path, wrong: dict[str, str]
) -> None:
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, retry_delays_s=PATIENT) as slack,
        FakeModel() as model,
    ):
        model.script(ANSWER, times=0)
        async with started(slack, model, tmp_path) as team:
            slack.faults.add("*", status=503, for_s=600)
            await team.ask("@parley asked before")
            await slack.until(lambda: model.counters["requests"])
        slack.faults.clear()
        await slack.say("alice", "#general", "@parley asked meanwhile")
        status, _ = await served(environment(slack, model, tmp_path) | wrong)
        assert status != 0
        assert finals(slack) == 0
        async with started(slack, model, tmp_path) as team:
            await slack.until(lambda: finals(slack) == 2)
            assert await kept(team) == [ANSWER] * 2
