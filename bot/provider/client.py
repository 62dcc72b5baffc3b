"""What every kind of request to the model API needs: gate, transport and model traits, and one question
answered in one piece.

The kinds of request are files of their own beside this one; bot/provider/service.py puts them together.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from bot.core.errors import Credentials, ModelMissing, NotOffered, ProviderError, QuotaSpent, Refused
from bot.core.model_tiers import model_of
from bot.core.settings import Settings
from bot.core.values import Scope, Usage
from bot.costs.ledger import Ledger
from bot.provider.catalogue import Catalogue
from bot.provider.error_table import ParameterRefused
from bot.provider.fair_share import Scheduler
from bot.provider.gate import NEVER_OPTIONAL, Gate, RetryPolicy
from bot.provider.model_server import ModelServer
from bot.provider.model_traits import ModelTraits
from bot.provider.reported_usage import read_billed, read_usage
from bot.provider.safety import SafetyIdentifiers
from bot.provider.stream_deadline import TookTooLong
from bot.provider.stream_readers import find_reported_error
from bot.provider.tags import Tags
from bot.provider.transport import Transport, Upload
from bot.text import tokens
from storage.engine import Engine

T = TypeVar("T")

# What gateways answer where a key may not use an endpoint, or where there is none.
_NOT_FOR_US = (Refused, Credentials, QuotaSpent)


class ModelClient:
    """One model API: its budget and fair shares, its connection, and what is known of its models."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        scheduler: Scheduler,
        engine: Engine,
        *,
        transport: Transport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.catalogue = Catalogue(settings)
        self._now = ledger.calendar.now
        smaller = partial(self.pick_model, model_of("small", settings))
        server = ModelServer.of(settings)
        self.gate = Gate(ledger, scheduler, server, small_model=smaller, sleep=sleep)
        self.transport = transport or Transport(settings)
        self.traits = ModelTraits(engine, self.transport.address)
        self.tags = Tags(settings.tag_key)
        self.identifiers = SafetyIdentifiers(settings)
        self.deadline_s = settings.request_deadline_s
        self._chance = chance

    async def aclose(self) -> None:
        """Returns when each request is written down and the connections are closed."""
        await self.gate.aclose()
        await self.transport.close()

    def pick_model(self, model: str) -> str:
        """The one to ask: itself, or who answers for it since it has ended."""
        return self.catalogue.pick(model, at=self._now())

    def retries(self, *, patient: bool = True) -> RetryPolicy:
        """When to repeat the requests of one question."""
        return RetryPolicy(self.gate, self._chance, patient=patient)

    async def ask(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        scope: Scope,
        model: str,
        read: Callable[[Any], T],
        bound: Usage,
        count: Callable[[], Awaitable[Usage]] | None = None,
        upload: Upload | None = None,
        optional: bool = False,
    ) -> tuple[T, Decimal | None]:
        """What `read` finds in the JSON answer to one question, however many requests it takes, and what
        that cost in dollars (None: unpriced).

        `bound` is the most that one request can use; `count` is our own count for a provider that does not
        report what it used (the bound, unless given). `optional`: whoever asks has another way, so that what
        a server says to an endpoint that few have is not held against all the others.
        """
        if self.traits.lacks(model, path):
            raise NotOffered(path)
        retries = self.retries()
        count = count or partial(_estimate_bound, bound)
        while True:
            try:
                number = retries.next_number()
                async with self.gate.request(
                    scope, model, bound=bound, number=number, ticket=retries.ticket, count=count
                ) as request:
                    request.optional = optional
                    identifier = self.identifiers.parameters(
                        path, scope, refused=self.traits.refused_by(request.model), given=body
                    )
                    accepted = self.traits.drop_refused({"model": request.model, **body, **identifier})
                    tags = self.tags.headers(scope)
                    response = self._in_time(
                        self.transport.post(
                            path, accepted, upload, headers=tags, note_headers=request.note_headers
                        )
                    )
                    answer = await request.send(path, accepted, response)
                    if fault := find_reported_error(answer):
                        raise fault
                    request.usage = _add_duration(read_usage(answer.get("usage")), bound)
                    request.billed_usd = read_billed(answer.get("usage"))
                    found = read(answer)
                    request.outcome = "ok"
                return found, request.cost_usd
            except ParameterRefused as refusal:
                await self.traits.learn_refusal(refusal)
            except ModelMissing:
                self.catalogue.note_missing(model)
                raise
            except NotOffered as error:
                await self.traits.learn_missing(model, path, error)
                raise
            except ProviderError as error:
                if optional and type(error) in _NOT_FOR_US:
                    await self.traits.learn_missing(model, path, missing := NotOffered(path, for_model=True))
                    raise missing from error
                if optional and not isinstance(error, NEVER_OPTIONAL):
                    raise
                await retries.wait_after(error)

    async def _in_time(self, response: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self.deadline_s):
                return await response
        except TimeoutError as exc:
            raise TookTooLong("the request took longer than it may in all") from exc


async def count_text(text: str, model: str) -> Usage:
    """Our own count of a text that was read by a model, for a provider that reports none."""
    return Usage(input_tokens=await tokens.counted(text, model), estimated=True)


async def _estimate_bound(bound: Usage) -> Usage:
    return replace(bound, estimated=True)


def _add_duration(usage: Usage | None, bound: Usage) -> Usage | None:
    """Reported usage with what few reports hold: how long the recording was."""
    return usage and replace(usage, audio_seconds=usage.audio_seconds or bound.audio_seconds)
