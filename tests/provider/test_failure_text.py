"""What the log says of a request that failed: enough for the operator, no key and no word of the request."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from bot.core.errors import (
    ContentFiltered,
    ContextTooLong,
    ModelMissing,
    NotOffered,
    Overloaded,
    ProviderError,
    QuotaSpent,
    Refused,
    Timeout,
    Unreachable,
)
from bot.provider.error_table import refused_parameter, to_provider_error
from bot.provider.failure_text import describe_failure
from bot.sandbox.model.server import FakeModel
from tests.support.model_api import open_bench

SAID = "Our secret plan: move the launch to Thursday 14 May, tell alice@example.com and account 4929123456789"
LEAKS = ("secret plan", "launch to", "alice@", "4929123456789", "secret'", "key1", "sk-proj", "abcdef")
BODY: dict[str, Any] = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": SAID}]}


def refusal(status: int, body: Any) -> openai.APIStatusError:
    """The error that the SDK makes of such a response."""
    answer = httpx2.MockTransport(lambda request: httpx2.Response(status, json=body))
    with (
        openai.DefaultHttpx2Client(transport=answer) as http,
        openai.OpenAI(api_key="sk-x", base_url="http://127.0.0.1/v1", max_retries=0, http_client=http) as sdk,
        pytest.raises(openai.APIStatusError) as raised,
    ):
        sdk.post("/chat/completions", cast_to=object, body=BODY)
    return raised.value


@pytest.mark.parametrize(
    ("body", "logged"),
    [
        ({"error": {"message": "Cannot determine type of 'item'"}}, "Cannot determine type of 'item'"),
        ({"object": "error", "message": "bad seed", "code": 400}, "bad seed"),
        ({"detail": [{"loc": ["body"], "msg": "Field required", "input": SAID}]}, "Field required"),
        ({"detail": "no such route"}, "no such route"),
        ({"error": "model is loading"}, "model is loading"),
        ({"error": {"message": "x" * 5_000}}, "x" * 300 + "…"),
        ({}, ""),
        ([], ""),
        ({"error": {"message": "<html><body>nginx</body></html>"}}, "a web page"),
        ({"error": {"message": "<400> InvalidParameter: bad seed"}}, "<400> InvalidParameter: bad seed"),
        ([{"error": {"code": 400, "message": "bad seed"}}], "bad seed"),
        ({"errors": [{"message": "AiError: bad seed", "code": 5021}], "success": False}, "AiError: bad seed"),
        (
            {"message": {"detail": [{"loc": ["body", "seed"], "msg": "not permitted"}]}},
            "'seed': not permitted",
        ),
        ({"detail": {"error": {"message": "bad seed", "trace": SAID}}}, "bad seed"),
    ],
)
def test_the_servers_own_message_is_named_with_status_and_path(body: Any, logged: str) -> None:
    line = describe_failure(refusal(400, body), "/chat/completions", BODY)
    assert line == "400 at /chat/completions" + (f": {logged}" if logged else "")


@pytest.mark.parametrize(
    "message",
    [
        f"1 validation error for Request\nmessages.0: Input should be a list [input_value='{SAID}']",
        f"I will not discuss '{SAID}'",
        "The text “Our secret plan: move the launch” is not allowed",
        f"bad content: {SAID[:60]} and more",
        "cannot mail alice@example.com",
        "the account 4929123456789 is blocked",
        f"parse error near '{SAID[11:17]}'",
        "Incorrect API key provided: sk-proj-********************key1.",
        "token: abcdef0123456789 is not valid",
        "Authorization failed for bearer: abcdef0123456789",
    ],
)
def test_no_word_of_the_request_and_no_key_is_repeated(message: str) -> None:
    line = describe_failure(refusal(400, {"error": {"message": message}}), "/chat", BODY)
    for leaked in LEAKS:
        assert leaked not in line


def test_names_of_parameters_and_small_numbers_stay_readable() -> None:
    message = "'max_tokens' is too large: 2500. This model's maximum context length is 2048 tokens"
    body = BODY | {"messages": [{"role": "user", "content": "what does 'max_tokens' mean? 2500"}]}
    line = describe_failure(refusal(400, {"error": {"message": message}}), "/completions", body)
    assert line.endswith(message)


@pytest.mark.parametrize(
    ("status", "message", "error", "restarting"),
    [
        (502, "Bad Gateway", Overloaded, True),
        (503, "Loading model", Overloaded, True),
        (503, "The engine is currently overloaded, please try again later.", Overloaded, False),
        (500, "The server had an error", Overloaded, False),
        (501, "This server does not support embeddings", NotOffered, False),
    ],
)
def test_who_answers_for_a_server_that_restarts_is_told_from_one_that_has_too_much_to_do(
    status: int, message: str, error: type[ProviderError], restarting: bool
) -> None:
    ours = to_provider_error(refusal(status, {"error": {"message": message}}))
    assert type(ours) is error
    assert getattr(ours, "restarting", False) is restarting


def shaped(message: str) -> list[Any]:
    """The bodies in which servers that others wrote say the same."""
    return [
        {"error": {"message": message}},
        {"error": message},
        {"detail": message},
        {"detail": {"error": {"message": message}}},
        {"object": "error", "message": message, "type": "BadRequestError", "code": 400},
        [{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}],
        {"success": False, "errors": [{"code": 5021, "message": message}]},
    ]


@pytest.mark.parametrize(
    ("status", "message", "error"),
    [
        (400, "the input length exceeds the context length", ContextTooLong),
        (500, "the request exceeds the available context size", ContextTooLong),
        (404, 'model "llama9" not found, try pulling it first', ModelMissing),
        (404, "No endpoints found for foo/bar:free.", ModelMissing),
        (400, "Budget has been exceeded! Current cost: 1.2, Max budget: 1.0", QuotaSpent),
        (400, "Your credit balance is too low to access the API.", QuotaSpent),
        (429, "You exceeded your current quota", QuotaSpent),
        (400, "blocked by the content_policy", ContentFiltered),
    ],
)
def test_what_a_server_says_is_understood_in_whatever_shape_it_says_it(
    status: int, message: str, error: type[ProviderError]
) -> None:
    for body in shaped(message):
        assert type(to_provider_error(refusal(status, body))) is error, body


@pytest.mark.parametrize(
    "message",
    [
        'Unknown name "store": Cannot find field.',
        "does not support parameters: ['store']",
        "unsupported: 'store'",
    ],
)
def test_a_parameter_that_is_not_taken_is_found_in_whatever_shape_it_is_named(message: str) -> None:
    for body in shaped(message):
        assert refused_parameter(refusal(400, body), {"store", "seed"}) == "store", body
    validated = {
        "detail": [{"loc": ["body", "store"], "msg": "Extra inputs are not permitted", "input": False}]
    }
    for body in (validated, {"object": "error", "message": validated}):
        assert refused_parameter(refusal(422, body), {"store", "seed"}) == "store"


async def test_a_refused_connection_is_no_timeout_and_is_named_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with FakeModel() as gone:
        pass
    async with open_bench(tmp_path, model=gone, unseen=3) as bench:
        with pytest.raises(Unreachable) as raised:
            await bench.ask()
    assert raised.value.restarting
    assert "ConnectionRefusedError at /chat/completions" in caplog.text
    assert not [one for one in caplog.records if one.levelname != "DEBUG" and "Timeout" in one.getMessage()]


async def test_the_end_of_all_time_is_told_from_silence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_bench(tmp_path, request_deadline_s=0.3, stall_s=5) as bench:
        bench.model.faults.add("timeout", times=0)
        with pytest.raises(Timeout):
            await bench.ask()
        assert "took longer than it may in all" in caplog.text
    caplog.clear()
    async with open_bench(tmp_path, first_text_s=0.3) as bench:
        bench.model.faults.add("timeout", times=0)
        with pytest.raises(Timeout):
            await bench.ask()
        assert "nothing came for 0.3 s" in caplog.text
        assert "in all" not in caplog.text


async def test_what_is_never_taken_is_an_error_in_the_log_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_bench(tmp_path) as bench:
        for _ in range(2):
            with pytest.raises(Refused):
                await bench.ask(model="no-such-model")
    (error,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "404 at /chat/completions: The model `no-such-model` does not exist" in error.getMessage()
