"""Servers that others wrote, as the fake model plays them: missing endpoints, forms, small contexts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import ContextTooLong, NotOffered
from bot.core.values import Message, Prompt
from bot.guard.model_judge import ModelJudge
from bot.guard.policy import Policy
from bot.provider.json_form import object_schema
from bot.sandbox.model.dialects import DEAF, LLAMA_CPP, OPENAI, VLLM, Dialect
from bot.sandbox.model.rules import ModelRefusal
from bot.sandbox.model.server import FakeModel
from tests.support.model_api import SCOPE, build_prompt, open_bench

STYLES = ("transcript", "chat", "responses")
VERDICT = object_schema(belongs={"type": "boolean"}, probability={"type": "number"})
ASKED = Prompt("Judge.", (Message("human", "Is cheese food?"),), form=VERDICT)
PROSE = "Well, this is a long story about cheese and what belongs to it. " * 20
QUESTION = {"type": "predicate", "name": "belongs", "instructions": "It belongs."}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("dialect", [LLAMA_CPP, VLLM], ids=lambda dialect: dialect.name)
async def test_a_form_is_had_in_every_style_and_the_way_to_it_is_remembered(
    tmp_path: Path, dialect: Dialect, style: str
) -> None:
    async with FakeModel(dialect=dialect) as model:
        model.script(PROSE, times=0, tokens_per_s=200)
        for _ in range(2):
            async with open_bench(tmp_path, model=model, style=style) as bench:
                completion = await bench.provider.complete(ASKED, SCOPE)
                assert json.loads(completion.text).keys() == {"belongs", "probability"}
                assert completion.finish == "stop"
        answered = [request for request in model.requests if request.status == 200]
        assert len(answered) <= 3, "what does not help is tried once, also after a restart"
        assert answered[-1].endpoint == answered[-2].endpoint


@pytest.mark.parametrize("style", STYLES)
async def test_prose_where_a_form_was_asked_for_is_broken_off_at_its_first_word(
    tmp_path: Path, style: str
) -> None:
    async with FakeModel(dialect=DEAF) as model:
        model.script(PROSE, times=0, tokens_per_s=50)
        async with open_bench(tmp_path, model=model, style=style) as bench:
            completion = await bench.provider.complete(ASKED, SCOPE)
            assert completion.finish == "cut"
            assert len(completion.text) < 30
            assert all(request.chunks_sent < 10 for request in model.requests)
            row = (await bench.rows())[-1]
            assert 0 < row["output_tokens"] < 20


async def test_an_endpoint_that_is_missing_is_asked_once_also_after_a_restart(tmp_path: Path) -> None:
    async with FakeModel(dialect=LLAMA_CPP) as model:
        for _ in range(2):
            async with open_bench(tmp_path, model=model) as bench:
                for _ in range(2):
                    with pytest.raises(NotOffered):
                        await bench.provider.decide("x", [QUESTION], SCOPE, model="rehearsal")
                    with pytest.raises(NotOffered):
                        await bench.provider.embed(["x"], SCOPE, model="another")
        assert sorted(request.endpoint for request in model.requests) == ["decisions", "embeddings"]


class LmStudio(Dialect):
    def check_endpoint(self, endpoint: str) -> None:
        if endpoint in self.lacks:
            said = f"Unexpected endpoint or method. (POST /v1/{endpoint}). Returning 200 anyway"
            raise ModelRefusal(200, said, code=None)


async def test_an_endpoint_that_is_missing_with_status_200_is_missing(tmp_path: Path) -> None:
    dialect = LmStudio("lm studio", lacks=frozenset(["decisions", "embeddings", "responses"]), lenient=True)
    async with (
        FakeModel(dialect=dialect) as model,
        open_bench(tmp_path, model=model, style="responses") as bench,
    ):
        for _ in range(2):
            with pytest.raises(NotOffered):
                await bench.provider.decide("x", [QUESTION], SCOPE, model="rehearsal")
            with pytest.raises(NotOffered):
                await bench.provider.embed(["x"], SCOPE, model="rehearsal")
            assert (await bench.ask()).text
        asked = [request.endpoint for request in model.requests if request.endpoint != "chat/completions"]
        assert asked == ["decisions", "embeddings", "responses"]


NO_ROUTE = "Virtual key is not allowed to call this route. Tried to call route: /v1/decisions"


@dataclass(frozen=True)
class Gateway(Dialect):
    """What stands before other servers, and has a word of its own for what is not there."""

    status: int = 404
    said: str = "no"

    def check_endpoint(self, endpoint: str) -> None:
        if endpoint == "decisions":
            raise ModelRefusal(self.status, self.said, code=None)


@pytest.mark.parametrize(
    ("status", "said", "asked"),
    [
        (401, NO_ROUTE, 1),
        (403, NO_ROUTE, 1),
        (403, "<html>Forbidden</html>", 1),
        (402, "not in your plan", 1),
        (400, "unknown url", 1),
        (500, "Internal Server Error", 3),
        (502, "<html>Bad gateway</html>", 3),
    ],
)
async def test_whatever_is_said_to_an_endpoint_that_few_have_verdicts_come_as_forms_and_nothing_else_stops(
    tmp_path: Path, status: int, said: str, asked: int
) -> None:
    gateway = Gateway("gateway", lenient=True, forms=VLLM.forms, status=status, said=said)
    async with FakeModel(dialect=gateway) as model, open_bench(tmp_path, model=model) as bench:
        judge = ModelJudge(bench.provider, "rehearsal")
        for _ in range(3):
            assert await judge.opinion(Policy(purpose="cheese"), "Which cheese for fondue?", (), SCOPE)
        assert (await bench.ask()).text
        assert [request.endpoint for request in model.requests].count("decisions") == asked


class Strict(Dialect):
    """The chat template of Gemma 2: vLLM says what it raises with 400, llama.cpp with 500."""

    def understand(self, endpoint: str, body: dict[str, Any]) -> dict[str, Any]:
        messages = body.get("messages") or body["input"]
        roles = ["user" if one["role"] == "system" else one["role"] for one in messages]
        if "instructions" in body or messages[0]["role"] == "system":
            raise ModelRefusal(400, "System role not supported", code=None)
        if any(role != ("user", "assistant")[at % 2] for at, role in enumerate(roles)):
            said = "Conversation roles must alternate user/assistant/user/assistant/... at row 1, column 2"
            raise ModelRefusal(500, said, code=None)
        return Dialect.understand(self, endpoint, body)


TOLD = (
    Message("human", "I am Ada.", "Ada"),
    Message("human", "And I am Bob.", "Bob"),
    Message("assistant", "Hello, both of you."),
    Message("human", "Who are we?", "Ada"),
)


@pytest.mark.parametrize("style", ["chat", "responses"])
async def test_a_model_that_takes_people_and_model_by_turns_alone_is_asked_so_and_that_is_remembered(
    tmp_path: Path, style: str
) -> None:
    prompt = Prompt("You are helpful.", TOLD, summary="They have just met.")
    async with FakeModel(dialect=Strict("strict", lenient=True)) as model:
        for _ in range(2):
            async with open_bench(tmp_path, model=model, style=style) as bench:
                assert (await bench.provider.complete(prompt, SCOPE)).text
        assert [request.status for request in model.requests] == [400, 200, 200]
        body = model.requests[-1].body
        first, answer, question = body.get("messages") or body["input"]
        for said in ("You are helpful.", "They have just met.", "I am Ada.", "And I am Bob."):
            assert said in first["content"]
        assert (answer["role"], question["content"]) == ("assistant", "Who are we?")


async def test_where_a_style_has_no_endpoint_chats_answer_and_that_is_remembered(tmp_path: Path) -> None:
    dialect = Dialect("old", lacks=frozenset(["responses"]), lenient=True)
    async with FakeModel(dialect=dialect) as model:
        async with open_bench(tmp_path, model=model, style="responses") as bench:
            assert (await bench.ask()).text
            assert (await bench.ask()).text
        endpoints = [request.endpoint for request in model.requests]
        assert endpoints == ["responses", "chat/completions", "chat/completions"]


LONG = build_prompt("word " * 1_200)  # 1,500 tokens of the fake model's


@pytest.mark.parametrize("dialect", [OPENAI, VLLM], ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("style", ["transcript", "chat"])
async def test_an_answer_is_asked_for_that_the_model_has_room_for(
    tmp_path: Path, style: str, dialect: Dialect
) -> None:
    async with FakeModel(dialect=dialect, context_tokens=2_048) as model:
        for turn in range(2):
            async with open_bench(tmp_path, model=model, style=style, max_tokens=1_000) as bench:
                assert (await bench.provider.complete(LONG, SCOPE)).text
                refused = [request for request in model.requests if request.status == 400]
                assert len(refused) == 1, f"learned from the first, turn {turn}"


@pytest.mark.parametrize(
    ("dialect", "limit"),
    [(OPENAI, 2_048), (VLLM, 2_048), (LLAMA_CPP, 2_048)],
    ids=lambda value: str(value)[:20],
)
async def test_what_is_too_long_says_how_much_the_model_reads(
    tmp_path: Path, dialect: Dialect, limit: int
) -> None:
    async with (
        FakeModel(dialect=dialect, context_tokens=limit) as model,
        open_bench(tmp_path, model=model, max_tokens=100) as bench,
    ):
        with pytest.raises(ContextTooLong) as raised:
            await bench.provider.complete(build_prompt("word " * 4_000), SCOPE)
        assert raised.value.limit_tokens == limit
        assert raised.value.prompt_tokens > limit
        assert bench.provider.context_tokens("rehearsal") == limit


async def test_a_refusal_without_numbers_is_taken_for_less_than_was_sent(tmp_path: Path) -> None:
    class Silent(Dialect):
        def check_context(self, endpoint: str, body: Any, card: Any, prompt: int, limit: int) -> None:
            raise ModelRefusal(400, "context size exceeded", code="context_length_exceeded")

    async with (
        FakeModel(dialect=Silent("silent")) as model,
        open_bench(tmp_path, model=model) as bench,
    ):
        with pytest.raises(ContextTooLong):
            await bench.provider.complete(LONG, SCOPE)
        assert 500 < bench.provider.context_tokens("rehearsal") < 1_500
