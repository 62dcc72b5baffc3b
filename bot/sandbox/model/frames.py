"""Writes answers as the API sends them: the JSON of a whole answer, the server-sent events of a streamed one.

Nothing here decides what is answered. A stream is three lists of bytes: opening, one per chunk, closing;
usage stands where each endpoint puts it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from bot.sandbox.model.usage import split_pieces
from bot.sandbox.rehearsal.question import RehearsedAnswer

DONE = b"data: [DONE]\n\n"
Usage = dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class StreamFrames:
    """One streamed answer as bytes. `deltas` has one entry per chunk of text."""

    opening: list[bytes]
    deltas: list[bytes]
    closing: list[bytes]


def make_usage(endpoint: str, prompt: int, cached: int, written: int | None, output: int) -> dict[str, Any]:
    """Usage as the endpoint reports it; `written` None leaves cache writes out."""
    read = {"cached_tokens": cached} | ({} if written is None else {"cache_write_tokens": written})
    if endpoint in ("responses", "decisions"):
        return {
            "input_tokens": prompt,
            "input_tokens_details": {"cache_write_tokens": 0} | read,
            "output_tokens": output,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": prompt + output,
        }
    counted: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "total_tokens": prompt + output,
    }
    if endpoint == "chat/completions":
        counted["completion_tokens_details"] = {"reasoning_tokens": 0, "audio_tokens": 0}
    return counted | {"prompt_tokens_details": {"audio_tokens": 0} | read}


class Shape:
    """How one request's answer looks: its id, its model's name, its endpoint's form."""

    def __init__(self, endpoint: str, id: str, model: str, created: int, body: dict[str, Any]) -> None:
        self.endpoint, self.id, self.model, self.created, self.body = endpoint, id, model, created, body

    def whole(self, answers: Sequence[RehearsedAnswer], usage: Usage) -> bytes:
        """The answer in one piece; `answers` are the choices in order."""
        if self.endpoint == "responses":
            return orjson.dumps(self._response(answers[0], usage))
        choices = [self._choice(number, answer) for number, answer in enumerate(answers)]
        given = self._head("chat.completion") | {"choices": choices}
        return orjson.dumps(given | ({} if usage is None else {"usage": usage}))

    def stream(self, answers: Sequence[RehearsedAnswer], usage: Usage) -> StreamFrames:
        if self.endpoint == "responses":
            return self._response_stream(answers[0], usage)
        return self._choice_stream(answers, usage)

    # Completions and chat completions -------------------------------------------------------------

    def _head(self, kind: str) -> dict[str, Any]:
        head = {"id": self.id, "object": kind, "created": self.created, "model": self.model}
        if self.endpoint == "completions":
            return head | {"object": "text_completion", "system_fingerprint": "fp_rehearsal"}
        return head | {"service_tier": "default", "system_fingerprint": "fp_rehearsal"}

    def _choice(self, number: int, answer: RehearsedAnswer) -> dict[str, Any]:
        logprobs = self.body.get("logprobs")
        if self.endpoint == "completions":
            shown = _text_logprobs(answer.text) if logprobs is not None else None
            return {"text": answer.text, "index": number, "logprobs": shown, "finish_reason": answer.finish}
        message: dict[str, Any] = {
            "role": "assistant",
            "content": answer.text,
            "refusal": None,
            "annotations": [],
        }
        if answer.refusal:
            message |= {"content": None, "refusal": answer.text}
        shown = {"content": _chat_logprobs(answer.text), "refusal": None} if logprobs else None
        return {"index": number, "message": message, "logprobs": shown, "finish_reason": answer.finish}

    def _choice_stream(self, answers: Sequence[RehearsedAnswer], usage: Usage) -> StreamFrames:
        chat = self.endpoint == "chat/completions"
        with_usage = usage is not None and bool((self.body.get("stream_options") or {}).get("include_usage"))
        base = self._head("chat.completion.chunk")
        more: dict[str, Any] = {"usage": None} if with_usage else {}
        opening, deltas, closing = [], [], []
        for number, answer in enumerate(answers):
            if chat:
                role = {"role": "assistant", "content": "", "refusal": None}
                opening.append(_event(base | {"choices": [_delta(number, role)]} | more))
            make = self._delta_maker(base, number, more)
            deltas += [make(chunk) for chunk in (answer.chunks or split_pieces(answer.text))]
            last = _delta(number, {}, answer.finish) if chat else _text_choice(number, "", answer.finish)
            closing.append(_event(base | {"choices": [last]} | more))
        if with_usage:
            closing.append(_event(base | {"choices": [], "usage": usage}))
        return StreamFrames(opening, deltas, [*closing, DONE])

    def _delta_maker(self, base: dict[str, Any], number: int, more: dict[str, Any]) -> Callable[[str], bytes]:
        """The event around a chunk is serialised once; only the chunk itself is new each time."""
        if self.endpoint == "chat/completions":
            choice = _delta(number, {"content": "\x00"})
        else:
            choice = _text_choice(number, "\x00", None)
        head, tail = _event(base | {"choices": [choice]} | more).split(orjson.dumps("\x00"))
        return lambda chunk: head + orjson.dumps(chunk) + tail

    # Responses ------------------------------------------------------------------------------------

    def _response(self, answer: RehearsedAnswer | None, usage: Usage) -> dict[str, Any]:
        """A response object; `answer` None while it is in progress."""
        cut = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(
            answer.finish if answer else ""
        )
        done = "incomplete" if cut else "completed"
        given: dict[str, Any] = {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": "in_progress" if answer is None else done,
            "error": None,
            "incomplete_details": {"reason": cut} if cut else None,
            "instructions": self.body.get("instructions"),
            "max_output_tokens": self.body.get("max_output_tokens"),
            "model": self.model,
            "output": [] if answer is None else [self._item(answer, done)],
            "parallel_tool_calls": True,
            "temperature": self.body.get("temperature", 1.0),
            "tool_choice": "auto",
            "tools": [],
            "top_p": self.body.get("top_p", 1.0),
            "truncation": "disabled",
            "usage": None,
            "metadata": {},
        }
        return given if usage is None or answer is None else given | {"usage": usage}

    def _item(self, answer: RehearsedAnswer, status: str) -> dict[str, Any]:
        return {
            "id": f"msg_{self.id}",
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [{"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}],
        }

    def _response_stream(self, answer: RehearsedAnswer, usage: Usage) -> StreamFrames:
        number = iter(range(1_000_000_000))
        place = {"item_id": f"msg_{self.id}", "output_index": 0, "content_index": 0}
        empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
        item = {
            "id": place["item_id"],
            "type": "message",
            "status": "in_progress",
            "role": "assistant",
            "content": [],
        }

        def event(kind: str, **fields: Any) -> bytes:
            content = {"type": kind, "sequence_number": next(number)} | fields
            return b"event: " + kind.encode() + b"\n" + _event(content)

        opening = [
            event("response.created", response=self._response(None, None)),
            event("response.in_progress", response=self._response(None, None)),
            event("response.output_item.added", output_index=0, item=item),
            event("response.content_part.added", **place, part=empty),
        ]
        deltas = [
            event("response.output_text.delta", **place, delta=chunk, logprobs=[])
            for chunk in (answer.chunks or split_pieces(answer.text))
        ]
        whole = self._response(answer, usage)
        closing = [
            event("response.output_text.done", **place, text=answer.text, logprobs=[]),
            event("response.content_part.done", **place, part=empty | {"text": answer.text}),
            event("response.output_item.done", output_index=0, item=whole["output"][0]),
            event(f"response.{whole['status']}", response=whole),
        ]
        return StreamFrames(opening, deltas, closing)


def make_error_event(endpoint: str) -> bytes:
    """An error in mid-stream, as each endpoint tells it."""
    error = {"message": "The server had an error while processing your request.", "type": "server_error"}
    if endpoint == "responses":
        content = {
            "type": "error",
            "code": "server_error",
            "message": error["message"],
            "param": None,
            "sequence_number": 9,
        }
        return b"event: error\n" + _event(content)
    return _event({"error": error | {"param": None, "code": None}})


def _event(content: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(content) + b"\n\n"


def _delta(number: int, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {"index": number, "delta": delta, "logprobs": None, "finish_reason": finish}


def _text_choice(number: int, text: str, finish: str | None) -> dict[str, Any]:
    return {"text": text, "index": number, "logprobs": None, "finish_reason": finish}


def _text_logprobs(text: str) -> dict[str, Any]:
    tokens = split_pieces(text)
    offsets = [sum(map(len, tokens[:number])) for number in range(len(tokens))]
    return {
        "tokens": tokens,
        "token_logprobs": [-0.1] * len(tokens),
        "top_logprobs": [{token: -0.1} for token in tokens],
        "text_offset": offsets,
    }


def _chat_logprobs(text: str) -> list[dict[str, Any]]:
    return [
        {"token": token, "logprob": -0.1, "bytes": list(token.encode()), "top_logprobs": []}
        for token in split_pieces(text)
    ]
