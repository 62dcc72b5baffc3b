"""Sends each fault to the client: refusals in the API's words, spoiled bodies, broken streams, resets."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

import orjson
from aiohttp import web

from bot.sandbox.model.faults import ModelFault
from bot.sandbox.model.frames import StreamFrames, make_error_event
from bot.sandbox.model.rules import ModelRefusal

PAGE = b"<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"


def refuse_for_rate(wait_s: float | None, message: str) -> ModelRefusal:
    return ModelRefusal(429, message, code="rate_limit_exceeded", type="requests", retry_after_s=wait_s)


def refuse_key(given: str) -> ModelRefusal:
    """Repeats the ends of the key, as the real API does: nobody may log or post this text."""
    shown = f"{given[:8]}{'*' * 20}{given[-4:]}"
    message = f"Incorrect API key provided: {shown}. You can find your API key at your account page."
    return ModelRefusal(401, message, code="invalid_api_key")


def _refuse(status: int, message: str, code: str | None = None, param: str | None = None) -> ModelRefusal:
    return ModelRefusal(status, message, code=code, param=param)


REFUSALS: dict[str, Callable[[ModelFault], ModelRefusal]] = {
    "rate_limit": lambda f: refuse_for_rate(f.retry_after_s, "Rate limit reached for requests per min."),
    "quota": lambda f: ModelRefusal(
        429,
        "You exceeded your current quota, please check your plan and billing details.",
        code="insufficient_quota",
        type="insufficient_quota",
    ),
    "credentials": lambda f: refuse_key("sk-proj-rehearsal-0000-key1"),
    "ended": lambda f: _refuse(
        404,
        f"The model `{f.model}` has been deprecated, learn more here: https://platform.openai.com/docs/deprecations",
        "model_not_found",
        "model",
    ),
    "server_error": lambda f: _refuse(500, "The server had an error while processing your request."),
    "overloaded": lambda f: _refuse(503, "The engine is currently overloaded, please try again later."),
    # Source: llama.cpp's server, while it loads
    "loading": lambda f: ModelRefusal(503, "Loading model", code=None, type="unavailable_error"),
    "context_length": lambda f: _refuse(
        400,
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        "context_length_exceeded",
        "messages",
    ),
    "content_policy": lambda f: _refuse(
        400, "The response was filtered due to the prompt.", "content_filter", "prompt"
    ),
    "unsupported": lambda f: _refuse(
        400,
        f"Unsupported parameter: '{f.value}' is not supported with this model.",
        "unsupported_parameter",
        str(f.value),
    ),
}


async def apply_before_answer(http: web.Request, fault: ModelFault) -> None:
    """Faults that come instead of an answer happen here; the others return and are met later."""
    if fault.kind in ("timeout", "drop"):
        await asyncio.sleep(fault.delay_s or (3600 if fault.kind == "timeout" else 0))
        reset_connection(http)
        raise ConnectionResetError(fault.kind)
    if fault.kind in REFUSALS:
        raise REFUSALS[fault.kind](fault)


def spoil_body(http: web.Request, kind: str, body: bytes, content_type: str) -> tuple[bytes, str]:
    """A whole body under a fault of this kind."""
    if kind in ("reset", "stall"):
        reset_connection(http)
        raise ConnectionResetError(kind)
    if kind == "html":
        return PAGE, "text/html"
    if kind in ("bad_json", "eof", "error_event"):
        return body[: len(body) // 2], content_type
    if kind == "bad_utf8":
        return body.replace(b'"', b"\xff", 3), content_type
    return body, content_type


def make_empty_answer(endpoint: str, model: str, streamed: bool) -> tuple[bytes, str]:
    """A well-formed answer that holds nothing."""
    content = {"id": "empty", "object": "chat.completion", "created": 1, "model": model, "choices": []}
    body = orjson.dumps(content | ({"output": [], "object": "response"} if endpoint == "responses" else {}))
    if streamed:
        return b"data: " + body + b"\n\ndata: [DONE]\n\n", "text/event-stream"
    return body, "application/json"


def break_stream(
    stream: StreamFrames, fault: ModelFault | None, endpoint: str
) -> tuple[list[bytes], list[bytes]]:
    """The chunks and the closing that are really sent."""
    if fault is None or fault.kind not in ("reset", "eof", "stall", "error_event", "bad_json", "bad_utf8"):
        return stream.deltas, stream.closing
    first = stream.deltas[: fault.after_chunks]
    if fault.kind == "error_event":
        return [*first, make_error_event(endpoint)], []
    if fault.kind == "bad_json":
        return [*first, b'data: {"choices": [{"delta": {"con\n\n'], stream.closing
    if fault.kind == "bad_utf8":
        return [*first, b'data: {"choices": [{"index": 0, "delta": {"content": "\xff\xfe"}}]}\n\n'], []
    return first, []


def reset_connection(http: web.Request) -> None:
    """Drop the line hard, so that the other side sees a reset and no polite end."""
    if http.transport is None:
        return
    line = http.transport.get_extra_info("socket")
    if line is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    http.transport.abort()
