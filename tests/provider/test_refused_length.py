"""How much a model reads, in the words in which servers refuse what is too long for it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bot.provider.refused_length import TOO_LONG, read_lengths

REFUSALS = [
    (
        {"n_prompt_tokens": 3001, "n_ctx": 2048},
        "request (3001 tokens) exceeds the available context size (2048 tokens), try increasing it",
        (2048, 3001),
    ),
    (None, "request (3001 tokens) exceeds the available context size (2048 tokens)", (2048, 3001)),
    (None, "the request exceeds the available context size. try increasing the context size", (0, 0)),
    (
        None,
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        (8192, 9000),
    ),
    (
        None,
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4000 in the "
        "messages, 1000 in the completion). Please reduce the length of the messages or completion.",
        (4096, 4000),
    ),
    (
        None,
        "'max_tokens' or 'max_completion_tokens' is too large: 2500. This model's maximum context length is "
        "2048 tokens and your request has 600 input tokens (2500 > 2048 - 600).",
        (2048, 600),
    ),
    (None, "The input (5000 tokens) is longer than the model's context length (4096 tokens).", (4096, 5000)),
    (
        None,
        "Requested token count exceeds the model's maximum context length of 4096 tokens. You requested a "
        "total of 5000 tokens: 4000 tokens from the input messages and 1000 tokens for the completion.",
        (4096, 4000),
    ),
    (
        None,
        "`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1500 `inputs` tokens and 1000 "
        "`max_new_tokens`",
        (2048, 1500),
    ),
    (
        None,
        "Trying to keep the first 4567 tokens when context the overflows. However, the model is loaded with "
        "context length of only 4096 tokens, which is not enough.",
        (4096, 4567),
    ),
    (None, "Requested tokens (3000) exceed context window of 2048", (2048, 3000)),
    (None, "prompt is too long: 210,000 tokens > 200,000 maximum", (200_000, 210_000)),
    (
        None,
        "The input token count (1500000) exceeds the maximum number of tokens allowed (1048576).",
        (1_048_576, 1_500_000),
    ),
    (
        None,
        "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context "
        "length",
        (32_768, 40_000),
    ),
    (
        None,
        "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length",
        (200_000, 0),
    ),
    (
        None,
        "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
        (131_072, 537_812),
    ),
    (None, "The prompt is too long: 140000, model maximum context length: 131071", (131_071, 140_000)),
    (
        None,
        "Please reduce the length of the messages. Current length is 8500 while limit is 8192",
        (8192, 8500),
    ),
    (None, "Context length 5000 is greater than max_seq_len 4096", (4096, 5000)),
    (None, "prompt too long; exceeded max context length by 1234 tokens", (0, 0)),
    (None, "invalid params, context window exceeds limit (2013)", (0, 0)),
    (None, "Your request exceeded model token limit: 131072", (131_072, 0)),
    (None, "Range of input length should be [1, 30720]", (30_720, 0)),
    (None, "prompt token count of 150000 exceeds the limit of 128000", (128_000, 150_000)),
    (None, "Prompt exceeds max length", (0, 0)),
    (None, "too many tokens: the prompt cannot exceed 4081 tokens - received 8000.", (4081, 8000)),
    (None, "greater than the context length (n_keep: 5300>= n_ctx: 4096). Try to load", (4096, 5300)),
    (
        None,
        "This endpoint's maximum context length is 32768 tokens. However, you requested about 40000 tokens "
        "(38000 of text input, 2000 in the output).",
        (32_768, 38_000),
    ),
    ({"n_ctx": True, "n_prompt_tokens": "many"}, "context_length_exceeded", (0, 0)),
    ({"n_ctx": -5}, "context size of 0 tokens", (0, 0)),
    ("not a dict", "Please reduce the length of the messages or completion.", (0, 0)),
]


@pytest.mark.parametrize(("body", "message", "found"), REFUSALS)
def test_the_limit_and_what_was_sent_are_read_from_fields_or_words(
    body: Any, message: str, found: tuple[int, int]
) -> None:
    assert read_lengths(body, message) == found


@pytest.mark.parametrize("message", [message for _, message, _ in REFUSALS[:-2]])
def test_each_of_these_refusals_is_known_for_what_it_is(message: str) -> None:
    assert re.search(TOO_LONG, message.lower())
