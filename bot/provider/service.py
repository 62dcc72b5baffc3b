"""The entry to the model API: everything that Parley asks of a model goes through `Provider`.

Each kind of request is a file of its own: answers in text (text.py), recordings (audio.py), vectors
(vectors.py), decisions (decisions.py). Every request of any kind passes through bot/provider/gate.py: budget,
fair share, request, ledger.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

from bot.core.settings import Settings
from bot.core.values import Completion, Prompt, Scope
from bot.costs.ledger import Ledger
from bot.costs.pricing import read_prices
from bot.ops.metrics import METRICS
from bot.provider import audio as recordings
from bot.provider import decisions, vectors
from bot.provider.answer_stream import AnswerStream
from bot.provider.catalogue import Catalogue
from bot.provider.client import ModelClient
from bot.provider.fair_share import Scheduler
from bot.provider.fallbacks import Server, read_fallbacks, settings_of, stream_in_turn
from bot.provider.text import FIRST_TEXT_S, STALL_S, TextRequests
from bot.provider.transport import Transport, read_models
from bot.provider.trial import Trial
from storage.engine import Engine


class Provider:
    """One model API. `async with` it; any number of tasks may ask at a time.

    Every question raises ProviderError without an answer, BudgetExceeded without money for one.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        scheduler: Scheduler,
        engine: Engine,
        *,
        transport: Transport | None = None,
        first_text_s: float = FIRST_TEXT_S,
        stall_s: float = STALL_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        how: dict[str, Any] = {"sleep": sleep, "chance": chance}
        self._client = ModelClient(settings, ledger, scheduler, engine, transport=transport, **how)
        self._model = settings.model
        breaker = self._client.gate.breaker
        METRICS.follow("parley_provider_open", lambda: float(breaker.is_open))
        METRICS.follow("parley_model_waiting", lambda: float(scheduler.waiting()))
        METRICS.follow("parley_model_forecast_seconds", scheduler.forecast_s)
        text = TextRequests(self._client, settings, first_text_s=first_text_s, stall_s=stall_s)
        self._servers = [Server(self._client, text)]
        for fallback in read_fallbacks(settings):
            theirs = settings_of(settings, fallback)
            book = ledger.at_prices(read_prices(theirs))
            client = ModelClient(theirs, book, scheduler, engine, **how)
            text = TextRequests(client, theirs, first_text_s=first_text_s, stall_s=stall_s)
            self._servers.append(Server(client, text, theirs.model, theirs.style))

    async def __aenter__(self) -> Self:
        for server in self._servers:
            await server.client.traits.load()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            await server.client.aclose()

    async def reread_traits(self) -> None:
        """What other processes learned of models since."""
        for server in self._servers:
            await server.client.traits.load()

    async def load(self) -> None:
        """Imports what the first request needs; the loop goes on meanwhile."""
        await self._client.transport.load()

    @property
    def address(self) -> str:
        """The base URL of the API."""
        return self._client.transport.address

    async def list_models(self) -> list[dict[str, Any]]:
        """The models that the API lists, each with `id` and perhaps `shutdown_date`; raises ProviderError."""
        return await read_models(self._client.transport)

    async def try_models(self, models: Sequence[str], scope: Scope) -> Trial:
        """One token of each of these, and of each further server's own."""
        first, *others = self._servers
        asked = [(first, model) for model in models] + [(server, server.model) for server in others]
        trial = Trial()
        for server, model in asked:
            await trial.add(server.client, server.text.asking, model, scope)
        return trial

    @property
    def catalogue(self) -> Catalogue:
        """When the models of this API end, and who follows them."""
        return self._client.catalogue

    def context_tokens(self, model: str) -> int:
        """How much a model reads in all, its answer included, since it refused more; 0 before that."""
        return self._client.traits.limit_of(self._client.pick_model(model))

    def sees(self, model: str) -> bool:
        """Whether a model is not known to refuse pictures."""
        return self._client.traits.sees(self._client.pick_model(model))

    def pick_model(self, model: str) -> str:
        """The one to ask: itself, or who answers for it since it has ended."""
        return self._client.pick_model(model)

    @property
    def unavailable(self) -> bool:
        """True while nobody can answer: every API is left alone after failures."""
        return all(server.client.gate.breaker.is_open for server in self._servers)

    def stream(
        self,
        prompt: Prompt,
        scope: Scope,
        *,
        model: str = "",
        style: str = "",
        max_output_tokens: int | None = None,
    ) -> AnswerStream:
        """The answer as it arrives, without reasoning and cut at stop sequences. `style`: instead of the
        operator's.

        Errors come out of the first `__anext__`; once there is text, the completion's finish says how it
        ended.
        """
        return stream_in_turn(
            self._servers,
            prompt,
            scope,
            model=model or self._model,
            style=style,
            max_output_tokens=max_output_tokens,
        )

    async def complete(
        self,
        prompt: Prompt,
        scope: Scope,
        *,
        model: str = "",
        style: str = "",
        max_output_tokens: int | None = None,
    ) -> Completion:
        """The whole answer."""
        answer = self.stream(prompt, scope, model=model, style=style, max_output_tokens=max_output_tokens)
        async for _ in answer:
            pass
        return answer.completion

    async def embed(
        self, texts: Sequence[str], scope: Scope, *, model: str, **parameters: Any
    ) -> list[list[float]]:
        """The vector of each text, in order."""
        return await vectors.embed(self._client, texts, scope=scope, model=model, parameters=parameters)

    async def transcribe(
        self, name: str, audio: bytes, scope: Scope, *, model: str, seconds: float, **parameters: Any
    ) -> dict[str, Any]:
        """The model's JSON for a recording; plain formats come as `{"text": …}`. `name` tells the format;
        `seconds` is what a provider is paid for that does not report how long it was."""
        return await recordings.transcribe(
            self._client, (name, audio), scope=scope, model=model, seconds=seconds, parameters=parameters
        )

    async def translate(
        self, name: str, audio: bytes, scope: Scope, *, model: str, seconds: float, **parameters: Any
    ) -> dict[str, Any]:
        """A recording in any language as English text, like `transcribe`. Only Whisper servers have it."""
        return await recordings.translate(
            self._client, (name, audio), scope=scope, model=model, seconds=seconds, parameters=parameters
        )

    async def decide(
        self, text: str, questions: Sequence[Mapping[str, Any]], scope: Scope, *, model: str
    ) -> tuple[list[dict[str, Any]], Decimal | None]:
        """The answer to each typed question about one text, in order, and what they cost in dollars (None:
        unpriced). Any may be of type `refusal`."""
        return await decisions.decide(self._client, text, questions=questions, scope=scope, model=model)
