"""A provider on a fake model API and a real ledger, for tests of what is asked of a model.

When the block ends, the ledger must have one settled row for each request that the server saw.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.core.calendar import Calendar, zone
from bot.core.settings import Settings
from bot.core.values import Completion, Message, Prompt, Scope
from bot.costs.ledger import Ledger
from bot.costs.pricing import Prices
from bot.provider.answer_stream import AnswerStream
from bot.provider.fair_share import Scheduler
from bot.provider.service import Provider
from bot.sandbox.model.server import FakeModel
from storage.database import open_engine
from storage.engine import Engine, Tx
from tests.support.engines import database_url

SCOPE = Scope(team="T1", channel="C1", user="U1", conversation="T1:C1:1.0", kind="answer")
SETTINGS = Settings(openai_api_key="sk-test", model="rehearsal", request_deadline_s=5.0)


def build_prompt(text: str = "What is the capital of France?", **more: Any) -> Prompt:
    return Prompt(system="You are helpful.", messages=(Message("human", text),), **more)


def rows(tx: Tx) -> list[dict[str, Any]]:
    return tx.all("select * from ledger order by id")


@dataclass
class Bench:
    """The provider, the server behind it, and the ledger beside it."""

    model: FakeModel
    provider: Provider
    engine: Engine
    slept: list[float]

    async def ask(self, text: str = "What is the capital of France?", **more: Any) -> Completion:
        return await self.provider.complete(build_prompt(text), SCOPE, **more)

    def stream(self, text: str = "What is the capital of France?", **more: Any) -> AnswerStream:
        return self.provider.stream(build_prompt(text), SCOPE, **more)

    async def rows(self) -> list[dict[str, Any]]:
        return await self.engine.read(rows)

    async def outcomes(self) -> list[str]:
        return [row["outcome"] for row in await self.rows()]

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of the requests, oldest first."""
        return [request.body for request in self.model.requests]


@asynccontextmanager
async def open_bench(
    path: Path,
    *,
    model: FakeModel | None = None,
    first_text_s: float = 2.0,
    stall_s: float = 0.3,
    scheduler: Scheduler | None = None,
    unseen: int = 0,
    **settings: Any,
) -> AsyncIterator[Bench]:
    """`unseen` rows belong to requests that no server saw. Sleeps between retries are noted, not slept."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async with (
        FakeModel() as own,
        open_engine(database_url(path / "parley.db")) as engine,
    ):
        server = model or own
        before = len(server.requests)
        ledger = Ledger(engine, Prices(server.base_url), Calendar(zone("UTC")))
        had = len(await engine.read(rows))
        provider = Provider(
            SETTINGS.changed(**{"openai_base_url": server.base_url} | settings),
            ledger,
            scheduler or Scheduler(),
            engine,
            first_text_s=first_text_s,
            stall_s=stall_s,
            sleep=sleep,
            chance=random.Random(7).random,
        )
        async with provider:
            await provider.load()  # as `serve` does: deadlines are of requests, not of the import
            yield Bench(server, provider, engine, slept)
        written = (await engine.read(rows))[had:]
        assert len(written) - unseen == len(server.requests) - before, "one row for each request"
        assert not [row for row in written if row["outcome"] == "open"], "every row is settled"
