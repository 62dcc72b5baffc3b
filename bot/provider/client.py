"""Everything that is asked of a model in one piece: vectors, recordings, decisions, pictures, moderation.

The other half of the door to the model APIs; answers in text are bot/provider/text.py's.
"""

from __future__ import annotations

import asyncio
import base64
import random
import sys
from array import array
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar

from bot.core.errors import ProviderError
from bot.core.settings import Settings
from bot.core.values import Scope, Usage
from bot.costs.ledger import Ledger
from bot.provider.error_table import ParameterRefused, refused_parameter
from bot.provider.fair_share import Scheduler
from bot.provider.gate import Attempt, Gate, RetryPolicy
from bot.provider.model_traits import ModelTraits
from bot.provider.reported_usage import reported
from bot.provider.transport import Transport, Upload
from bot.text import tokens
from storage.engine import Engine

T = TypeVar("T")

# Bounds for budgets; what was used is settled from the provider's report.
AUDIO_TOKENS_PER_S = 20
WORDS_TOKENS_PER_S = 10
IMAGE_TOKENS = 16_384
# Without these a request asks for something else, so they are never dropped.
NEEDED = frozenset(["model", "prompt", "messages", "input", "questions"])


class Pieces:
    """What the model API answers in one piece. `async with` it; any number of tasks may ask at a time."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        scheduler: Scheduler,
        engine: Engine,
        *,
        wire: Transport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._door = Gate(ledger, scheduler, small_model=settings.small_model, sleep=sleep)
        self._chance = chance
        self._wire = wire or Transport(settings)
        self._quirks = ModelTraits(engine, self._wire.address)

    async def __aenter__(self) -> Self:
        await self._quirks.remember()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._door.aclose()
        await self._wire.close()

    @property
    def unavailable(self) -> bool:
        """True while the API is left alone after failures."""
        return self._door.breaker.open

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

        What each model takes is bot/voice/speech_models.py's; `seconds` is what a silent provider is paid
        for.
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
        tries = RetryPolicy(self._door, self._chance)
        count = count or partial(_as_bound, bound)
        while True:
            try:
                async with self._door.attempt(
                    scope, model, bound=bound, number=tries.next(), count=count
                ) as attempt:
                    body = self._quirks.accepted({"model": attempt.model, **wanted})
                    async with asyncio.timeout(self._settings.request_deadline_s):
                        answer = await sent(attempt, body, self._wire.post(path, body, upload))
                    attempt.usage = _completed(reported(answer.get("usage")), bound)
                    found = read(answer)
                    attempt.outcome = "ok"
                return found, attempt.cost_usd
            except ParameterRefused as refusal:
                await self._quirks.learn(refusal)
            except ProviderError as error:
                await tries.again(error)


async def sent(attempt: Attempt, body: Mapping[str, Any], request: Awaitable[T]) -> T:
    """The response; ParameterRefused when the model does not take an optional part of the body."""
    attempt.sent = True
    try:
        return await request
    except Exception as exc:
        if name := refused_parameter(exc, body.keys() - NEEDED):
            raise ParameterRefused(attempt.model, name) from exc
        raise


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
