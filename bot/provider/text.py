"""The only door to the model APIs: an answer in text, streamed or whole. Whatever else is asked of a model is
asked in one piece, by bot/provider/client.py.

Every request passes through bot/provider/gate.py: budget, fair share, request, ledger. Conversations take
their shape in bot/provider/prompt_formats.py, parameters in bot/provider/parameters.py, answers are read in
bot/provider/stream_readers.py, errors become ours in bot/provider/error_table.py, bytes travel by
bot/provider/transport.py (with provider_errors the only user of the SDK).
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.core.errors import ProviderError
from bot.core.settings import Settings
from bot.core.values import Completion, Prompt, Scope, Usage
from bot.costs.ledger import Ledger
from bot.ops.metrics import METRICS
from bot.provider.answer_stream import AnswerState, AnswerStream
from bot.provider.client import Pieces, sent
from bot.provider.error_table import ParameterRefused
from bot.provider.fair_share import Scheduler
from bot.provider.gate import Attempt, RetryPolicy
from bot.provider.parameters import from_settings, stops_of
from bot.provider.prompt_formats import STYLES
from bot.provider.reported_usage import reported
from bot.provider.stop_sequences import StopCutter
from bot.provider.stream_deadline import StreamDeadline
from bot.provider.stream_readers import StreamReader
from bot.provider.transport import Transport, events, list_models
from bot.text import tokens
from storage.engine import Engine

__all__ = ["AnswerStream", "Provider", "list_models"]

log = logging.getLogger(__name__)

FIRST_TEXT_S = 60.0  # a reasoning model thinks before it speaks
STALL_S = 20.0
MESSAGE_TOKENS = 8  # what wraps one message, at most


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question for text, however many requests it takes."""

    prompt: Prompt
    scope: Scope
    model: str
    max_tokens: int
    warmer: bool = False


class Provider(Pieces):
    """The model API: text, and all that it answers in one piece."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        scheduler: Scheduler,
        engine: Engine,
        *,
        wire: Transport | None = None,
        first_text_s: float = FIRST_TEXT_S,
        stall_s: float = STALL_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(settings, ledger, scheduler, engine, wire=wire, sleep=sleep, chance=chance)
        self._stops = stops_of(settings)
        self._parameters = from_settings(settings)
        self._style = STYLES[settings.style]
        self._first_text_s, self._stall_s = first_text_s, stall_s

    def stream(
        self, prompt: Prompt, scope: Scope, *, model: str = "", max_output_tokens: int | None = None
    ) -> AnswerStream:
        """The answer as it arrives, cut at stop sequences.

        ProviderError or BudgetExceeded come out of the first `__anext__`; once there is text, the
        completion's finish says how it ended.
        """
        limit = max_output_tokens or self._parameters.max_tokens
        asked = _Asked(prompt, scope, model or self._settings.model, limit)
        heard = AnswerState(asked.model)
        return AnswerStream(self._texts(asked, heard), heard)

    async def complete(
        self, prompt: Prompt, scope: Scope, *, model: str = "", max_output_tokens: int | None = None
    ) -> Completion:
        """The whole answer. Errors as for `stream`."""
        answer = self.stream(prompt, scope, model=model, max_output_tokens=max_output_tokens)
        async for _ in answer:
            pass
        return answer.completion

    async def _texts(self, asked: _Asked, heard: AnswerState) -> AsyncGenerator[str, None]:
        """Attempts until one says something or the policy ends; an empty answer is asked for once more."""
        tries = RetryPolicy(self._door, self._chance)
        bound = _bound(asked, self._parameters.candidates)
        count = partial(_count, asked, heard)
        while True:
            try:
                async with self._door.attempt(
                    asked.scope, asked.model, bound=bound, number=tries.next(), count=count
                ) as attempt:
                    heard.attempt = attempt
                    async with aclosing(self._once(asked, attempt, heard)) as texts:
                        async for text in texts:
                            yield text
            except ParameterRefused as refusal:
                await self._quirks.learn(refusal)
            except ProviderError as error:
                if heard.parts:
                    log.warning("answer broke off: %s", error, exc_info=error.__cause__)
                    heard.finish = "broken"
                    return
                await tries.again(error)
            else:
                await self._quirks.learn_length(attempt.model, _read_by_model(asked.prompt), attempt.usage)
                if heard.parts or heard.finish != "stop" or asked.warmer:
                    return
                asked = replace(asked, warmer=True)

    async def _once(self, asked: _Asked, attempt: Attempt, heard: AnswerState) -> AsyncGenerator[str, None]:
        """One request for text."""
        body = self._body(asked, attempt.model)
        cutter = StopCutter(self._stops)
        reading = self._style.reads()
        async with aclosing(self._said(body, attempt, reading)) as said:
            async for text in said:
                shown = cutter.feed(text)
                if not heard.parts:
                    shown = shown.lstrip()  # a transcript goes on after "AI:" with a space
                if shown:
                    heard.parts.append(shown)
                    yield shown
                if cutter.hit:
                    break  # closes the stream at once: what runs on is paid for; usage is then our own count
        if not cutter.hit and (rest := cutter.finish()):
            heard.parts.append(rest)
            yield rest
        heard.finish = "stop" if cutter.hit else reading.finish or "broken"
        attempt.usage, attempt.tier = reported(reading.usage), reading.tier
        attempt.outcome = "broken" if heard.finish == "broken" else "ok"

    async def _said(
        self, body: dict[str, Any], attempt: Attempt, reading: StreamReader
    ) -> AsyncGenerator[str, None]:
        """All that the model says to one request, uncut."""
        echoed = len(body["prompt"]) if body.get("echo") else 0
        now = asyncio.get_running_loop().time()
        patience = StreamDeadline(
            stall_s=self._first_text_s, deadline=now + self._settings.request_deadline_s
        )
        try:
            opening = partial(self._wire.open, self._style.path, body)
            response = await sent(attempt, body, patience.wait(opening))
            self._door.scheduler.heed(response.headers)
            try:
                async for together in events(response, patience):
                    text, fault = reading.hear(together)
                    if echoed:
                        echoed, text = max(0, echoed - len(text)), text[echoed:]
                    if text:
                        if not attempt.said:
                            attempt.said = True
                            patience.expect(self._stall_s)
                            METRICS.observe(
                                "parley_first_text_seconds", asyncio.get_running_loop().time() - now
                            )
                        yield text
                    if fault:
                        raise fault
            except Exception:
                if reading.finish is None:
                    raise
                log.info("the stream broke after its answer had ended", exc_info=True)
            finally:
                await response.aclose()
        finally:
            patience.close()

    def _body(self, asked: _Asked, model: str) -> dict[str, Any]:
        refused = self._quirks.refused(model)
        parameters = self._parameters.body(
            refused, max_tokens=asked.max_tokens, warmer=asked.warmer, exact=asked.prompt.form is not None
        )
        body = {"model": model} | self._style.asks(asked.prompt, self._stops) | parameters
        return self._quirks.accepted(body)


def _read_by_model(prompt: Prompt) -> list[str]:
    form = json.dumps(prompt.form) if prompt.form else ""
    said = (message.text for message in prompt.messages)
    texts = [prompt.system, form, prompt.summary, prompt.context, *said]
    return [text for text in texts if text]


def _bound(asked: _Asked, candidates: int) -> Usage:
    """The most that a request can use."""
    texts = _read_by_model(asked.prompt)
    return Usage(
        input_tokens=sum(map(tokens.at_most, texts)) + len(texts) * MESSAGE_TOKENS,
        output_tokens=asked.max_tokens * candidates,
    )


async def _count(asked: _Asked, heard: AnswerState) -> Usage:
    """Our own count of a question and as much of its answer as came."""
    texts = _read_by_model(asked.prompt)
    read = await tokens.counted("\n".join(texts), heard.model)
    said = await tokens.counted(heard.text, heard.model)
    return Usage(input_tokens=read + len(texts) * tokens.MESSAGE_TOKENS, output_tokens=said, estimated=True)
