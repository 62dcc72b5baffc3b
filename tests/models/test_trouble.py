"""What goes wrong with a real server: too small contexts, kills and restarts, endpoints that it lacks."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.core.errors import ContextTooLong, NotOffered, Unreachable
from bot.core.settings import STYLES
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from handlers.reply.reply import WAITING
from tests.support.model_api import SCOPE, build_prompt
from tests.support.real_model import RealModel, real_provider
from tests.support.workspace import MANIFEST, started

FACT = "The shelf number {n} holds the boxes with the cables for the printer on floor {n}. " * 5
PATIENT_S = 200.0  # a summary by a real model on a slow machine
QUESTION = {"type": "predicate", "name": "belongs", "instructions": "It belongs."}


@pytest.mark.parametrize("style", STYLES)
async def test_what_is_too_long_teaches_how_much_the_model_reads(tmp_path: Path, style: str) -> None:
    async with (
        RealModel(context_tokens=512) as server,
        real_provider(server, tmp_path, style=style) as provider,
    ):
        with pytest.raises(ContextTooLong) as raised:
            await provider.complete(build_prompt("word " * 1_000), SCOPE)
        assert raised.value.limit_tokens == provider.context_tokens("smollm2") == 512
        assert raised.value.prompt_tokens > 1_000


async def test_decisions_and_embeddings_that_it_lacks_are_asked_for_once(tmp_path: Path) -> None:
    async with RealModel() as server, real_provider(server, tmp_path) as provider:
        for _ in range(2):
            with pytest.raises(NotOffered):
                await provider.decide("x", [QUESTION], SCOPE, model="smollm2")
            with pytest.raises(NotOffered):
                await provider.embed(["x"], SCOPE, model="smollm2")


async def test_embeddings_come_from_a_server_that_has_them(tmp_path: Path) -> None:
    async with RealModel(embedding=True) as server, real_provider(server, tmp_path) as provider:
        one, two = await provider.embed(["cheese", "the printer"], SCOPE, model="smollm2")
        assert len(one) == len(two) > 100
        assert one != two


async def test_a_killed_server_is_unreachable_and_answers_again_when_it_is_back(tmp_path: Path) -> None:
    async with RealModel() as server, real_provider(server, tmp_path) as provider:
        await server.kill()
        with pytest.raises(Unreachable):
            await provider.complete(build_prompt("Hello"), SCOPE)
        await server.start()
        assert (await provider.complete(build_prompt("Hello"), SCOPE)).text


@pytest.mark.timeout(1_200)
async def test_in_slack_a_thread_outlives_a_small_context_and_a_restart_in_its_middle(tmp_path: Path) -> None:
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False) as slack,
        RealModel(context_tokens=640) as server,
    ):
        model: FakeModel = server  # type: ignore[assignment]  # of which the address alone is read
        how = {"PARLEY_MODEL": "smollm2", "PARLEY_MAX_TOKENS": "30"}
        async with started(slack, model, tmp_path, **how) as team:
            thread = ""
            for n in range(5):
                thread = await team.ask(f"@parley {FACT.format(n=n)}", thread=thread)
                assert "longer than the model" not in await team.answer(
                    "#general", thread, count=n + 1, timeout_s=PATIENT_S
                )
            await server.kill()
            await team.ask("@parley are you there?", thread=thread)
            await slack.until(lambda: WAITING in str(team.calls("assistant.threads.setStatus")))
            await asyncio.sleep(2)
            await server.start()
            assert await team.answer("#general", thread, count=6, timeout_s=PATIENT_S)
