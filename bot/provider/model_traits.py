"""Learns and remembers what models are like: which parameters they refuse, how long their tokens are, whether
they begin an answer with reasoning that only a closing tag tells from it.

The first two are kept over restarts by model and address: the same name may be another model elsewhere. The
last is not: whoever sets up a server anew can start afresh.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.values import Usage
from bot.provider.error_table import ParameterRefused
from bot.text import tokens
from storage.engine import Engine
from storage.provider import model_traits

log = logging.getLogger(__name__)

# A shorter prompt shows more of what wraps it than of the model's tokens; a longer one takes long to count.
SAMPLE_BYTES = (1_000, tokens.LONG)
NEAR = 0.05  # an estimate this close needs no correction


class ModelTraits:
    """Those of the models at one address. `load` what is known before anything is asked."""

    def __init__(self, engine: Engine, address: str) -> None:
        self._engine = engine
        self._address = address
        self._refused: dict[str, frozenset[str]] = {}
        self._hidden_starts: set[str] = set()

    async def load(self) -> None:
        """Reads what was learned before this start."""
        self._refused = await self._engine.read(model_traits.refused)
        tokens.remember(await self._engine.read(model_traits.ratios))

    def refused_by(self, model: str) -> frozenset[str]:
        """The parameters that a model does not take."""
        return self._refused.get(self._key(model), frozenset())

    def drop_refused(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A body without what its model does not take."""
        refused = self.refused_by(body["model"])
        return {name: value for name, value in body.items() if name not in refused}

    async def learn_refusal(self, refusal: ParameterRefused) -> None:
        """A model does not take a parameter."""
        log.info("%s does not take %s: left out from now on", refusal.model, refusal.parameter)
        model = self._key(refusal.model)
        self._refused[model] = self.refused_by(refusal.model) | {refusal.parameter}
        await self._engine.write(model_traits.refuse, model, refusal.parameter, now=time.time())

    async def learn_length(self, model: str, texts: Sequence[str], usage: Usage | None) -> None:
        """Corrects our estimates for a model of unknown vocabulary by its report on these texts."""
        shortest, longest = SAMPLE_BYTES
        if usage is None or usage.estimated or not tokens.estimated(model):
            return
        if not shortest <= sum(map(tokens.at_most, texts)) <= longest:
            return
        counted = tokens.count("\n".join(texts), model) + len(texts) * tokens.MESSAGE_TOKENS
        ratio = usage.input_tokens / counted
        if abs(ratio - 1) > NEAR:
            ratio = tokens.learn(model, ratio)
            await self._engine.write(model_traits.set_ratio, model, ratio, now=time.time())

    def note_hidden_start(self, model: str) -> None:
        """An answer of a model began with reasoning that nothing had opened."""
        if model not in self._hidden_starts:
            log.info("%s closes reasoning that nothing opened: its answers wait for that from now on", model)
            self._hidden_starts.add(model)

    def has_hidden_start(self, model: str) -> bool:
        return model in self._hidden_starts

    def _key(self, model: str) -> str:
        return f"{model} {self._address}"
