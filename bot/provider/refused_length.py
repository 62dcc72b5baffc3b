"""Reads how much a model reads out of a server's refusal of what was too long for it.

Servers that others wrote say it in fields of their own or in a sentence only. Sources: llama.cpp, vLLM,
SGLang, TGI, LM Studio, Ollama, TabbyAPI, llama-cpp-python; the APIs of OpenAI, Azure, Anthropic, Google,
Mistral, Cohere, xAI, Cerebras, Groq, Fireworks, Moonshot, Z.ai, Qwen, MiniMax, OpenRouter, GitHub.
"""

from __future__ import annotations

import re
from typing import Any

# Where one of these stands in code, type or message, the prompt was too long.
TOO_LONG = (
    r"context.{0,2}(?:length|window|size|limit)|maximum context|n_ctx|max_model_len|max_seq_len"
    r"|too many tokens|longer than the model|reduce the length of|max_new_tokens.{0,3} must be"
    r"|(?:prompt|input) (?:is )?too (?:long|large)|(?:prompt|input) exceeds max|(?:prompt|input) token count"
    r"|(?:maximum|range of) (?:input|prompt) length|model token limit"
)
_LEAST_TOKENS, _MOST_TOKENS = 64, 100_000_000  # whatever is beyond is no length of a context

_LIMIT_FIELDS = ("n_ctx", "max_model_len", "max_context_length", "context_length")
_PROMPT_FIELDS = ("n_prompt_tokens", "prompt_tokens", "input_tokens")
_NUMBER = r"(\d[\d,]*)"
_LIMITS = (
    rf"(?:n_ctx|max_model_len|max_seq_len|maximum input length)\D{{0,12}}{_NUMBER}",
    rf"maximum (?:context|prompt) length (?:is|of|:)\D{{0,12}}{_NUMBER}",
    rf"{_NUMBER} maximum context length",
    rf" > {_NUMBER}",
    # Not by how much it is exceeded, nor a code in brackets.
    rf"context (?:size|length|window|limit)\b(?! by)[^\d.:]{{0,30}}{_NUMBER}\b(?!\))",
    rf"context (?:size|length|window|limit): {_NUMBER}",
    rf"maximum number of tokens allowed\D{{0,3}}{_NUMBER}",
    rf"must be <= {_NUMBER}",
    rf"\blimit:? (?:is |of )?{_NUMBER}",
    rf"cannot exceed {_NUMBER}",
    rf"length should be \[\d+, {_NUMBER}\]",
    rf"max size: {_NUMBER} tokens",
)
_PROMPTS = (
    rf"{_NUMBER} (?:tokens )?(?:in|from|of) (?:the|your|text) (?:input|messages|prompt)",
    rf"{_NUMBER} (?:input tokens|`?inputs`? tokens)",
    rf"(?:prompt is too long: |(?:prompt|request) contains |token count (?:of |\()){_NUMBER}",
    rf"(?:input|request|requested tokens) \({_NUMBER}",
    rf"(?:resulted in|keep the first|requested|current length is|received|n_keep:)\s*{_NUMBER}",
    rf"length {_NUMBER} is greater",
)


def read_lengths(body: Any, message: str) -> tuple[int, int]:
    """What the model reads in all, and what it was given, in tokens; 0 for what is not said."""
    fields = body if isinstance(body, dict) else {}
    limit = _read_field(fields, _LIMIT_FIELDS) or _find_number(_LIMITS, message)
    prompt = _read_field(fields, _PROMPT_FIELDS) or _find_number(_PROMPTS, message)
    return limit, prompt


def _read_field(fields: dict[str, Any], names: tuple[str, ...]) -> int:
    values = (fields.get(name) for name in names)
    return next((value for value in values if isinstance(value, int) and _is_length(value)), 0)


def _find_number(patterns: tuple[str, ...], message: str) -> int:
    for pattern in patterns:
        found = re.search(pattern, message, re.IGNORECASE)
        if found and _is_length(number := int(found[1].replace(",", "")[:12])):
            return number
    return 0


def _is_length(number: int) -> bool:
    return not isinstance(number, bool) and _LEAST_TOKENS <= number <= _MOST_TOKENS
