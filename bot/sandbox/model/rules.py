"""Checks requests as the real API does: what each endpoint takes and what each model refuses.

Names of parameters are those of openai 3.54 (a test compares them with the SDK's own types). Everything else
here is a constant with its source; nothing is answered in this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

COMMON = "model stream"
PARAMETERS: dict[str, frozenset[str]] = {
    "completions": frozenset(
        f"{COMMON} prompt best_of echo frequency_penalty logit_bias logprobs max_tokens n presence_penalty "
        "seed stop stream_options suffix temperature top_p user".split()
    ),
    "chat/completions": frozenset(
        f"{COMMON} messages audio frequency_penalty function_call functions logit_bias logprobs "
        "max_completion_tokens max_tokens metadata modalities moderation n parallel_tool_calls prediction "
        "presence_penalty prompt_cache_key prompt_cache_options prompt_cache_retention reasoning_effort "
        "response_format safety_identifier seed service_tier stop store stream_options temperature "
        "tool_choice tools top_logprobs top_p user verbosity web_search_options".split()
    ),
    "responses": frozenset(
        f"{COMMON} access_programs background background_options context_management conversation image "
        "include input instructions max_output_tokens max_tool_calls metadata moderation "
        "parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options "
        "prompt_cache_retention reasoning safety_identifier service_tier store stream_options temperature "
        "text tool_choice tools top_logprobs top_p truncation user".split()
    ),
    "embeddings": frozenset(["model", "input", "dimensions", "encoding_format", "user"]),
    "audio/transcriptions": frozenset(
        f"{COMMON} file chunking_strategy include keywords known_speaker_names known_speaker_references "
        "language languages prompt response_format temperature timestamp_granularities".split()
    ),
    "audio/translations": frozenset(["file", "model", "prompt", "response_format", "temperature"]),
    "images/generations": frozenset(
        f"{COMMON} prompt background complexity frame_count frame_duration_ms moderation n "
        "output_compression output_format partial_images quality response_format safety_identifier size "
        "style svg user".split()
    ),
    "decisions": frozenset(
        ["model", "input", "questions", "prompt_cache_key", "prompt_cache_options", "safety_identifier"]
    ),
    "moderations": frozenset(["model", "input"]),
}

REQUIRED: dict[str, tuple[str, ...]] = {
    "completions": ("model", "prompt"),
    "chat/completions": ("model", "messages"),
    "responses": ("model", "input"),
    "embeddings": ("model", "input"),
    "audio/transcriptions": ("file", "model"),
    "audio/translations": ("file", "model"),
    "images/generations": ("prompt",),
    "decisions": ("model", "input", "questions"),
    "moderations": ("input",),
}

# Source: OpenAI API reference, ranges of the sampling parameters; `stop` "up to 4 sequences".
RANGES: dict[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
    "n": (1, 128),
    "best_of": (1, 20),
    "max_tokens": (1, 1_000_000),
    "max_completion_tokens": (1, 1_000_000),
    "max_output_tokens": (16, 1_000_000),
    "top_logprobs": (0, 20),
    "dimensions": (1, 3072),
}
MAX_STOPS = 4
MAX_IDENTIFIER = 64  # characters of safety_identifier and prompt_cache_key
AUDIO_LIMIT_BYTES = 25 * 1024 * 1024

_SAMPLING = frozenset(["stop", "presence_penalty", "frequency_penalty", "logit_bias", "logprobs"])


@dataclass(frozen=True, slots=True)
class ModelCard:
    """One family of models. `prefix` matches the beginning of a name; the longest one wins."""

    prefix: str
    endpoints: frozenset[str]
    context_tokens: int = 1_050_000
    reasoning: bool = False  # refuses the sampling parameters
    shutdown_date: str | None = None
    formats: frozenset[str] = frozenset()  # response formats of a speech model
    billed_by: str = "tokens"  # or "duration", for speech
    limit_s: float = 0.0  # longest recording, 0: none
    sees: bool = True  # takes pictures
    cache_writes: bool = False  # reports and bills writes to the prompt cache


def _card(prefix: str, endpoints: str, **more: Any) -> ModelCard:
    return ModelCard(prefix, frozenset(endpoints.split()), **more)


_CHAT = "chat/completions responses"
_ALL_FORMATS = frozenset(["json", "text", "srt", "verbose_json", "vtt"])

# Source: openai 3.54 docstrings and OpenAI's deprecations page, read 2026-11-23.
CARDS = (
    _card("rehearsal", f"{_CHAT} completions", context_tokens=128_000),
    _card("gpt-3.5-turbo", "chat/completions", context_tokens=16_385, sees=False),
    _card("gpt-3.5-turbo-instruct", "completions", context_tokens=4_096, shutdown_date="2026-09-28"),
    _card("text-davinci-003", "completions", context_tokens=4_097, shutdown_date="2024-01-04"),
    _card("davinci-002", "completions", context_tokens=16_384, shutdown_date="2026-09-28"),
    _card("gpt-4.1", _CHAT, context_tokens=1_047_576, shutdown_date="2027-01-14"),
    _card("gpt-4.1-mini", _CHAT, context_tokens=1_047_576, shutdown_date="2027-01-14"),
    _card("gpt-4o", _CHAT, context_tokens=128_000, shutdown_date="2027-01-14"),
    _card("gpt-5", _CHAT, context_tokens=400_000, reasoning=True),
    _card("gpt-5.6", _CHAT, reasoning=True, cache_writes=True),
    _card("gpt-6", _CHAT, reasoning=True, cache_writes=True),
    _card("gpt-6-luna", f"{_CHAT} decisions", reasoning=True, cache_writes=True),
    _card("text-embedding-3-small", "embeddings", context_tokens=8_192),
    _card("text-embedding-3-large", "embeddings", context_tokens=8_192),
    _card("text-embedding-ada-002", "embeddings", context_tokens=8_192),
    _card(
        "whisper-1",
        "audio/transcriptions audio/translations",
        formats=_ALL_FORMATS,
        billed_by="duration",
        shutdown_date="2027-02-26",
    ),
    _card("gpt-transcribe", "audio/transcriptions", formats=frozenset(["json"]), billed_by="duration"),
    _card(
        "gpt-4o-transcribe",
        "audio/transcriptions",
        formats=frozenset(["json"]),
        limit_s=1400,
        shutdown_date="2027-02-26",
    ),
    _card(
        "gpt-4o-mini-transcribe",
        "audio/transcriptions",
        formats=frozenset(["json"]),
        limit_s=1400,
        shutdown_date="2027-02-26",
    ),
    _card(
        "gpt-4o-transcribe-diarize",
        "audio/transcriptions",
        formats=frozenset(["json", "text", "diarized_json"]),
        limit_s=1400,
        shutdown_date="2027-02-26",
    ),
    _card("gpt-image-2", "images/generations"),
    _card("omni-moderation-latest", "moderations"),
)
DEFAULT_MODEL = {"images/generations": "gpt-image-2", "moderations": "omni-moderation-latest"}


class ModelRefusal(Exception):
    """The request is answered with an error, in the words and with the code the real API uses."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None,
        param: str | None = None,
        type: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers: dict[str, str] = {}
        if retry_after_s is not None:
            whole = str(max(1, round(retry_after_s)))
            self.headers = {"retry-after": whole, "retry-after-ms": str(int(retry_after_s * 1000))}
        self.error: dict[str, Any] = {
            "message": message,
            "type": type or ("invalid_request_error" if status < 500 else "server_error"),
            "param": param,
            "code": code,
        }


def find_card(model: str) -> ModelCard:
    """The card of the longest matching prefix; ModelRefusal 404 when no family has this name."""
    name = model.removeprefix("ft:")
    found = [card for card in CARDS if name.startswith(card.prefix)]
    if not found:
        message = f"The model `{model}` does not exist or you do not have access to it."
        raise ModelRefusal(404, message, code="model_not_found")
    return max(found, key=lambda card: len(card.prefix))


def check_request(endpoint: str, body: Mapping[str, Any]) -> ModelCard:
    """Find the model's card when the request may be answered; else raise for the first thing wrong."""
    for name in body:
        if name not in PARAMETERS[endpoint]:
            raise ModelRefusal(400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)
    for name in REQUIRED[endpoint]:
        if body.get(name) in (None, [], ""):
            message = f"Missing required parameter: '{name}'."
            raise ModelRefusal(400, message, code="missing_required_parameter", param=name)
    card = find_card(_text(body, "model") or DEFAULT_MODEL.get(endpoint, ""))
    if endpoint not in card.endpoints:
        raise ModelRefusal(
            404, f"This model is not supported in the v1/{endpoint} endpoint.", code=None, param="model"
        )
    _check_values(body)
    _check_messages(endpoint, body)
    if card.reasoning:
        _check_reasoning(body)
    return card


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise ModelRefusal(
            400, f"Invalid type for '{name}': expected a string.", code="invalid_type", param=name
        )
    return value or ""


def _check_values(body: Mapping[str, Any]) -> None:
    for name, (low, high) in RANGES.items():
        value = body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ModelRefusal(
                400, f"Invalid type for '{name}': expected a number.", code="invalid_type", param=name
            )
        if not low <= value <= high:
            message = f"Invalid '{name}': expected a value between {low} and {high}, but got {value} instead."
            raise ModelRefusal(400, message, code="number_out_of_range", param=name)
    stop = body.get("stop")
    if isinstance(stop, list) and len(stop) > MAX_STOPS:
        message = f"Invalid 'stop': array too long. Expected an array with maximum length {MAX_STOPS}."
        raise ModelRefusal(400, message, code="array_above_max_length", param="stop")
    for name in ("safety_identifier", "prompt_cache_key"):
        if len(_text(body, name)) > MAX_IDENTIFIER:
            message = f"Invalid '{name}': string too long. Expected at most {MAX_IDENTIFIER} characters."
            raise ModelRefusal(400, message, code="string_above_max_length", param=name)
    if body.get("stream_options") is not None and not body.get("stream"):
        message = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
        raise ModelRefusal(400, message, code=None, param="stream_options")
    if body.get("best_of") is not None and (body["best_of"] < (body.get("n") or 1) or body.get("stream")):
        raise ModelRefusal(
            400, "best_of must be at least n, and cannot be streamed.", code=None, param="best_of"
        )


_ROLES = frozenset(["system", "developer", "user", "assistant", "tool", "function"])


def _check_messages(endpoint: str, body: Mapping[str, Any]) -> None:
    messages = body.get("messages", body.get("input") if isinstance(body.get("input"), list) else [])
    if not isinstance(messages, list):
        raise ModelRefusal(
            400, "Invalid type for 'messages': expected an array.", code="invalid_type", param="messages"
        )
    for number, message in enumerate(messages):
        if isinstance(message, dict) and message.get("role", "user") not in _ROLES:
            words = f"Invalid value: '{message.get('role')}'."
            raise ModelRefusal(400, words, code="invalid_value", param=f"messages[{number}].role")
        if endpoint == "responses" and (not isinstance(message, dict) or not message.get("type")):
            # OpenAI's own server takes such an item for a message; llama.cpp's does not, in these words.
            raise ModelRefusal(400, "Cannot determine type of 'item'", code=None)
        if "messages" in body and (not isinstance(message, dict) or "role" not in message):
            words = f"Missing required parameter: 'messages[{number}].role'."
            raise ModelRefusal(
                400, words, code="missing_required_parameter", param=f"messages[{number}].role"
            )


def _check_reasoning(body: Mapping[str, Any]) -> None:
    """Models that reason take none of the sampling parameters, and another name for the output limit."""
    for name in sorted(_SAMPLING):
        if body.get(name) is not None:
            raise _unsupported(name, "")
    if body.get("max_tokens") is not None:
        raise _unsupported("max_tokens", " Use 'max_completion_tokens' instead.")
    effort = body.get("reasoning_effort") or (body.get("reasoning") or {}).get("effort")
    for name in ("temperature", "top_p"):
        if body.get(name) not in (None, 1) and effort != "none":
            message = (
                f"Unsupported value: '{name}' does not support {body[name]} with this model. "
                "Only the default (1) value is supported."
            )
            raise ModelRefusal(400, message, code="unsupported_value", param=name)


def _unsupported(name: str, advice: str) -> ModelRefusal:
    message = f"Unsupported parameter: '{name}' is not supported with this model.{advice}"
    return ModelRefusal(400, message, code="unsupported_parameter", param=name)
