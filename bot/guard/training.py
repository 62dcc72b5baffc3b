"""How a channel's guard learns: examples in, a trained discriminator with its held-out report out.

A training reads the examples, fits in a thread, and stores the result in one write: killed anywhere, the
version in use stays in use. Examples come from the owner, the model (shown first), files and buttons.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from bot.core.errors import Missing
from bot.core.values import Scope
from bot.costs.pricing import usd
from bot.guard.ladder import Ladder
from bot.guard.policy import COSTS, Policy
from bot.ml.classification_report import Report, report
from bot.ml.discriminator import MIN_EXAMPLES, Example, Training, dump, train
from bot.provider.embeddings import Embedder
from storage.engine import Engine
from storage.guard import examples as example_rows
from storage.guard import models, verdicts
from storage.place import Channel

# What does not belong is endless; at least this many examples of it, filled up with everyday questions.
_ENOUGH_NEGATIVES = 250


@dataclass(frozen=True, slots=True)
class Version:
    """A trained model of a channel and how it does on examples it did not see."""

    version: int
    rows: int
    report: dict[str, Any]  # bot.ml.classification_report.Report as JSON
    in_use: bool
    trained_at: float


@dataclass(frozen=True, slots=True)
class Week:
    """What a guard did in one channel in the week from `begins_at` (unix seconds)."""

    channel: str
    begins_at: float
    refused: int
    allowed: int
    overturned: int  # of both, by people
    cost_usd: Any


class Trainer:
    """Trains the guards of all channels; one training per channel at a time."""

    def __init__(
        self,
        engine: Engine,
        guard: Ladder,
        *,
        embedder: Embedder | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine, self._guard, self._embedder, self._clock = engine, guard, embedder, clock
        self._locks: dict[Channel, asyncio.Lock] = {}

    async def add(self, at: Channel, examples: Iterable[Example], *, source: str) -> None:
        """Labelled messages that an owner gave or approved."""
        given = [(example.text, example.on_topic) for example in examples]
        await self._engine.write(example_rows.add_examples, at, given, source=source, now=self._clock())

    async def train(self, at: Channel) -> Version | None:
        """Trains on everything known of the channel and puts it to use; None with too few examples."""
        async with self._locks.setdefault(at, asyncio.Lock()):
            now = self._clock()  # what is added from here on is for the next training
            rules = await self._guard.policy(at)
            stored = await self._engine.read(example_rows.list_examples, at)
            examples = _gathered(stored, rules)
            if sum(e.on_topic for e in examples) < MIN_EXAMPLES:
                return None
            if self._embedder:
                scope = Scope(at.team, at.channel, "", "", "embedding")
                vectors = await self._embedder.embed([e.text for e in examples], scope)
                examples = [Example(e.text, e.on_topic, v) for e, v in zip(examples, vectors, strict=True)]
            costs = COSTS[rules.strictness] if rules else None
            trained = await asyncio.to_thread(train, examples, costs=costs)
            figures = asdict(_report(examples, trained))
            version = await self._engine.write(
                models.add_model,
                at,
                dump(trained.discriminator),
                embedder=self._embedder.name if self._embedder else "",
                examples=len(stored),
                report=json.dumps(figures),
                now=now,
            )
        self._guard.changed(at)
        return Version(version, len(examples), figures, True, now)

    async def versions(self, at: Channel) -> list[Version]:
        """Newest first."""
        return [
            Version(
                row["version"],
                json.loads(row["report"])["rows"],
                json.loads(row["report"]),
                bool(row["in_use"]),
                row["trained_at"],
            )
            for row in await self._engine.read(models.list_models, at)
        ]

    async def use(self, at: Channel, version: int, *, by: str) -> None:
        """Rolls back (or forward) to a stored version. Missing when it is not there."""
        if not await self._engine.write(models.roll_back, at, version, by=by, now=self._clock()):
            raise Missing(f"version {version}")
        self._guard.changed(at)

    async def weeks(self, team: str, *, since: float, channel: str = "") -> list[Week]:
        """What the guards did, per channel and week, latest week first."""
        rows = await self._engine.read(verdicts.count_by_week, team, since=since, channel=channel)
        return [
            Week(r["channel"], r["week"], r["refused"], r["allowed"], r["overturned"], usd(r["cost"]))
            for r in rows
        ]


def _gathered(stored: Sequence[dict[str, Any]], rules: Policy | None) -> list[Example]:
    """Stored examples, the policy's own, and everyday negatives to fill up; a text once, later labels win."""
    known = {text: on for texts, on in _of_policy(rules) for text in texts}
    known |= {row["text"]: bool(row["on_topic"]) for row in stored}
    examples = [Example(text, on) for text, on in known.items()]
    missing = max(0, _ENOUGH_NEGATIVES - sum(not e.on_topic for e in examples))
    return examples + [Example(text, False) for text in everyday() if text not in known][:missing]


def _of_policy(rules: Policy | None) -> list[tuple[tuple[str, ...], bool]]:
    return [(rules.belongs, True), (rules.does_not, False)] if rules else []


@cache
def everyday() -> tuple[str, ...]:
    """Questions about everything and nothing, from CLINC150 (see NOTICE)."""
    return tuple(files("bot.guard").joinpath("everyday.txt").read_text("utf-8").split("\n")[:-1])


def _report(examples: Sequence[Example], trained: Training) -> Report:
    labels = [e.on_topic for e in examples]
    return report(labels, trained.held_out, threshold=trained.discriminator.lines.threshold)
