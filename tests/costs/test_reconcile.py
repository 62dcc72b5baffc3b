"""Our count against the provider's: equal when it is, and a likely cause when it is not."""

from __future__ import annotations

import argparse
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.cli import reconcile as reconcile_cli
from bot.core.calendar import Calendar, zone
from bot.core.errors import NotUnderstood, Refused, SetupError
from bot.core.settings import Settings
from bot.core.values import RequestKind, Scope, Usage
from bot.costs.ledger import Ledger
from bot.costs.pricing import Prices
from bot.costs.reconcile import Count, Ours, compare, read_ours, read_theirs
from storage.database import open_engine
from tests.support.engines import database_url
from tests.support.throwaway_server import throwaway_server

DAY = date(2026, 11, 22)
NEXT = date(2026, 11, 23)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
KEY = (DAY, "gpt-6-sol", "completions")
ANSWER = Usage(input_tokens=100, output_tokens=10)
CSV = "date,model,num_model_requests,input_tokens,output_tokens\n2026-11-22,gpt-6-sol-2026-10-01,2,200,20\n"


@pytest.fixture
async def settings(tmp_path: Path) -> Settings:
    """A database with two answers and a second of speech on one day, and a failure."""
    settings = Settings(database=database_url(tmp_path / "parley.db"))
    async with open_engine(settings.database) as engine:
        ledger = Ledger(engine, Prices(), Calendar(zone("Asia/Tokyo"), clock=lambda: NOON))
        await spend(ledger, "gpt-6-sol", ANSWER)
        await spend(ledger, "gpt-6-sol", ANSWER, kind="summary")
        await spend(ledger, "gpt-6-sol", None)
        await spend(ledger, "whisper-1", Usage(audio_seconds=1.0), kind="transcription")
    return settings


async def spend(ledger: Ledger, model: str, usage: Usage | None, *, kind: RequestKind = "answer") -> None:
    entry = await ledger.open(Scope("T1", "C1", "U1", "", kind), model, upper_bound=ANSWER, attempt=1)
    await ledger.settle(entry, usage, outcome="ok" if usage else "failed")


def bucket(day: date, *results: dict[str, Any]) -> dict[str, Any]:
    begins = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return {"object": "bucket", "start_time": begins, "end_time": begins + 86_400, "results": list(results)}


def completions(requests: int, read: int, written: int) -> dict[str, Any]:
    return {
        "object": "organization.usage.completions.result",
        "model": "gpt-6-sol-2026-10-01",
        "num_model_requests": requests,
        "input_tokens": read,
        "output_tokens": written,
    }


async def test_our_side_is_counted_by_utc_day_model_and_endpoint(settings: Settings) -> None:
    async with open_engine(settings.database, read_only=True) as engine:
        found = await read_ours(engine, DAY, NEXT)
    assert found == {
        KEY: Ours(Count(3, 200, 20), failed=1),
        (DAY, "whisper-1", "audio_transcriptions"): Ours(Count(1, audio_seconds=1.0)),
    }


def test_exports_of_both_forms_are_read() -> None:
    pages = json.dumps([{"data": [bucket(DAY, completions(2, 200, 20))], "has_more": False}])
    assert read_theirs(CSV) == read_theirs(pages) == {KEY: Count(2, 200, 20)}
    audio = {"object": "organization.usage.audio_transcriptions.result", "model": "whisper-1", "seconds": 9}
    (key,) = read_theirs(json.dumps({"data": [bucket(DAY, audio)]}))
    assert key == (DAY, "whisper-1", "audio_transcriptions")


@pytest.mark.parametrize(
    "text", ["a,b\n1,2\n", '{"data": [{"x": 1}]}', '{"error": 1}', "date,model\nsoon,m\n"]
)
def test_what_is_no_export_is_said_to_be_none(text: str) -> None:
    with pytest.raises(NotUnderstood):
        read_theirs(text)


@pytest.mark.parametrize(
    ("mine", "other", "cause"),
    [
        (Ours(), Count(1, 10, 10), "not made by Parley"),
        (Ours(Count(1, 10, 10)), Count(), "not in the export"),
        (Ours(Count(2, 10, 10), estimated=1), Count(2, 20, 10), "1 of our requests are estimated"),
        (Ours(Count(2, 10, 10)), Count(3, 20, 10), "more requests on their side"),
        (Ours(Count(5, 30, 10), failed=1), Count(3, 20, 10), "fewer requests on their side"),
        (Ours(Count(2, 10, 10)), Count(2, 11, 10), "as many requests, other tokens"),
    ],
)
def test_each_difference_has_a_likely_cause(mine: Ours, other: Count, cause: str) -> None:
    (difference,) = compare({KEY: mine}, {KEY: other})
    assert difference.cause.startswith(cause)


def test_requests_around_midnight_are_recognised() -> None:
    tomorrow = (NEXT, *KEY[1:])
    found = compare(
        {KEY: Ours(Count(3, 30, 3)), tomorrow: Ours(Count(1, 10, 1))},
        {KEY: Count(2, 20, 2), tomorrow: Count(2, 20, 2)},
    )
    assert {difference.cause.split(":")[0] for difference in found} == {"the same over all days"}


async def reconcile(settings: Settings, *words: str) -> int:
    parser = argparse.ArgumentParser()
    reconcile_cli.add_arguments(parser)
    return await reconcile_cli.run(parser.parse_args(words), settings)


@pytest.mark.both_engines
async def test_the_command_compares_an_export(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = tmp_path / "export.csv"
    export.write_text(CSV, "utf-8")
    assert await reconcile(settings, str(export)) == 1
    assert "whisper-1  audio_transcriptions" in capsys.readouterr().out
    export.write_text(
        "date,model,endpoint,requests,input_tokens,output_tokens,seconds\n"
        "2026-11-22,gpt-6-sol,completions,2,200,20,\n2026-11-22,whisper-1,audio_transcriptions,1,0,0,1\n",
        "utf-8",
    )
    assert await reconcile(settings, str(export)) == 0
    assert capsys.readouterr().out == "No differences.\n"


@asynccontextmanager
async def usage_api(seen: list[Any], *, status: int = 200) -> AsyncIterator[str]:
    """The organisation usage API, in two pages for completions."""

    async def answer(request: web.Request) -> web.Response:
        seen.append((request.path, dict(request.query), request.headers["Authorization"]))
        endpoint = request.path.removeprefix("/v1/organization/usage/")
        if status != 200 or endpoint not in ("completions", "audio_transcriptions"):
            return web.Response(status=404 if status == 200 else status)
        if endpoint == "audio_transcriptions":
            speech = {"model": "whisper-1", "num_model_requests": 1, "seconds": 1}
            speech["object"] = "organization.usage.audio_transcriptions.result"
            return web.json_response({"data": [bucket(DAY, speech)], "has_more": False, "next_page": None})
        first = "page" not in request.query
        page = bucket(DAY, completions(1, 100, 10))
        return web.json_response({"data": [page], "has_more": first, "next_page": "two" if first else None})

    async with throwaway_server(answer) as address:
        yield f"{address}/v1"


async def test_the_command_asks_the_provider_page_by_page(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-test")
    seen: list[Any] = []
    async with usage_api(seen) as url:
        configured = Settings(database=settings.database, openai_base_url=url)
        assert await reconcile(configured, "--provider", "--first", "2026-11-22", "--last", "2026-11-22") == 0
    assert capsys.readouterr().out == "No differences.\n"
    assert seen[0][1]["start_time"] == str(int(datetime(2026, 11, 22, tzinfo=UTC).timestamp()))
    assert seen[1][1]["page"] == "two"
    assert seen[0][2] == "Bearer sk-admin-test"


async def test_the_provider_needs_a_key_and_may_refuse_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_ADMIN_KEY", raising=False)
    with pytest.raises(SetupError, match="OPENAI_ADMIN_KEY"):
        await reconcile(settings, "--provider")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-wrong")
    async with usage_api([], status=401) as url:
        with pytest.raises(Refused, match="401"):
            await reconcile(Settings(database=settings.database, openai_base_url=url), "--provider")
