"""The only door to the model APIs: an answer in text, streamed or whole, and everything asked in one piece.

Every request passes through bot/attempts.py: budget, fair share, request, ledger. Conversations take their
shape in bot/styles.py, parameters in bot/parameters.py, answers are read in bot/deltas.py, errors become ours
in bot/provider_errors.py, bytes travel by bot/wire.py (with provider_errors the only user of the SDK).
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import random
import sys
import time
from array import array
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from bot import tokens
from bot.answer import Answer, Heard
from bot.attempts import Attempt, Door, Tries
from bot.config import Settings
from bot.deltas import Reading
from bot.errors import ProviderError
from bot.ledger import Ledger
from bot.messages import Completion, Prompt, Scope, Usage
from bot.metrics import METRICS
from bot.parameters import from_settings, stops_of
from bot.patience import Patience
from bot.provider_errors import ParameterRefused, refused_parameter
from bot.scheduler import Scheduler
from bot.styles import STYLES
from bot.transcript import StopCutter
from bot.usage import reported
from bot.wire import Upload, Wire, events, list_models
from storage import learned
from storage.engine import Engine

__all__ = ["Answer", "Provider", "list_models"]

log = logging.getLogger(__name__)
T = TypeVar("T")

FIRST_TEXT_S = 60.0  # a reasoning model thinks before it speaks
STALL_S = 20.0
MESSAGE_TOKENS = 8  # what wraps one message, at most
# A shorter prompt tells more of what wraps it than of the model's tokens; a longer one takes long to count.
TELLING_BYTES = (1_000, tokens.LONG)
NEAR = 0.05  # an estimate this close needs no correction
# Bounds for budgets; what was used is settled from the provider's report.
AUDIO_TOKENS_PER_S = 20
WORDS_TOKENS_PER_S = 10
IMAGE_TOKENS = 16_384
# Without these a request asks for something else, so they are never dropped.
NEEDED = frozenset(["model", "prompt", "messages", "input", "questions"])


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question for text, however many requests it takes."""

    prompt: Prompt
    scope: Scope
    model: str
    max_tokens: int
    warmer: bool = False


class Provider:
    """The model API. `async with` it; any number of tasks may ask at a time."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        scheduler: Scheduler,
        engine: Engine,
        *,
        wire: Wire | None = None,
        first_text_s: float = FIRST_TEXT_S,
        stall_s: float = STALL_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._stops = stops_of(settings)
        self._parameters = from_settings(settings)
        self._style = STYLES[settings.style]
        self._door = Door(ledger, scheduler, small_model=settings.small_model, sleep=sleep)
        self._chance = chance
        self._first_text_s, self._stall_s = first_text_s, stall_s
        self._refused: dict[str, frozenset[str]] = {}
        self._wire = wire or Wire(settings)

    async def __aenter__(self) -> Self:
        self._refused = await self._engine.read(learned.refused)
        tokens.remember(await self._engine.read(learned.ratios))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._door.settled()
        await self._wire.close()

    @property
    def unavailable(self) -> bool:
        """True while the API is left alone after failures."""
        return self._door.breaker.open

    # Text

    def stream(
        self, prompt: Prompt, scope: Scope, *, model: str = "", max_output_tokens: int | None = None
    ) -> Answer:
        """The answer as it arrives, cut at stop sequences.

        ProviderError or BudgetExceeded come out of the first `__anext__`; once there is text, the
        completion's finish says how it ended.
        """
        limit = max_output_tokens or self._parameters.max_tokens
        asked = _Asked(prompt, scope, model or self._settings.model, limit)
        heard = Heard(asked.model)
        return Answer(self._texts(asked, heard), heard)

    async def complete(
        self, prompt: Prompt, scope: Scope, *, model: str = "", max_output_tokens: int | None = None
    ) -> Completion:
        """The whole answer. Errors as for `stream`."""
        answer = self.stream(prompt, scope, model=model, max_output_tokens=max_output_tokens)
        async for _ in answer:
            pass
        return answer.completion

    async def _texts(self, asked: _Asked, heard: Heard) -> AsyncGenerator[str, None]:
        """Attempts until one says something or the policy ends; an empty answer is asked for once more."""
        tries = Tries(self._door, self._chance)
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
                await self._learn(refusal)
            except ProviderError as error:
                if heard.parts:
                    log.warning("answer broke off: %s", error, exc_info=error.__cause__)
                    heard.finish = "broken"
                    return
                await tries.again(error)
            else:
                await self._learn_length(asked.prompt, attempt)
                if heard.parts or heard.finish != "stop" or asked.warmer:
                    return
                asked = replace(asked, warmer=True)

    async def _once(self, asked: _Asked, attempt: Attempt, heard: Heard) -> AsyncGenerator[str, None]:
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
        self, body: dict[str, Any], attempt: Attempt, reading: Reading
    ) -> AsyncGenerator[str, None]:
        """All that the model says to one request, uncut."""
        echoed = len(body["prompt"]) if body.get("echo") else 0
        now = asyncio.get_running_loop().time()
        patience = Patience(stall_s=self._first_text_s, deadline=now + self._settings.request_deadline_s)
        try:
            opening = partial(self._wire.open, self._style.path, body)
            response = await _sent(attempt, body, patience.wait(opening))
            self._door.scheduler.heed(response.headers)
            try:
                async for together in events(response, patience):
                    text, fault = reading.hear(together)
                    if echoed:
                        echoed, text = max(0, echoed - len(text)), text[echoed:]
                    if text:
                        if not attempt.said:
                            attempt.said, patience.stall_s = True, self._stall_s
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
        refused = self._refused.get(self._learned_as(model), frozenset())
        parameters = self._parameters.body(
            refused, max_tokens=asked.max_tokens, warmer=asked.warmer, exact=asked.prompt.form is not None
        )
        body = {"model": model} | self._style.asks(asked.prompt, self._stops) | parameters
        return {name: value for name, value in body.items() if name not in refused}

    # In one piece

    async def embed(
        self, texts: Sequence[str], scope: Scope, *, model: str, **parameters: Any
    ) -> list[list[float]]:
        """The vector of each text, in order."""
        given = "\n".join(texts)
        bound = Usage(input_tokens=tokens.at_most(given))
        vectors, _ = await self._ask(
            "/embeddings",
            scope,
            model,
            {"input": list(texts), "encoding_format": "base64", **parameters},
            read=_vectors,
            bound=bound,
            count=partial(_count_text, given, model),
        )
        return vectors

    async def transcribe(
        self, name: str, audio: bytes, scope: Scope, *, model: str, seconds: float, **parameters: Any
    ) -> dict[str, Any]:
        """The model's JSON for a recording; plain formats come as `{"text": …}`. `name` tells the format.

        What each model takes is bot/speech_models.py's; `seconds` is what a silent provider is paid for.
        """
        return await self._listen("/audio/transcriptions", (name, audio), scope, model, seconds, parameters)

    async def translate(
        self, name: str, audio: bytes, scope: Scope, *, model: str, seconds: float, **parameters: Any
    ) -> dict[str, Any]:
        """A recording in any language as English text. Only Whisper servers have this."""
        return await self._listen("/audio/translations", (name, audio), scope, model, seconds, parameters)

    async def decide(
        self, text: str, questions: Sequence[Mapping[str, Any]], scope: Scope, *, model: str
    ) -> tuple[list[dict[str, Any]], Decimal | None]:
        """The answer to each typed question about one text, in order, and what they cost in dollars (None:
        unpriced). Any may be of type `refusal`."""
        body = {"input": text, "questions": list(questions)}
        given = text + "".join(str(question) for question in questions)
        return await self._ask(
            "/decisions",
            scope,
            model,
            body,
            read=lambda answer: list(answer["answers"]),
            bound=Usage(input_tokens=tokens.at_most(given)),
            count=partial(_count_text, given, model),
        )

    async def image(
        self, prompt: str, scope: Scope, *, model: str, n: int = 1, **parameters: Any
    ) -> list[dict[str, Any]]:
        """Pictures, each with `b64_json`."""
        bound = Usage(input_tokens=tokens.at_most(prompt), output_tokens=n * IMAGE_TOKENS, images=n)
        pictures, _ = await self._ask(
            "/images/generations",
            scope,
            model,
            {"prompt": prompt, "n": n, **parameters},
            read=lambda answer: list(answer["data"]),
            bound=bound,
        )
        return pictures

    async def moderate(self, texts: Sequence[str], scope: Scope, *, model: str) -> list[dict[str, Any]]:
        """What the moderation model says of each text, in order. Free of charge at OpenAI."""
        bound = Usage(input_tokens=sum(map(tokens.at_most, texts)))
        verdicts, _ = await self._ask(
            "/moderations",
            scope,
            model,
            {"input": list(texts)},
            read=lambda answer: list(answer["results"]),
            bound=bound,
        )
        return verdicts

    async def _listen(
        self, path: str, upload: Upload, scope: Scope, model: str, seconds: float, parameters: dict[str, Any]
    ) -> dict[str, Any]:
        heard_tokens = round(seconds * AUDIO_TOKENS_PER_S)
        bound = Usage(
            input_tokens=heard_tokens,
            input_audio_tokens=heard_tokens,
            output_tokens=round(seconds * WORDS_TOKENS_PER_S),
            audio_seconds=seconds,
        )
        heard, _ = await self._ask(path, scope, model, parameters, read=_heard, bound=bound, upload=upload)
        return heard

    async def _ask(
        self,
        path: str,
        scope: Scope,
        model: str,
        wanted: Mapping[str, Any],
        *,
        read: Callable[[Any], T],
        bound: Usage,
        count: Callable[[], Awaitable[Usage]] | None = None,
        upload: Upload | None = None,
    ) -> tuple[T, Decimal | None]:
        """What `read` finds in the JSON answer to one question, however many requests it takes, and what
        that cost in dollars (None: unpriced)."""
        tries = Tries(self._door, self._chance)
        count = count or partial(_as_bound, bound)
        while True:
            try:
                async with self._door.attempt(
                    scope, model, bound=bound, number=tries.next(), count=count
                ) as attempt:
                    body = self._accepted({"model": attempt.model, **wanted})
                    async with asyncio.timeout(self._settings.request_deadline_s):
                        answer = await _sent(attempt, body, self._wire.post(path, body, upload))
                    attempt.usage = _completed(reported(answer.get("usage")), bound)
                    found = read(answer)
                    attempt.outcome = "ok"
                return found, attempt.cost_usd
            except ParameterRefused as refusal:
                await self._learn(refusal)
            except ProviderError as error:
                await tries.again(error)

    # What a model does not take

    def _accepted(self, body: dict[str, Any]) -> dict[str, Any]:
        refused = self._refused.get(self._learned_as(body["model"]), frozenset())
        return {name: value for name, value in body.items() if name not in refused}

    async def _learn(self, refusal: ParameterRefused) -> None:
        """Remembers, also over a restart, that a model does not take a parameter."""
        model = self._learned_as(refusal.model)
        log.info("%s does not take %s: left out from now on", refusal.model, refusal.parameter)
        self._refused[model] = self._refused.get(model, frozenset()) | {refusal.parameter}
        await self._engine.write(learned.refuse, model, refusal.parameter, now=time.time())

    async def _learn_length(self, prompt: Prompt, attempt: Attempt) -> None:
        """Corrects our estimates for a model of unknown vocabulary by its reports, also over a restart."""
        usage, texts = attempt.usage, _read_by_model(prompt)
        shortest, longest = TELLING_BYTES
        if usage is None or usage.estimated or not tokens.estimated(attempt.model):
            return
        if not shortest <= sum(map(tokens.at_most, texts)) <= longest:
            return
        counted = tokens.count("\n".join(texts), attempt.model) + len(texts) * tokens.MESSAGE_TOKENS
        ratio = usage.input_tokens / counted
        if abs(ratio - 1) > NEAR:
            learnt = tokens.learn(attempt.model, ratio)
            await self._engine.write(learned.set_ratio, attempt.model, learnt, now=time.time())

    def _learned_as(self, model: str) -> str:
        """The same name may be another model elsewhere."""
        return f"{model} {self._wire.address}"


async def _sent(attempt: Attempt, body: Mapping[str, Any], request: Awaitable[T]) -> T:
    """The response; ParameterRefused when the model does not take an optional part of the body."""
    attempt.sent = True
    try:
        return await request
    except Exception as exc:
        if name := refused_parameter(exc, body.keys() - NEEDED):
            raise ParameterRefused(attempt.model, name) from exc
        raise


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


async def _count(asked: _Asked, heard: Heard) -> Usage:
    """Our own count of a question and as much of its answer as came."""
    texts = _read_by_model(asked.prompt)
    read = await tokens.counted("\n".join(texts), heard.model)
    said = await tokens.counted(heard.text, heard.model)
    return Usage(input_tokens=read + len(texts) * tokens.MESSAGE_TOKENS, output_tokens=said, estimated=True)


async def _count_text(text: str, model: str) -> Usage:
    return Usage(input_tokens=await tokens.counted(text, model), estimated=True)


async def _as_bound(bound: Usage) -> Usage:
    return replace(bound, estimated=True)


def _completed(usage: Usage | None, bound: Usage) -> Usage | None:
    """Reported usage with what no report holds: how long the recording was, how many pictures were made."""
    if usage is None:
        return None
    return replace(usage, audio_seconds=usage.audio_seconds or bound.audio_seconds, images=bound.images)


def _heard(answer: Any) -> dict[str, Any]:
    """A transcription, which holds a text whatever else it holds."""
    return {**answer, "text": answer["text"] or ""}


def _vectors(answer: Any) -> list[list[float]]:
    rows = sorted(answer["data"], key=lambda row: int(row["index"]))
    return [_vector(row["embedding"]) for row in rows]


def _vector(told: str | list[float]) -> list[float]:
    """Floats, or little-endian 32-bit floats in base64."""
    if not isinstance(told, str):
        return told
    floats = array("f", base64.b64decode(told))
    if sys.byteorder == "big":
        floats.byteswap()
    return floats.tolist()
