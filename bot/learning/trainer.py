"""Trains a head's models: examples in, a stored version with its held-out report out.

A training reads the examples, fits beside the event loop, and stores the result in one write: killed
anywhere, the version in use stays in use.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from bot.core.errors import Missing
from bot.learning.head import Head
from bot.learning.held_out_report import report_held_out
from bot.learning.versions import Version, read_version
from storage.engine import Engine
from storage.place import Channel


class Trainer:
    """Trains the models of all channels for one head; one training per channel at a time."""

    def __init__(self, engine: Engine, head: Head, *, clock: Callable[[], float] = time.time) -> None:
        self._engine, self._head, self._clock = engine, head, clock
        self._locks: dict[Channel, asyncio.Lock] = {}

    @property
    def name(self) -> str:
        """Of the head."""
        return self._head.name

    async def add_examples(self, at: Channel, given: Sequence[tuple[Any, bool]], *, source: str) -> None:
        """Examples with their labels, which somebody gave or approved."""
        await self._engine.write(
            self._head.examples.add_examples, at, given, source=source, now=self._clock()
        )

    async def train(self, at: Channel) -> Version | None:
        """Trains on everything known of the channel and puts it to use if it is better than what judges
        without it; None with too few examples."""
        async with self._locks.setdefault(at, asyncio.Lock()):
            now = self._clock()  # what is added from here on is for the next training
            stored = await self._engine.read(self._head.examples.list_examples, at)
            fit = await self._head.fit(at, stored)
            if fit is None:
                return None
            report = report_held_out(fit)
            version = await self._engine.write(
                self._head.models.add_model,
                at,
                fit.model,
                embedder=fit.embedder,
                examples=[row["id"] for row in stored],
                report=json.dumps(report),
                now=now,
                use=fit.better,
            )
        self._head.reload(at)
        return Version(version, len(fit.labels), report, fit.better, now)

    async def is_up_to_date(self, at: Channel) -> bool:
        """Whether the model in use can be used, and knows all there is to learn from."""
        if self._engine.shared:  # another process may have trained one a moment ago
            self._head.reload(at)
        return await self._head.is_usable(at) and await self._engine.read(self._head.models.is_up_to_date, at)

    async def list_versions(self, at: Channel) -> list[Version]:
        """Newest first."""
        return [read_version(row) for row in await self._engine.read(self._head.models.list_models, at)]

    async def use_version(self, at: Channel, version: int, *, by: str) -> None:
        """Rolls back (or forward) to a stored version. Missing when it is not there."""
        if not await self._engine.write(self._head.models.roll_back, at, version, by=by, now=self._clock()):
            raise Missing(f"version {version}")
        self._head.reload(at)
