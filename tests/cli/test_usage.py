"""`parley usage` on a database file, while a bot may be at work on it."""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import json
from pathlib import Path

import pytest

from bot.cli import usage
from bot.cli.main import main
from bot.core.calendar import Calendar, zone
from bot.core.values import Scope, Usage
from bot.costs.ledger import Ledger
from bot.costs.pricing import Prices
from storage.database import open_engine
from tests.support.engines import database_url
from tests.support.workspace import workspace

CENT = Usage(output_tokens=1_000)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    url = database_url(tmp_path / "parley.db")
    monkeypatch.setenv("PARLEY_DATABASE", url)
    return url


async def fill(url: str, model: str = "gpt-6-sol") -> None:
    async with open_engine(url) as engine:
        ledger = Ledger(engine, Prices(), Calendar(zone("UTC")))
        for team, channel in (("T1", "C1"), ("T1", "C2"), ("T2", "C3")):
            scope = Scope(team, channel, "U1", "", "answer")
            entry = await ledger.open(scope, model, upper_bound=CENT, attempt=1)
            await ledger.settle(entry, CENT, outcome="ok")


def run(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["usage", *words]) == 0
    return capsys.readouterr().out


def test_every_format_tells_the_same(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(fill(database))
    read = json.loads(run(capsys, "--format", "json"))
    assert [(row["team"], row["channel"], row["cost_usd"]) for row in read] == [
        ("T1", "C1", 0.01),
        ("T1", "C2", 0.01),
        ("T2", "C3", 0.01),
    ]
    lines = list(csv.DictReader(io.StringIO(run(capsys, "today", "--format", "csv"))))
    assert [line["cost_usd"] for line in lines] == ["0.010000000"] * 3
    table = run(capsys, "month", "--by", "channel", "--team", "T1").splitlines()
    assert table[0].split()[:2] == ["team", "channel"]
    assert table[-1].split()[:1] + table[-1].split()[-2:] == ["total", "$0.02", "0"]


@pytest.mark.parametrize("words", [(), ("--by", "kind"), ("--by", "day,model")])
def test_every_row_has_the_same_columns_whatever_it_is_added_up_by(
    database: str, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    asyncio.run(fill(database))
    named = ["team", "channel", "user", "model", "kind"]
    counted = ["requests", "input_tokens", "cached_tokens", "output_tokens", "audio_seconds", "images"]
    usual = [*named, *counted, "cost_usd", "unpriced"]
    expected = (["day"] if "day,model" in words else []) + usual
    lines = list(csv.reader(io.StringIO(run(capsys, *words, "--format", "csv"))))
    assert lines[0] == expected
    assert {len(line) for line in lines} == {len(expected)}
    assert [list(row) for row in json.loads(run(capsys, *words, "--format", "json"))] == [expected] * (
        len(lines) - 1
    )
    headings = run(capsys, *words).splitlines()[0].split()
    assert len(headings) == len(expected)


def test_what_has_no_price_is_counted_and_never_a_zero_among_the_priced(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(fill(database, "nobodys-model"))
    read = json.loads(run(capsys, "--by", "model", "--format", "json", "--team", "T1"))
    assert [(row["model"], row["requests"], row["cost_usd"], row["unpriced"]) for row in read] == [
        ("nobodys-model", 2, None, 2)
    ]
    assert run(capsys, "--team", "T1").splitlines()[-1].split()[-2:] == ["unpriced", "2"]
    assert run(capsys, "--team", "T1", "--format", "csv").splitlines()[1].endswith(",,1")


@pytest.mark.parametrize("words", ["last month", "Last\u00a0Month", "October", "2026/10"])
def test_a_span_is_understood_as_in_slack(
    database: str, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    asyncio.run(fill(database))
    assert "team" in run(capsys, words)


def test_words_it_does_not_know_are_answered_with_a_hint(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["usage", "yesterday"]) == 2
    assert "give today, week, month" in capsys.readouterr().err


async def test_beside_a_running_bot_it_tells_what_the_provider_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with workspace(tmp_path, model={"keep": 1000}) as team:
        threads = [await team.ask(f"@parley question {n}", user=("alice", "bob")[n % 2]) for n in range(20)]
        for thread in threads:
            await team.answer("#general", thread)
            await team.ask("and then?", user="alice", thread=thread)
        await team.quiet()
        parser = argparse.ArgumentParser()
        usage.add_arguments(parser)
        assert await usage.run(parser.parse_args(["--format", "json"]), team.bot.settings) == 0
        rows = json.loads(capsys.readouterr().out)
        counted = [request.counted or {} for request in team.model.requests]
    assert {row["user"] for row in rows} == {team.slack.user("alice"), team.slack.user("bob")}
    assert sum(row["requests"] for row in rows) == len(counted) == 40
    for ours, theirs in (
        ("input_tokens", "input_tokens"),
        ("cached_tokens", "input_cached_tokens"),
        ("output_tokens", "output_tokens"),
    ):
        assert sum(row[ours] for row in rows) == sum(count[theirs] for count in counted)
