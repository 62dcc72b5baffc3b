"""Decides how much of an answer is sent: candidates, context limit, stop sequences, output limits, pace.

Values in, values out; sending is done elsewhere (server.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.sandbox.model.faults import ModelFault
from bot.sandbox.model.usage import split_pieces
from bot.sandbox.rehearsal.question import RehearsedAnswer, TextRequest

# Source: OpenAI API reference: /v1/completions stops at 16 tokens unless told otherwise.
COMPLETION_DEFAULT_TOKENS = 16
_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens")

Match = str | Callable[[TextRequest], bool]


@dataclass(slots=True)
class Script:
    """An answer kept ready for the requests it fits; `times` 0 is for ever."""

    answer: RehearsedAnswer
    match: Match
    endpoint: str
    times: int

    def fits(self, request: TextRequest) -> bool:
        if self.endpoint not in ("", request.endpoint):
            return False
        return self.match(request) if callable(self.match) else self.match in request.prompt


@dataclass(slots=True)
class AnswerPace:
    """How fast answers come when a script does not say: 0 tokens per second is all at once."""

    first_token_s: float = 0.0
    tokens_per_s: float = 0.0

    def delays_s(self, answer: RehearsedAnswer, fault: ModelFault | None) -> tuple[float, float]:
        """Seconds to the first token and between two."""
        first_s = self.first_token_s if answer.first_token_s is None else answer.first_token_s
        rate = self.tokens_per_s if answer.tokens_per_s is None else answer.tokens_per_s
        if fault and fault.kind == "slow":
            first_s, rate = fault.delay_s or first_s, fault.value or rate
        return first_s, (1 / rate if rate else 0.0)


def count_candidates(body: Mapping[str, Any]) -> int:
    """How many answers are made, which is what is billed; only n of them are shown."""
    return max(body.get("best_of") or 1, body.get("n") or 1)


def finish_answer(answer: RehearsedAnswer, request: TextRequest, fault: ModelFault | None) -> RehearsedAnswer:
    """What is left of an answer after fault, stop sequences and output limit; echoed if wanted."""
    kind = fault.kind if fault else ""
    if kind == "empty":
        answer = replace(answer, text="", chunks=())
    if kind in ("length", "content_filter"):
        answer = replace(answer, text="".join(split_pieces(answer.text)[:12]), finish=kind, chunks=())
    answer = _cut_at_limit(_cut_at_stop(answer, read_stops(request.body)), request)
    if request.body.get("echo"):
        return replace(answer, text=request.prompt + answer.text, chunks=())
    return answer


def read_stops(body: Mapping[str, Any]) -> Sequence[str]:
    stop = body.get("stop") or []
    return [stop] if isinstance(stop, str) else stop


def _cut_at_stop(answer: RehearsedAnswer, stops: Sequence[str]) -> RehearsedAnswer:
    at = min((found for stop in stops if (found := answer.text.find(stop)) >= 0), default=-1)
    if at < 0:
        return answer
    kept, unsaid = answer.text[:at], answer.text[at:]
    return replace(answer, text=kept, finish="stop", chunks=_cut_chunks(answer.chunks, at), unsaid=unsaid)


def _cut_at_limit(answer: RehearsedAnswer, request: TextRequest) -> RehearsedAnswer:
    given = next((request.body[name] for name in _LIMITS if request.body.get(name)), None)
    limit = given or (COMPLETION_DEFAULT_TOKENS if request.endpoint == "completions" else 1_000_000)
    tokens = split_pieces(answer.text)
    if len(tokens) <= limit:
        return answer
    text = "".join(tokens[:limit])
    return replace(answer, text=text, finish="length", chunks=_cut_chunks(answer.chunks, len(text)))


def _cut_chunks(chunks: tuple[str, ...], length: int) -> tuple[str, ...]:
    kept = []
    for chunk in chunks:
        kept.append(chunk[:length])
        length -= len(kept[-1])
    return tuple(chunk for chunk in kept if chunk)
