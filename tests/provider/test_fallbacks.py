"""Further models and servers: asked in order before the first word, each for itself, and never after it."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bot.core.errors import Refused, SetupError, Unavailable
from bot.core.settings import Settings
from bot.core.values import Usage
from bot.costs.pricing import read_prices
from bot.ops.logs import secrets_of
from bot.ops.metrics import METRICS
from bot.provider.fallbacks import Fallback, read_fallbacks, settings_of
from bot.sandbox.model.server import FakeModel
from tests.support.model_api import open_bench

TIMES = {"times": 0}
NOVEMBER = datetime(2026, 11, 23, tzinfo=UTC)
# Reasoning that only its end tells from an answer: it is shown, then taken back.
LATE_TAG = ("Let me ", "think. ", "</think>", "<answer>", "Well")


async def test_when_the_first_does_not_answer_the_next_does_and_both_are_in_the_ledger(
    tmp_path: Path,
) -> None:
    async with open_bench(tmp_path, fallbacks="gpt-6-luna") as bench:
        bench.model.faults.add("server_error", model="rehearsal", **TIMES)
        bench.model.script("From the second.", times=0)
        answer = await bench.ask()
        assert (answer.text, answer.model, answer.instead_of) == (
            "From the second.",
            "gpt-6-luna",
            "rehearsal",
        )
        assert [body["model"] for body in bench.bodies] == ["rehearsal"] * 3 + ["gpt-6-luna"]
        assert await bench.outcomes() == ["failed"] * 3 + ["ok"]
        assert 'parley_fallback_answers_total{model="gpt-6-luna"} ' in METRICS.render()


async def test_a_first_that_answers_is_the_only_one_asked(tmp_path: Path) -> None:
    async with open_bench(tmp_path, fallbacks="gpt-6-luna") as bench:
        answer = await bench.ask()
        assert (answer.model, answer.instead_of) == ("rehearsal", "")
        assert len(bench.bodies) == 1


@pytest.mark.parametrize("kind", ["overloaded", "quota", "credentials", "ended", "drop", "html"])
async def test_whatever_says_that_a_server_cannot_answer_leads_to_the_next(tmp_path: Path, kind: str) -> None:
    async with open_bench(tmp_path, fallbacks="gpt-6-luna") as bench:
        bench.model.faults.add(kind, model="rehearsal", **TIMES)
        if kind == "html":  # it answers, with something else
            with pytest.raises(Refused):
                await bench.ask()
        else:
            assert (await bench.ask()).model == "gpt-6-luna"


@pytest.mark.parametrize("kind", ["content_policy", "context_length"])
async def test_what_is_wrong_with_the_question_itself_is_not_asked_elsewhere(
    tmp_path: Path, kind: str
) -> None:
    async with open_bench(tmp_path, fallbacks="gpt-6-luna") as bench:
        bench.model.faults.add(kind, model="rehearsal", **TIMES)
        with pytest.raises(Refused):
            await bench.ask()
        assert {body["model"] for body in bench.bodies} == {"rehearsal"}


async def test_after_the_first_word_nobody_else_goes_on(tmp_path: Path) -> None:
    async with open_bench(tmp_path, fallbacks="gpt-6-luna") as bench:
        bench.model.faults.add("reset", model="rehearsal", after_chunks=3, **TIMES)
        bench.model.script("One two three four five six.", tokens_per_s=200)
        answer = bench.stream()
        said = "".join([part async for part in answer])
        assert said and answer.completion.finish == "broken"
        assert len(bench.bodies) == 1


async def test_what_was_shown_and_taken_back_was_shown(tmp_path: Path) -> None:
    async with open_bench(tmp_path, fallbacks="gpt-6-luna") as bench:
        bench.model.script("", chunks=LATE_TAG, tokens_per_s=200, times=0)
        bench.model.faults.add("reset", model="rehearsal", after_chunks=4, **TIMES)
        answer, shown = bench.stream(), ""
        with pytest.raises(Unavailable):
            async for part in answer:
                shown += part
        assert shown and answer.taken_back
        assert {body["model"] for body in bench.bodies} == {"rehearsal"}


async def test_another_server_has_its_own_address_key_style_price_and_breaker(tmp_path: Path) -> None:
    async with FakeModel(api_key="sk-second") as second:
        given = {
            "fallbacks": f"gpt-4.1-mini {second.base_url} responses",
            "fallback_keys": "127.0.0.1=sk-second",
        }
        async with open_bench(tmp_path, unseen=1, style="chat", **given) as bench:
            bench.model.faults.add("credentials", **TIMES)
            second.script("Elsewhere.", times=0)
            answer = await bench.ask()
            assert (answer.text, answer.model) == ("Elsewhere.", "gpt-4.1-mini")
            (request,) = second.requests
            assert request.endpoint == "responses"
            failed, answered = await bench.rows()
            assert failed["id"] != answered["id"] and answered["model"] == "gpt-4.1-mini"
            assert answered["cost"] is not None, "priced by its name, wherever it runs"
            assert bench.provider.unavailable is False


async def test_when_nobody_answers_the_error_is_one_that_may_be_tried_again(tmp_path: Path) -> None:
    async with open_bench(tmp_path, fallbacks="gpt-6-luna") as bench:
        bench.model.faults.add("credentials", model="rehearsal", **TIMES)
        bench.model.faults.add("server_error", model="gpt-6-luna", **TIMES)
        with pytest.raises(Unavailable):
            await bench.ask()
        assert bench.provider.unavailable is False
        for _ in range(3):
            with pytest.raises(Unavailable):
                await bench.ask()
        assert bench.provider.unavailable, "each is left alone for now"


async def test_a_server_that_is_left_alone_is_passed_over_at_once(tmp_path: Path) -> None:
    async with open_bench(tmp_path, fallbacks="gpt-6-luna") as bench:
        bench.model.faults.add("credentials", model="rehearsal", **TIMES)
        await bench.ask()
        await bench.ask()
        assert [body["model"] for body in bench.bodies] == ["rehearsal", "gpt-6-luna", "gpt-6-luna"]


# The setting


@pytest.mark.parametrize(
    ("given", "entry", "dollars"),
    [
        ("gpt-6-sol", "gpt-6-luna", "0.000150"),  # what runs behind PARLEY_MODEL is no other's price
        ("ours=gpt-6-sol, theirs=gpt-6-luna", "theirs", "0.000150"),
        ("ours=gpt-6-sol, theirs=gpt-6-luna", "theirs https://b.example/v1", "0.000150"),
        ("gpt-6-sol", "ours https://b.example/v1", "0.003"),
        ("gpt-6-sol", "theirs https://b.example/v1", None),
    ],
)
def test_an_entry_has_the_price_of_the_base_model_that_is_named_for_it(
    given: str, entry: str, dollars: str | None
) -> None:
    settings = Settings(model="ours", base_model=given, fallbacks=entry)
    (fallback,) = read_fallbacks(settings)
    prices = read_prices(settings_of(settings, fallback))
    cost = prices.cost(fallback.model, Usage(input_tokens=1_000, output_tokens=100), at=NOVEMBER)
    assert cost == (None if dollars is None else Decimal(dollars))


def test_an_entry_is_a_model_perhaps_with_an_address_and_a_style() -> None:
    given = "gpt-6-sol, llama3.2:3b http://127.0.0.1:11434/v1 transcript,x/y chat"
    assert read_fallbacks(Settings(fallbacks=given)) == [
        Fallback("gpt-6-sol"),
        Fallback("llama3.2:3b", "http://127.0.0.1:11434/v1", "transcript"),
        Fallback("x/y", "", "chat"),
    ]


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"fallbacks": "a http://8.8.8.8/v1"}, "8.8.8.8 would be spoken to without encryption"),
        (
            {"fallbacks": "a https://us.example/v1", "model_hosts": "*.eu.example"},
            "us.example is none of the hosts",
        ),
    ],
)
def test_an_entry_holds_to_the_rules_about_hosts(given: dict[str, str], problem: str) -> None:
    with pytest.raises(SetupError) as raised:
        read_fallbacks(Settings(**given))
    assert raised.value.problems[0].startswith(f"PARLEY_FALLBACKS: {problem}")


@pytest.mark.parametrize(
    "entry", ["http://x/v1", "a http://x/v1 http://y/v1", "a poem", "a chat chat", "a chat responses"]
)
def test_anything_else_is_told(entry: str) -> None:
    with pytest.raises(SetupError) as raised:
        read_fallbacks(Settings(fallbacks=f"fine, {entry}"))
    (problem,) = raised.value.problems
    assert problem.startswith(f"PARLEY_FALLBACKS: '{entry}' is not ")


def test_a_key_that_cannot_be_read_is_told_without_it() -> None:
    with pytest.raises(SetupError) as raised:
        read_fallbacks(Settings(fallbacks="a", fallback_keys="sk-verysecretkey"))
    assert raised.value.problems == ["PARLEY_FALLBACK_KEYS: not of the form host=key, separated by commas"]


def test_each_key_is_taken_out_of_the_log() -> None:
    settings = Settings(fallback_keys="a.example=sk-first-key-0001, b.example=other-key-0002")
    assert {"sk-first-key-0001", "other-key-0002"} <= set(secrets_of(settings))


def test_the_key_of_the_first_server_goes_to_no_other() -> None:
    settings = Settings(openai_api_key="sk-ours", fallbacks="a https://b.example/v1")
    (entry,) = read_fallbacks(settings)
    assert settings_of(settings, entry).openai_api_key == ""
    keyed = settings.changed(fallback_keys="B.example=sk-theirs")
    assert settings_of(keyed, entry).openai_api_key == "sk-theirs"
