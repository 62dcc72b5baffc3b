"""Requests to the model API: styles, how answers end, faults, retries, a ledger row for each request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import openai
import pytest

from bot.core.errors import (
    ContentFiltered,
    ContextTooLong,
    Credentials,
    Overloaded,
    ProviderError,
    QuotaSpent,
    RateLimited,
    Refused,
    SetupError,
    Timeout,
    Unavailable,
)
from bot.core.values import Message, Prompt
from bot.provider.error_table import table, to_provider_error
from bot.provider.own_marks import AFTER_CUT
from bot.provider.transport import list_models
from bot.sandbox.model.server import FakeModel
from tests.support.model_api import SCOPE, SETTINGS, Bench, open_bench

STYLES = ("transcript", "chat", "responses")


@pytest.fixture(params=STYLES)
def style(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_each_style_streams_an_answer_and_settles_what_was_reported(tmp_path: Path, style: str) -> None:
    async with open_bench(tmp_path, style=style) as bench:
        bench.model.script("Paris, of course.", tokens_per_s=200)
        answer = bench.stream()
        parts = [part async for part in answer]
        assert len(parts) > 1
        assert "".join(parts) == answer.completion.text == "Paris, of course."
        assert answer.completion.finish == "stop"
        usage = answer.completion.usage
        assert usage.input_tokens > 0 < usage.output_tokens
        assert not usage.estimated
        [row] = await bench.rows()
        assert (row["outcome"], row["input_tokens"], row["output_tokens"]) == (
            "ok",
            usage.input_tokens,
            usage.output_tokens,
        )


async def test_the_transcript_carries_the_configured_parameters(tmp_path: Path) -> None:
    async with open_bench(
        tmp_path, style="transcript", extra_parameters='{"seed": 7, "user": "team"}'
    ) as bench:
        await bench.ask()
        [body] = bench.bodies
        wanted = {
            "temperature": 0.9,
            "top_p": 1.0,
            "max_tokens": 2500,
            "presence_penalty": 0.6,
            "frequency_penalty": 0.0,
            "stop": [" Human:", " AI:", "\nHuman:", "\nAI:"],
            "seed": 7,
            "user": "team",
        }
        assert wanted.items() <= body.items()
        assert body["prompt"].endswith("Human: What is the capital of France?\nAI:")


async def test_chat_styles_leave_sampling_and_stops_to_the_server(tmp_path: Path, style: str) -> None:
    async with open_bench(tmp_path, style=style) as bench:
        await bench.ask()
        [body] = bench.bodies
    names = {"temperature", "top_p", "presence_penalty", "frequency_penalty", "stop"}
    assert names & body.keys() == (names if style == "transcript" else set())


async def test_what_is_set_is_sent_also_where_it_is_what_servers_do_anyway(tmp_path: Path) -> None:
    given = {"temperature": 1.0, "top_p": 0.5, "presence_penalty": 0.0, "frequency_penalty": 0.1}
    async with open_bench(tmp_path, stop='["END"]', **given) as bench:
        await bench.ask()
        [body] = bench.bodies
    assert given.items() <= body.items()
    assert body["stop"] == ["END"]


async def test_no_stop_at_all_can_be_set(tmp_path: Path) -> None:
    async with open_bench(tmp_path, stop="[]") as bench:
        bench.model.script("It is so.\nHuman: is it?\nAI: it is")
        assert (await bench.ask()).text == "It is so.\nHuman: is it?\nAI: it is"
        assert "stop" not in bench.bodies[0]


async def test_chat_says_system_summary_history_context_question_in_this_order(tmp_path: Path) -> None:
    history = (Message("human", "hi"), Message("assistant", "hel", whole=False), Message("human", "go on"))
    prompt = Prompt("SYSTEM", history, summary="SUMMARY", context="CONTEXT", cache_key="T1:C1:1")
    async with open_bench(tmp_path) as bench:
        await bench.provider.complete(prompt, SCOPE)
        [body] = bench.bodies
    assert [message["role"] for message in body["messages"]] == [
        "system",
        *["user"] * 2,
        "assistant",
        "user",
        "user",
    ]
    texts = [message["content"] for message in body["messages"]]
    assert texts[0] == "SYSTEM"
    assert "SUMMARY" in texts[1]
    assert texts[3] == "hel", "a model imitates what stands in its own answers"
    assert "CONTEXT" in texts[4]
    assert texts[5] == f"{AFTER_CUT}go on"
    assert body["store"] is False
    assert body["stream_options"] == {"include_usage": True, "include_obfuscation": False}
    assert "T1" not in body["prompt_cache_key"]


async def test_the_prefix_of_the_next_turn_is_the_prompt_of_this_one(tmp_path: Path, style: str) -> None:
    first = (Message("human", "one", speaker="U1"),)
    second = (*first, Message("assistant", "two"), Message("human", "three", speaker="U2"))
    async with open_bench(tmp_path, style=style) as bench:
        for messages in (first, second):
            await bench.provider.complete(Prompt("SYSTEM", messages), SCOPE)
        early, late = (request.prompt for request in bench.model.requests)
    assert late.startswith(early)


async def test_responses_store_nothing(tmp_path: Path) -> None:
    async with open_bench(tmp_path, style="responses") as bench:
        await bench.ask()
        [body] = bench.bodies
    assert body["store"] is False
    assert body["instructions"] == "You are helpful."
    assert "stop" not in body


# How answers end


@pytest.mark.parametrize("chunks", [(), ("Yes", ". H", "uman", ": and", " on"), tuple("Yes. Human: and on")])
async def test_an_answer_that_runs_past_a_stop_is_cut_and_its_request_closed(
    tmp_path: Path, style: str, chunks: tuple[str, ...]
) -> None:
    async with open_bench(tmp_path, style=style, stop='[" Human:"]') as bench:
        bench.model.faults.add("unsupported", value="stop")
        if style == "responses":
            bench.model.faults.clear()
        bench.model.script("Yes. Human: and on " * 200, chunks=chunks * 50, tokens_per_s=500)
        completion = await bench.ask()
        assert (completion.text, completion.finish) == ("Yes.", "stop" if style == "transcript" else "cut")
        assert completion.usage.estimated
        await until(lambda: bench.model.requests[-1].outcome == "disconnected")


@pytest.mark.parametrize(("fault", "finish"), [("length", "length"), ("content_filter", "filtered")])
async def test_a_cut_answer_says_why(tmp_path: Path, style: str, fault: str, finish: str) -> None:
    async with open_bench(tmp_path, style=style) as bench:
        bench.model.faults.add(fault)
        bench.model.script("one two three four five six seven eight nine ten eleven twelve thirteen fourteen")
        completion = await bench.ask()
        assert completion.finish == finish
        assert completion.text
        assert len(bench.bodies) == 1


@pytest.mark.parametrize("fault", ["reset", "eof", "stall", "error_event", "bad_json", "bad_utf8"])
async def test_a_stream_that_breaks_after_text_is_kept_as_broken_and_its_usage_estimated(
    tmp_path: Path, style: str, fault: str
) -> None:
    async with open_bench(tmp_path, style=style) as bench:
        bench.model.faults.add(fault)
        bench.model.script("one two three four five six seven", tokens_per_s=100)
        completion = await bench.ask()
        assert completion.finish == "broken"
        assert completion.text.startswith("one")
        assert completion.usage.estimated
        assert completion.usage.output_tokens > 0
        assert await bench.outcomes() == ["broken"]


@pytest.mark.parametrize("fault", ["reset", "eof", "error_event", "bad_json", "bad_utf8"])
async def test_a_stream_that_breaks_before_text_is_asked_for_again(
    tmp_path: Path, style: str, fault: str
) -> None:
    async with open_bench(tmp_path, style=style) as bench:
        bench.model.faults.add(fault, after_chunks=0)
        bench.model.script("whole", times=0)
        completion = await bench.ask()
        assert (completion.text, completion.finish) == ("whole", "stop")
        assert len(bench.bodies) == 2
        assert len(bench.slept) == 1


async def test_an_empty_answer_is_asked_for_once_more_and_warmer(tmp_path: Path, style: str) -> None:
    async with open_bench(tmp_path, style=style) as bench:
        bench.model.faults.add("empty", times=1)
        bench.model.script("now", times=0)
        completion = await bench.ask()
        assert completion.text == "now"
        cold, warm = bench.bodies
        assert warm["temperature"] > cold.get("temperature", 1)


async def test_a_second_empty_answer_is_the_answer(tmp_path: Path, style: str) -> None:
    async with open_bench(tmp_path, style=style) as bench:
        bench.model.faults.add("empty", times=0)
        completion = await bench.ask()
        assert (completion.text, completion.finish) == ("", "stop")
        assert await bench.outcomes() == ["ok", "ok"]


async def test_an_answer_without_choices_is_not_asked_for_again(tmp_path: Path, style: str) -> None:
    async with open_bench(tmp_path, style=style) as bench:
        bench.model.faults.add("empty_choices")
        completion = await bench.ask()
        assert (completion.text, completion.finish) == ("", "broken")


async def test_an_answer_cut_to_nothing_is_asked_for_once_more(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.script("Human: and you?")
        bench.model.script("Well.")
        assert (await bench.ask()).text == "Well."
        assert len(bench.bodies) == 2


async def test_reasoning_is_no_part_of_an_answer_in_any_style(tmp_path: Path, style: str) -> None:
    async with open_bench(tmp_path, style=style) as bench:
        bench.model.script("<think>Secret, and so on.</think>\n\nParis.", tokens_per_s=200)
        bench.model.faults.add("no_usage")
        completion = await bench.ask()
        assert (completion.text, completion.finish) == ("Paris.", "stop")
        assert completion.usage.output_tokens > 5, "what was thought is counted, it was paid for"


@pytest.mark.parametrize("style", STYLES)
async def test_what_was_all_thinking_gets_more_room_once(tmp_path: Path, style: str) -> None:
    async with open_bench(tmp_path, style=style, max_tokens=2000) as bench:
        bench.model.script("<think>" + "word " * 20, finish="length", times=0)
        completion = await bench.ask()
        assert (completion.text, completion.finish) == ("", "thinking")
        name = {"transcript": "max_tokens", "chat": "max_completion_tokens"}.get(style, "max_output_tokens")
        assert [body[name] for body in bench.bodies] == [2000, 8000]
        assert await bench.outcomes() == ["ok", "ok"]


async def test_a_small_limit_becomes_one_that_thoughts_fit_in(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.script("<think>" + "word " * 20, finish="length")
        bench.model.script("Paris.")
        assert (await bench.ask(max_output_tokens=100)).text == "Paris."
        assert [body["max_completion_tokens"] for body in bench.bodies] == [100, 4000]


@pytest.mark.parametrize("fault", ["context_length", "content_policy", "quota", "server_error"])
async def test_more_room_that_the_server_does_not_give_changes_nothing(tmp_path: Path, fault: str) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.script("<think>" + "word " * 20, finish="length", times=0)
        bench.model.faults.add(fault, after=1, times=0)
        completion = await bench.ask()
        assert (completion.text, completion.finish) == ("", "thinking")
        assert completion.usage.output_tokens


async def test_an_answer_waits_for_the_end_of_reasoning_where_that_is_known_to_come(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        for taken_back in (True, False):
            bench.model.script(
                "Secret.\n</think>\n\nParis it is.",
                chunks=("Secret", ".\n</think>", "\n\nParis it is."),
                tokens_per_s=20,
            )
            answer = bench.stream()
            parts = [part async for part in answer]
            assert answer.taken_back is taken_back
            assert parts == (["Secret", ".", "Paris it is."] if taken_back else ["Paris it is."])
            assert answer.completion.text == "Paris it is."
        bench.model.script("Secret.</think>Rome.")
        answer = bench.stream(model="gpt-4.1")
        assert [part async for part in answer] == ["Rome."], "in one piece, nothing was shown before"


async def test_where_reasoning_comes_apart_nothing_waits(tmp_path: Path) -> None:
    apart = b'data: {"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]}\n\n'
    text = b'data: {"choices": [{"index": 0, "delta": {"content": "Paris "}}]}\n\n'
    async with open_bench(tmp_path) as bench:
        bench.model.script("Secret.</think>Rome.")
        await bench.ask()
        bench.model.script("", body=(apart, text, text, b"data: [DONE]\n\n"), tokens_per_s=50)
        assert [part async for part in bench.stream()] == ["Paris ", "Paris "]


@pytest.mark.parametrize("style", STYLES)
async def test_a_server_that_does_not_stream_is_read_the_same(tmp_path: Path, style: str) -> None:
    async with open_bench(tmp_path, style=style) as bench:
        bench.model.script("<think>Secret.</think>Paris.", times=0)
        bench.model.faults.add("unsupported", value="stream_options")
        bench.model.faults.add("unsupported", value="stream")
        completion = await bench.ask()
        assert (completion.text, completion.finish) == ("Paris.", "stop")
        assert "stream" not in bench.bodies[-1]


async def test_an_answer_that_ends_in_an_error_before_a_word_is_asked_for_again(tmp_path: Path) -> None:
    error = b'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "error"}]}\n\ndata: [DONE]\n\n'
    async with open_bench(tmp_path) as bench:
        bench.model.script("", body=(error,))
        bench.model.script("Paris.")
        assert (await bench.ask()).text == "Paris."
        assert await bench.outcomes() == ["failed", "ok"]


async def test_usage_that_comes_after_the_end_is_read(tmp_path: Path) -> None:
    text = b'data: {"choices": [{"index": 0, "delta": {"content": "Paris."}}]}\n\ndata: [DONE]\n\n'
    usage = b'data: {"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 3}}\n\n'
    async with open_bench(tmp_path) as bench:
        for body in ((text, usage), (text + usage,)):
            bench.model.script("", body=body)
            completion = await bench.ask()
            assert (completion.text, completion.finish) == ("Paris.", "stop")
            assert (completion.usage.input_tokens, completion.usage.estimated) == (11, False)


async def test_a_token_that_leaks_at_the_end_costs_no_report_of_usage(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.script("Paris.</s>", chunks=("Paris.", "</s>"))
        completion = await bench.ask()
        assert (completion.text, completion.finish, completion.usage.estimated) == ("Paris.", "stop", False)


async def test_a_web_page_is_refused_without_a_second_request(tmp_path: Path, style: str) -> None:
    async with open_bench(tmp_path, style=style) as bench:
        bench.model.faults.add("html")
        with pytest.raises(Refused):
            await bench.ask()
        assert await bench.outcomes() == ["failed"]


@pytest.mark.parametrize("fault", ["no_usage", "usage"])
@pytest.mark.parametrize(
    "value",
    [{"prompt_tokens": -5, "input_tokens": -5}, {"completion_tokens": 10**12, "output_tokens": 10**12}],
)
async def test_usage_that_is_missing_or_cannot_be_true_is_counted_by_us(
    tmp_path: Path, style: str, fault: str, value: dict[str, int]
) -> None:
    async with open_bench(tmp_path, style=style) as bench:
        bench.model.faults.add(fault, value=value)
        bench.model.script("Paris.")
        completion = await bench.ask()
        assert completion.finish == "stop"
        assert completion.usage.estimated
        assert 0 < completion.usage.input_tokens < 100
        [row] = await bench.rows()
        assert row["estimated"] == 1


async def test_another_model_name_in_the_answer_changes_no_row(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.faults.add("other_model", value="gpt-imposter")
        completion = await bench.ask()
        assert completion.model == "rehearsal"
        [row] = await bench.rows()
        assert row["model"] == "rehearsal"


# Stopping


async def test_closing_an_answer_from_another_task_ends_the_request_at_once(
    tmp_path: Path, style: str
) -> None:
    async with open_bench(tmp_path, style=style) as bench:
        bench.model.script("word " * 500, tokens_per_s=50)
        answer = bench.stream()
        parts: list[str] = []

        async def read() -> None:
            async for part in answer:
                parts.append(part)

        reading = asyncio.create_task(read())
        await until(lambda: len(parts) > 3)
        await answer.aclose()
        await asyncio.wait_for(reading, 1)
        assert answer.completion.finish == "stopped"
        assert answer.completion.text == "".join(parts)
        await until(lambda: bench.model.requests[-1].outcome == "disconnected")
        assert bench.model.requests[-1].chunks_sent < 100
        [row] = await bench.rows()
        assert (row["outcome"], row["estimated"]) == ("stopped", 1)
        assert row["output_tokens"] > 0


async def test_closing_before_the_first_text_ends_the_request(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.faults.add("timeout")
        answer = bench.stream()
        reading = asyncio.create_task(anext(answer, "nothing"))
        await until(lambda: bool(bench.model.requests))
        await answer.aclose()
        assert await asyncio.wait_for(reading, 1) == "nothing"
        assert (answer.completion.text, answer.completion.finish) == ("", "stopped")


async def test_cancelling_the_reader_settles_the_row_and_passes_through(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.script("word " * 500, tokens_per_s=50, times=0)
        answer = bench.stream()
        assert await anext(answer)
        reading = asyncio.create_task(bench.ask())
        await until(lambda: len(bench.model.requests) == 2)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await answer.aclose()
        assert await bench.outcomes() == ["stopped", "stopped"]


# Errors and retries


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("quota", QuotaSpent),
        ("credentials", Credentials),
        ("context_length", ContextTooLong),
        ("content_policy", ContentFiltered),
    ],
)
async def test_what_cannot_get_better_costs_one_request(
    tmp_path: Path, style: str, fault: str, error: type[Exception]
) -> None:
    async with open_bench(tmp_path, style=style) as bench:
        bench.model.faults.add(fault, times=0)
        with pytest.raises(error) as raised:
            await bench.ask()
        assert len(bench.bodies) == 1
        assert "sk-" not in str(raised.value)
        [row] = await bench.rows()
        assert (row["outcome"], row["cost"]) == ("failed", 0) or row["cost"] is None


async def test_a_model_that_is_gone_is_refused_once(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        with pytest.raises(Refused):
            await bench.ask(model="gone-model")
        assert len(bench.bodies) == 1


@pytest.mark.parametrize(
    ("fault", "error"), [("server_error", Overloaded), ("overloaded", Overloaded), ("drop", Unavailable)]
)
async def test_what_may_pass_is_asked_three_times_and_then_fails(
    tmp_path: Path, style: str, fault: str, error: type[Exception]
) -> None:
    async with open_bench(tmp_path, style=style) as bench:
        bench.model.faults.add(fault, times=0)
        with pytest.raises(error):
            await bench.ask()
        assert len(bench.bodies) == 3
        assert len(bench.slept) == 2
        assert set(await bench.outcomes()) == ({"unknown"} if fault == "drop" else {"failed"})


async def test_what_passes_is_answered(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.faults.add("overloaded", times=2)
        bench.model.script("back again")
        assert (await bench.ask()).text == "back again"
        assert await bench.outcomes() == ["failed", "failed", "ok"]


async def test_silence_is_not_waited_for_longer_than_the_first_text_may_take(tmp_path: Path) -> None:
    async with open_bench(tmp_path, first_text_s=0.2) as bench:
        bench.model.faults.add("timeout", times=0)
        with pytest.raises(Timeout):
            await bench.ask()
        assert await bench.outcomes() == ["unknown"] * 3


async def test_a_stream_that_drips_for_ever_ends_at_the_deadline(tmp_path: Path) -> None:
    async with open_bench(tmp_path, request_deadline_s=0.5) as bench:
        bench.model.script("drip " * 1000, tokens_per_s=20)
        completion = await bench.ask()
        assert completion.finish == "late"
        assert completion.text.startswith("drip")
        assert bench.model.requests[-1].chunks_sent < 1000


async def test_a_rate_limit_makes_everybody_wait_as_told_and_then_passes(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.faults.add("rate_limit", retry_after_s=0.4)
        loop = asyncio.get_running_loop()
        began = loop.time()
        first = asyncio.create_task(bench.ask())
        await until(lambda: bench.model.requests and bench.model.requests[0].outcome)
        await asyncio.sleep(0.05)
        await bench.ask("another")
        await first
        assert loop.time() - began >= 0.4
        assert sorted(await bench.outcomes()) == ["failed", "ok", "ok"]
        assert bench.slept == []


async def test_a_long_rate_limit_is_left_to_the_inbox(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.faults.add("rate_limit", retry_after_s=90)
        with pytest.raises(RateLimited) as raised:
            await bench.ask()
        assert raised.value.retry_after_s == 90
        assert len(bench.bodies) == 1


async def test_after_failures_in_a_row_the_api_is_left_alone(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.faults.add("server_error", times=0)
        for _ in range(3):
            with pytest.raises(Overloaded):
                await bench.ask()
        assert len(bench.bodies) == 5
        assert bench.provider.unavailable
        with pytest.raises(Overloaded) as raised:
            await bench.ask()
        assert raised.value.retry_after_s
        assert len(bench.bodies) == 5


async def test_after_a_wrong_key_nobody_asks_again_and_the_log_has_no_key(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.faults.add("credentials", times=0)
        for _ in range(3):
            with pytest.raises(Credentials):
                await bench.ask()
        assert len(bench.bodies) == 1
    alerts = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(alerts) == 1
    assert "sk-" not in alerts[0].getMessage()


async def test_a_server_that_is_not_there_costs_nothing(tmp_path: Path) -> None:
    async with open_bench(tmp_path, openai_base_url="http://127.0.0.1:9/v1", unseen=3) as bench:
        with pytest.raises(Unavailable):
            await bench.ask()
        assert await bench.outcomes() == ["failed"] * 3


# What a model does not take


async def test_refused_parameters_are_dropped_one_by_one_and_remembered_over_a_restart(
    tmp_path: Path,
) -> None:
    async with FakeModel() as model:
        set_by_hand = {"temperature": 0.7, "presence_penalty": 0.6, "stop": '[" Human:"]'}
        async with open_bench(tmp_path, model=model, **set_by_hand) as bench:
            completion = await bench.ask(model="gpt-6-luna")
            assert completion.finish == "stop"
            first = len(bench.bodies)
            assert first == 4
            assert not {"stop", "temperature", "presence_penalty"} & bench.bodies[-1].keys()
        async with open_bench(tmp_path, model=model, **set_by_hand) as bench:
            await bench.ask(model="gpt-6-luna")
            assert len(bench.bodies) == first + 1
            await bench.ask(model="gpt-4.1")
            assert bench.bodies[-1]["stop"]


async def test_the_old_name_of_the_output_limit_is_tried_when_the_new_one_is_unknown(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.faults.add("unsupported", value="max_completion_tokens")
        await bench.ask()
        assert bench.bodies[0]["max_completion_tokens"] == 2500
        assert bench.bodies[1]["max_tokens"] == 2500
        assert "max_completion_tokens" not in bench.bodies[1]


async def test_a_wrong_value_is_an_error_and_nothing_is_learned(tmp_path: Path) -> None:
    async with open_bench(tmp_path, temperature=5.0) as bench:
        with pytest.raises(Refused):
            await bench.ask()
        assert len(bench.bodies) == 1


@pytest.mark.parametrize(
    "given", ["{", "[1]", '{"model": "x"}', '{"n": 2}', '{"best_of": 0}', '{"suffix": "x"}']
)
async def test_model_parameters_are_checked_at_start(tmp_path: Path, given: str) -> None:
    with pytest.raises(SetupError, match="PARLEY_MODEL_PARAMETERS"):
        async with open_bench(tmp_path, extra_parameters=given):
            pass


async def test_the_best_of_several_comes_in_one_piece(tmp_path: Path) -> None:
    async with open_bench(tmp_path, style="transcript", extra_parameters='{"best_of": 3}') as bench:
        bench.model.script("the best", times=0)
        completion = await bench.ask()
        assert (completion.text, completion.finish) == ("the best", "stop")
        assert not completion.usage.estimated


async def test_an_echoed_prompt_is_no_part_of_the_answer(tmp_path: Path) -> None:
    async with open_bench(tmp_path, style="transcript", extra_parameters='{"echo": true}') as bench:
        bench.model.script(" Paris.")
        assert (await bench.ask()).text == "Paris."


# In one piece


async def test_texts_become_vectors_in_order(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        one, two = await bench.provider.embed(["cat", "dog"], SCOPE, model="text-embedding-3-small")
        again = await bench.provider.embed(
            ["dog"], SCOPE, model="text-embedding-3-small", encoding_format="float"
        )
        assert len(one) == len(two) == 1536
        assert two == pytest.approx(again[0], abs=1e-6)
        assert one != two
        assert all(row["input_tokens"] > 0 and row["cost"] > 0 for row in await bench.rows())


async def test_a_decision_is_answered_and_priced(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        question = {"type": "predicate", "name": "a", "instructions": "It is about cats."}
        [decision], cost_usd = await bench.provider.decide("cats purr", [question], SCOPE, model="gpt-6-luna")
        assert 0 <= decision["probability"] <= 1
        assert cost_usd
        assert await bench.outcomes() == ["ok"]


async def test_one_piece_requests_follow_the_same_policy(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.faults.add("overloaded")
        await bench.provider.embed(["cat"], SCOPE, model="text-embedding-3-small")
        bench.model.faults.add("html")
        with pytest.raises(Refused):
            await bench.provider.embed(["cat"], SCOPE, model="text-embedding-3-small")
        assert await bench.outcomes() == ["failed", "ok", "failed"]


async def embedded(bench: Bench) -> object:
    return await bench.provider.embed(["cat"], SCOPE, model="text-embedding-3-small")


async def decided(bench: Bench) -> object:
    question = {"type": "predicate", "name": "a", "instructions": "It is about cats."}
    return await bench.provider.decide("cats", [question], SCOPE, model="gpt-6-luna")


async def transcribed(bench: Bench) -> object:
    clip = Path(__file__).parents[2] / "bot/sandbox/clips/release_note.m4a"
    return await bench.provider.transcribe(
        clip.name, clip.read_bytes(), SCOPE, model="gpt-transcribe", seconds=3.0
    )


@pytest.mark.parametrize("work", [embedded, transcribed])
async def test_json_without_what_was_asked_for_is_an_overloaded_service(
    tmp_path: Path, work: Callable[[Bench], Awaitable[object]]
) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.faults.add("empty_choices")
        await work(bench)
        assert await bench.outcomes() == ["unknown", "ok"]
        bench.model.faults.add("empty_choices", times=3)
        with pytest.raises(Overloaded):
            await work(bench)
        assert bench.provider.unavailable is False


async def test_a_decision_that_cannot_be_read_is_not_asked_for_again_at_once(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.faults.add("empty_choices")
        with pytest.raises(Overloaded):
            await decided(bench)
        assert await bench.outcomes() == ["unknown"]
        assert await decided(bench)


async def test_a_recording_is_transcribed_and_paid_by_its_length(tmp_path: Path) -> None:
    sound = (Path(__file__).parents[2] / "bot/sandbox/clips").iterdir()
    clip = sorted(path for path in sound if path.suffix in (".wav", ".m4a", ".mp3", ".ogg"))[0]
    async with open_bench(tmp_path) as bench:
        transcription = await bench.provider.transcribe(
            clip.name,
            clip.read_bytes(),
            SCOPE,
            model="gpt-transcribe",
            seconds=3.0,
            keywords=["Parley", "Slack"],
        )
        assert isinstance(transcription["text"], str)
        text = await bench.provider.transcribe(
            clip.name, clip.read_bytes(), SCOPE, model="whisper-1", seconds=3.0, response_format="srt"
        )
        assert isinstance(text["text"], str)
        english = await bench.provider.translate(
            clip.name, clip.read_bytes(), SCOPE, model="whisper-1", seconds=3.0
        )
        assert isinstance(english["text"], str)
        assert all(row["audio_seconds"] > 0 and row["cost"] > 0 for row in await bench.rows())


async def test_models_are_listed_with_their_end() -> None:
    async with FakeModel(dated=True) as model:
        models = await list_models(replace_url(model.base_url))
        assert any(listed["shutdown_date"] for listed in models)
    with pytest.raises(Unavailable):
        await list_models(replace_url(model.base_url))


# The table of errors


def tree(kind: type[Exception]) -> list[type[Exception]]:
    return [kind, *(found for child in kind.__subclasses__() for found in tree(child))]


def test_every_error_of_the_sdk_has_a_row_of_its_own_or_of_its_parent() -> None:
    rows = {kind for kind, _, _ in table()} - {openai.OpenAIError}
    misuse = {  # of the client, or of parts of it that we do not use
        "OpenAIError",
        "MissingDependencyError",
        "SubjectTokenProviderError",
        "WebSocketConnectionClosedError",
        "WebSocketQueueFullError",
        "StreamAlreadyConsumed",
        "MutuallyExclusiveAuthError",
        "APIRemovedInV1",
        "_AmbiguousModuleClientUsageError",
    }
    unmapped = [
        kind.__name__
        for kind in tree(openai.OpenAIError)
        if not rows & set(kind.__mro__) and kind.__name__ not in misuse
    ]
    assert unmapped == []


@pytest.mark.parametrize(
    "raised",
    [
        TimeoutError(),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
        ConnectionResetError(),
        KeyError("data"),
    ],
)
def test_what_leaks_past_the_sdk_is_mapped_too(raised: Exception) -> None:
    assert isinstance(to_provider_error(raised), ProviderError)


async def until(true: Any, timeout_s: float = 3.0) -> None:
    async with asyncio.timeout(timeout_s):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def replace_url(url: str) -> Any:
    return SETTINGS.changed(openai_base_url=url)
