"""What the ledger adds up to is what the provider counted, to the token, whatever went wrong on the way."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from bot.cli.reconcile import fetch
from bot.core.errors import ProviderError
from bot.costs.reconcile import Difference, compare, format_differences, read_ours, read_theirs
from bot.sandbox.model.exchange import ApiRequest
from bot.sandbox.model.server import FakeModel
from tests.support.model_api import SCOPE, Bench, build_prompt, open_bench

TURNS = 300
ROUND = 20
BEFORE_ANSWER = ("rate_limit", "server_error", "overloaded", "drop", "content_policy")
IN_ONE_PIECE = ("reset", "eof", "bad_json", "empty_choices")
ENDPOINTS = ("embeddings", "decisions", "audio/transcriptions", "audio/translations")
IN_ANSWER = ("reset", "eof", "error_event", "bad_json", "no_usage", "length", "empty_choices")
Work = Callable[[Bench, int], Awaitable[object]]
CLIP = Path(__file__).parents[2] / "bot/sandbox/clips/release_note.m4a"
CLIP_SECONDS = 6.0  # begun; speech is charged by the second begun
SPEECH_MODELS = ("gpt-transcribe", "gpt-4o-transcribe", "whisper-1")


async def streamed(bench: Bench, n: int) -> None:
    async for _ in bench.stream(f"Question {n}: what did we say about {'the budget ' * (n % 9)}?"):
        pass


async def summarised(bench: Bench, n: int) -> object:
    return await bench.provider.complete(build_prompt(f"Sum up {n}"), replace(SCOPE, kind="summary"))


async def embedded(bench: Bench, n: int) -> object:
    scope = replace(SCOPE, kind="embedding")
    return await bench.provider.embed([f"text {n}", "word " * n], scope, model="text-embedding-3-small")


async def decided(bench: Bench, n: int) -> object:
    scope = replace(SCOPE, kind="decision")
    question = {"type": "predicate", "name": "a", "instructions": f"It is about the number {n}."}
    return await bench.provider.decide(f"text {n}", [question] * (1 + n % 3), scope, model="gpt-6-luna")


async def transcribed(bench: Bench, n: int) -> object:
    scope, model = replace(SCOPE, kind="transcription"), SPEECH_MODELS[n % len(SPEECH_MODELS)]
    return await bench.provider.transcribe(
        CLIP.name, CLIP.read_bytes(), scope, model=model, seconds=CLIP_SECONDS
    )


async def translated(bench: Bench, n: int) -> object:
    scope = replace(SCOPE, kind="translation")
    return await bench.provider.translate(
        CLIP.name, CLIP.read_bytes(), scope, model="whisper-1", seconds=CLIP_SECONDS
    )


ENDPOINT_OF = {
    "embedding": "embeddings",
    "decision": "decisions",
    "transcription": "audio/transcriptions",
    "translation": "audio/translations",
}
SPEECH = (transcribed, translated)
TEXT = (streamed, streamed, streamed, summarised)
WORK: tuple[Work, ...] = (*TEXT, embedded, decided, *SPEECH)


async def tried(work: Work, bench: Bench, n: int) -> None:
    try:
        await work(bench, n)
    except ProviderError:
        return


def counted(requests: list[ApiRequest]) -> Counter[tuple[str, str, str]]:
    """(endpoint, model, of what) → how much the answers that came with a usage say they used."""
    used: Counter[tuple[str, str, str]] = Counter()
    for request in requests:
        if request.usage and request.outcome in ("answered", "length"):
            usage, where = request.usage, (request.endpoint, request.model)
            used[*where, "in"] += usage.get("prompt_tokens", usage.get("input_tokens", 0))
            used[*where, "out"] += usage.get("completion_tokens", usage.get("output_tokens", 0))
            if request.endpoint.startswith("audio/"):
                used[*where, "seconds"] += usage.get("seconds", round(CLIP_SECONDS))
    return +used


def booked(rows: list[dict[str, Any]]) -> Counter[tuple[str, str, str]]:
    """The same from our side, without what we had to estimate."""
    used: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        if not row["estimated"]:
            where = (ENDPOINT_OF.get(row["kind"], "chat/completions"), row["model"])
            used[*where, "in"] += row["input_tokens"]
            used[*where, "out"] += row["output_tokens"]
            used[*where, "seconds"] += round(row["audio_seconds"])
    return +used


async def test_totals_equal_the_providers_own_count_for_every_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(6)
    async with FakeModel(keep=10_000) as model, open_bench(tmp_path, model=model) as bench:
        for begin in range(0, TURNS, ROUND):
            for _ in range(ROUND // 20):
                model.faults.add(chance.choice(BEFORE_ANSWER), after=chance.randrange(ROUND))
                for kind in chance.sample(IN_ANSWER, 2):
                    model.faults.add(kind, endpoint="chat/completions", after=chance.randrange(ROUND // 2))
                model.faults.add(chance.choice(IN_ONE_PIECE), endpoint=chance.choice(ENDPOINTS))
            await asyncio.gather(*(tried(chance.choice(WORK), bench, n) for n in range(begin, begin + ROUND)))
        rows = await bench.rows()
        requests = list(model.requests)
        assert len(rows) == len(requests) >= TURNS
        assert Counter(row["model"] for row in rows) == Counter(request.model for request in requests)
        assert len({row["outcome"] for row in rows}) >= 3
        assert booked(rows) == counted(requests)
        assert {row["kind"] for row in rows} >= {"answer", "summary", *ENDPOINT_OF}
        assert sum(request.outcome in IN_ONE_PIECE for request in requests) >= TURNS // 20
        # Estimated is only what the provider did not report: what broke off.
        silent = [r for r in requests if not r.usage or r.outcome not in ("answered", "length")]
        assert 0 < sum(row["estimated"] for row in rows) <= len(silent)
        monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-test")
        differences = await reconciled(bench)
        assert differences
        assert all("of our requests are estimated" in one.cause for one in differences), format_differences(
            differences
        )


async def test_where_every_answer_arrives_the_providers_own_count_differs_in_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-admin-test")
    async with open_bench(tmp_path, first_text_s=60, stall_s=60) as bench:
        await asyncio.gather(*(work(bench, n) for n in range(1, 11) for work in {*WORK}))
        assert await reconciled(bench) == []
        bench.model.faults.add("no_usage")
        await streamed(bench, 1)
        (difference,) = await reconciled(bench)
        assert difference.endpoint == "completions"


async def reconciled(bench: Bench) -> list[Difference]:
    """What `parley reconcile --provider` finds."""
    last = datetime.now(UTC).date()
    first = last - timedelta(days=1)
    counted = read_theirs(orjson.dumps(await fetch(bench.model.base_url, first, last)).decode())
    mine = await read_ours(bench.engine, first, last)
    return compare(mine, counted)
