"""The guard's head: discriminators trained on what people taught, the policy and everyday questions."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from bot.core.values import Scope
from bot.guard.contradictions import find_opposite
from bot.guard.ladder import Ladder
from bot.guard.policy import COSTS, Policy
from bot.learning.examples import ExampleStore
from bot.learning.head import Fit
from bot.learning.versions import ModelStore
from bot.ml.discriminator import MIN_EXAMPLES, Example, dump, train
from bot.provider.embeddings import Embedder
from bot.provider.fair_share import in_background
from storage.guard import examples, models
from storage.place import Channel

# What does not belong is endless; at least this many examples of it, filled up with everyday questions.
_ENOUGH_NEGATIVES = 250


class GuardHead:
    """Fits discriminators for the ladder, which uses them."""

    name = "guard"
    examples: ExampleStore = examples
    models: ModelStore = models

    def __init__(self, ladder: Ladder, *, embedder: Embedder | None = None) -> None:
        self._ladder, self._embedder = ladder, embedder

    async def fit(self, at: Channel, stored: Sequence[dict[str, Any]]) -> Fit | None:
        """Fits a discriminator on stored examples, the policy's own, and everyday questions."""
        policy = await self._ladder.read_policy(at)
        rows = gather_examples(stored, policy)
        if sum(row.on_topic for row in rows) < MIN_EXAMPLES:
            return None
        if self._embedder:
            scope = Scope(at.team, at.channel, "", "", "embedding")
            with in_background():
                vectors = await self._embedder.embed([row.text for row in rows], scope)
            rows = [Example(row.text, row.on_topic, v) for row, v in zip(rows, vectors, strict=True)]
        trained = await asyncio.to_thread(train, rows, costs=COSTS[policy.strictness] if policy else None)
        return Fit(
            dump(trained.discriminator),
            [row.on_topic for row in rows],
            trained.held_out,
            trained.discriminator.lines.threshold,
            self._embedder.name if self._embedder else "",
            learned_from=policy.learned_from if policy else "",
        )

    async def is_usable(self, at: Channel) -> bool:
        """Whether the ladder has a model for the channel, and one was trained on its policy as it is."""
        return await self._ladder.read_model(at) is not None and await self._ladder.was_learned(at)

    def reload(self, at: Channel) -> None:
        """The ladder reads the channel's model again."""
        self._ladder.reload_model(at)


def gather_examples(stored: Sequence[dict[str, Any]], policy: Policy | None) -> list[Example]:
    """Stored examples, the policy's own, and everyday questions to fill up; a text once, later labels win.

    An example that contradicts the policy teaches nothing (bot/guard/contradictions.py).
    """
    known: dict[str, bool] = {}
    if policy:
        known |= dict.fromkeys(policy.belongs, True) | dict.fromkeys(policy.does_not, False)
    for row in stored:
        on_topic = bool(row["on_topic"])
        if policy is None or not find_opposite(policy, row["text"], on_topic=on_topic):
            known[row["text"]] = on_topic
    gathered = [Example(text, on_topic) for text, on_topic in known.items()]
    missing = max(0, _ENOUGH_NEGATIVES - sum(not row.on_topic for row in gathered))
    fill = [text for text in read_everyday_questions() if text not in known]
    return gathered + [Example(text, False) for text in fill[:missing]]


@cache
def read_everyday_questions() -> tuple[str, ...]:
    """Questions about everything and nothing, from CLINC150 (see NOTICE)."""
    return tuple(files("bot.guard").joinpath("everyday.txt").read_text("utf-8").split("\n")[:-1])
