"""Answers in text, streamed or whole.

Conversations take their shape in bot/provider/prompt_formats.py, parameters in bot/provider/parameters.py;
answers are read in bot/provider/stream_readers.py and cut in bot/provider/stop_sequences.py.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.core.errors import ProviderError
from bot.core.settings import Settings
from bot.core.values import Completion, Prompt, Scope, Usage
from bot.ops.metrics import METRICS
from bot.provider.answer_stream import AnswerState, AnswerStream
from bot.provider.client import ModelClient
from bot.provider.error_table import ParameterRefused
from bot.provider.gate import ProviderRequest
from bot.provider.parameters import read_parameters, read_stops
from bot.provider.prompt_formats import STYLES
from bot.provider.reported_usage import read_usage
from bot.provider.stop_sequences import StopCutter
from bot.provider.stream_deadline import StreamDeadline
from bot.provider.stream_readers import StreamReader
from bot.provider.transport import read_events
from bot.text import tokens

log = logging.getLogger(__name__)

FIRST_TEXT_S = 60.0  # a reasoning model thinks before it writes
STALL_S = 20.0
MESSAGE_TOKENS = 8  # what wraps one message, at most


@dataclass(frozen=True, slots=True)
class _Question:
    """One question for text, however many requests it takes."""

    prompt: Prompt
    scope: Scope
    model: str
    max_tokens: int
    warmer: bool = False


class TextRequests:
    """Asks for text in the style that the operator chose."""

    def __init__(
        self, client: ModelClient, settings: Settings, *, first_text_s: float, stall_s: float
    ) -> None:
        self._client = client
        self._model = settings.model
        self._stops = read_stops(settings)
        self._parameters = read_parameters(settings)
        self._style = STYLES[settings.style]
        self._first_text_s, self._stall_s = first_text_s, stall_s

    def stream(
        self, prompt: Prompt, scope: Scope, *, model: str = "", max_output_tokens: int | None = None
    ) -> AnswerStream:
        """The answer as it arrives, cut at stop sequences."""
        limit = max_output_tokens or self._parameters.max_tokens
        question = _Question(prompt, scope, model or self._model, limit)
        state = AnswerState(question.model)
        return AnswerStream(self._generate(question, state), state)

    async def complete(
        self, prompt: Prompt, scope: Scope, *, model: str = "", max_output_tokens: int | None = None
    ) -> Completion:
        """The whole answer."""
        answer = self.stream(prompt, scope, model=model, max_output_tokens=max_output_tokens)
        async for _ in answer:
            pass
        return answer.completion

    async def _generate(self, question: _Question, state: AnswerState) -> AsyncGenerator[str, None]:
        """Requests until one brings text or the policy ends; an empty answer is asked for once more."""
        retries = self._client.retries()
        bound = _bound_usage(question, self._parameters.candidates)
        count = partial(_count_usage, question, state)
        while True:
            try:
                number = retries.next_number()
                async with self._client.gate.request(
                    question.scope, question.model, bound=bound, number=number, count=count
                ) as request:
                    state.request = request
                    async with aclosing(self._request_text(question, request, state)) as texts:
                        async for text in texts:
                            yield text
            except ParameterRefused as refusal:
                await self._client.traits.learn_refusal(refusal)
            except ProviderError as error:
                if state.parts:
                    log.warning("answer broke off: %s", error, exc_info=error.__cause__)
                    state.finish = "broken"
                    return
                await retries.wait_after(error)
            else:
                texts_read = _texts_read(question.prompt)
                await self._client.traits.learn_length(request.model, texts_read, request.usage)
                if state.parts or state.finish != "stop" or question.warmer:
                    return
                question = replace(question, warmer=True)

    async def _request_text(
        self, question: _Question, request: ProviderRequest, state: AnswerState
    ) -> AsyncGenerator[str, None]:
        """One request for text, cut at the first stop sequence."""
        body = self._build_body(question, request.model)
        cutter = StopCutter(self._stops)
        reader = self._style.reader()
        async with aclosing(self._read_response(body, request, reader)) as texts:
            async for text in texts:
                shown = cutter.feed(text)
                if not state.parts:
                    shown = shown.lstrip()  # a transcript goes on after "AI:" with a space
                if shown:
                    state.parts.append(shown)
                    yield shown
                if cutter.hit:
                    break  # closes the stream at once: what runs on is paid for; usage is then our own count
        if not cutter.hit and (rest := cutter.finish()):
            state.parts.append(rest)
            yield rest
        state.finish = "stop" if cutter.hit else reader.finish or "broken"
        request.usage, request.tier = read_usage(reader.usage), reader.tier
        request.outcome = "broken" if state.finish == "broken" else "ok"

    async def _read_response(
        self, body: dict[str, Any], request: ProviderRequest, reader: StreamReader
    ) -> AsyncGenerator[str, None]:
        """All that the model writes to one request, uncut."""
        echoed = len(body["prompt"]) if body.get("echo") else 0
        now = asyncio.get_running_loop().time()
        deadline = StreamDeadline(stall_s=self._first_text_s, deadline=now + self._client.deadline_s)
        try:
            opening = partial(self._client.transport.open, self._style.path, body)
            response = await request.send(body, deadline.wait(opening))
            self._client.gate.scheduler.apply_headers(response.headers)
            try:
                async for together in read_events(response, deadline):
                    text, fault = reader.read_events(together)
                    if echoed:
                        echoed, text = max(0, echoed - len(text)), text[echoed:]
                    if text:
                        if not request.answering:
                            request.answering = True
                            deadline.expect(self._stall_s)
                            METRICS.observe(
                                "parley_first_text_seconds", asyncio.get_running_loop().time() - now
                            )
                        yield text
                    if fault:
                        raise fault
            except Exception:
                if reader.finish is None:
                    raise
                log.info("the stream broke after its answer had ended", exc_info=True)
            finally:
                await response.aclose()
        finally:
            deadline.close()

    def _build_body(self, question: _Question, model: str) -> dict[str, Any]:
        refused = self._client.traits.refused_by(model)
        parameters = self._parameters.build(
            refused,
            max_tokens=question.max_tokens,
            warmer=question.warmer,
            exact=question.prompt.form is not None,
        )
        body = {"model": model} | self._style.build(question.prompt, self._stops) | parameters
        return self._client.traits.drop_refused(body)


def _texts_read(prompt: Prompt) -> list[str]:
    """All that a model reads of a prompt."""
    form = json.dumps(prompt.form) if prompt.form else ""
    messages = (message.text for message in prompt.messages)
    texts = [prompt.system, form, prompt.summary, prompt.context, prompt.about, *messages]
    return [text for text in texts if text]


def _bound_usage(question: _Question, candidates: int) -> Usage:
    """The most that a request can use."""
    texts = _texts_read(question.prompt)
    return Usage(
        input_tokens=sum(map(tokens.at_most, texts)) + len(texts) * MESSAGE_TOKENS,
        output_tokens=question.max_tokens * candidates,
    )


async def _count_usage(question: _Question, state: AnswerState) -> Usage:
    """Our own count of a question and as much of its answer as came."""
    texts = _texts_read(question.prompt)
    read = await tokens.counted("\n".join(texts), state.model)
    written = await tokens.counted(state.text, state.model)
    return Usage(
        input_tokens=read + len(texts) * tokens.MESSAGE_TOKENS, output_tokens=written, estimated=True
    )
