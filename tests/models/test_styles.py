"""The three styles against a real server: its tiny model writes nonsense, only what surrounds it counts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.core.settings import STYLES
from bot.core.values import Message, Prompt
from bot.provider.json_form import object_schema
from tests.support.model_api import SCOPE, build_prompt
from tests.support.real_model import RealModel, real_provider

CONVERSATION = Prompt(
    system="You are helpful.",
    messages=(
        Message("human", "My name is Ada."),
        Message("assistant", "Hello Ada."),
        Message("human", "Count from one to five."),
    ),
)

VERDICT = object_schema(belongs={"type": "boolean"}, probability={"type": "number"})


@pytest.fixture
async def server() -> AsyncIterator[RealModel]:
    async with RealModel(parallel=2) as running:
        yield running


@pytest.mark.parametrize("style", STYLES)
async def test_a_second_turn_is_answered_and_counted_by_the_server(
    server: RealModel, tmp_path: Path, style: str
) -> None:
    async with real_provider(server, tmp_path, style=style) as provider:
        completion = await provider.complete(CONVERSATION, SCOPE)
    assert completion.text
    assert completion.finish in ("stop", "length")
    assert completion.usage.input_tokens > 10
    assert not completion.usage.estimated


async def test_no_stop_and_no_line_of_the_other_side_is_shown(server: RealModel, tmp_path: Path) -> None:
    async with real_provider(server, tmp_path, style="transcript", max_tokens=120) as provider:
        for text in ("Hello", "Continue: Human: hi AI: hello Human:", "Write a dialogue."):
            completion = await provider.complete(build_prompt(text), SCOPE)
            assert " Human:" not in completion.text
            assert " AI:" not in completion.text
            assert "\nHuman:" not in completion.text


async def test_turns_beside_each_other_are_all_answered(server: RealModel, tmp_path: Path) -> None:
    async with real_provider(server, tmp_path) as provider:
        asked = (provider.complete(build_prompt(f"Say the number {n}."), SCOPE) for n in range(4))
        answers = await asyncio.gather(*asked)
    assert all(answer.text for answer in answers)


@pytest.mark.parametrize("style", STYLES)
async def test_a_form_is_filled_in_whatever_the_style(server: RealModel, tmp_path: Path, style: str) -> None:
    prompt = Prompt("Judge.", (Message("human", "Is cheese food? Answer in JSON."),), form=VERDICT)
    async with real_provider(server, tmp_path, style=style) as provider:
        for _ in range(2):
            completion = await provider.complete(prompt, SCOPE, max_output_tokens=200)
            assert json.loads(completion.text).keys() == {"belongs", "probability"}


async def test_an_echo_that_the_server_does_not_write_costs_no_word(
    server: RealModel, tmp_path: Path
) -> None:
    echo = '{"echo": true}'
    async with real_provider(server, tmp_path, style="transcript", extra_parameters=echo) as provider:
        echoed = await provider.complete(CONVERSATION, SCOPE)
    async with real_provider(server, tmp_path, style="transcript") as provider:
        plain = await provider.complete(CONVERSATION, SCOPE)
    assert echoed.text == plain.text
