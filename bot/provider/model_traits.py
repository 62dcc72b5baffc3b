"""Learns and remembers what models are like: which parameters and endpoints they refuse, where they heed no
form, whether they see, how much they read, how long their tokens are, whether they begin an answer with
reasoning that only a closing tag tells from it.

All but the last is kept over restarts by model and address: the same name may be another model elsewhere.
What an operator may change at a server is forgotten after a while.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from bot.core.errors import ContextTooLong, NotOffered
from bot.core.values import Usage
from bot.provider.error_table import ParameterRefused
from bot.provider.pictures import NO_PICTURES
from bot.text import tokens
from storage.engine import Engine
from storage.provider import model_traits

log = logging.getLogger(__name__)

# A shorter prompt shows more of what wraps it than of the model's tokens; a longer one takes long to count.
SAMPLE_BYTES = (1_000, tokens.LONG)
# So long a server's endpoints and forms are taken to be as they were, and how much its model reads.
SERVER_LASTS_S, LIMIT_LASTS_S = 86_400.0, 7 * 86_400.0
ALL_MODELS = ""  # in the place of a model's name
# Of a prompt that was refused without a number, so much is taken to be what the model reads.
CAUTIOUS = 0.75
NEAR = 0.05  # an estimate this close needs no correction


class ModelTraits:
    """Those of the models at one address. `load` what is known before anything is asked."""

    def __init__(self, engine: Engine, address: str) -> None:
        self._engine = engine
        self._address = address
        self._refused: dict[str, frozenset[str]] = {}
        self._hidden_starts: set[str] = set()
        self._limits: dict[str, int] = {}

    async def load(self) -> None:
        """Reads what was learned before this start."""
        now = time.time()
        read = partial(model_traits.refused, since=now - SERVER_LASTS_S)
        self._refused = await self._engine.read(read)
        self._limits = await self._engine.read(partial(model_traits.limits, since=now - LIMIT_LASTS_S))
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
        log.info("%s does not take %s: asked without from now on", refusal.model, refusal.parameter)
        await self._refuse(refusal.model, refusal.parameter)

    def lacks(self, model: str, path: str) -> bool:
        """Whether an endpoint is known not to be there, for this model or for any."""
        return path in self.refused_by(model) or path in self.refused_by(ALL_MODELS)

    async def learn_missing(self, model: str, path: str, error: NotOffered) -> None:
        """An endpoint is not there: it is not asked again for a while."""
        if self.lacks(model, path):
            return
        who = model if error.for_model else "the model API"
        log.warning("%s has no %s: not asked there again for a day", who, path)
        await self._refuse(model if error.for_model else ALL_MODELS, path)

    def heeds_forms(self, model: str, path: str, names: Sequence[str] = ()) -> bool:
        """Whether an answer of a fixed form may be had at an endpoint, as far as is known. `names`: of the
        parameters that ask for one."""
        refused = self.refused_by(model)
        return _form_at(path) not in refused and not (names and refused.issuperset(names))

    async def learn_no_form(self, model: str, path: str) -> None:
        """An answer at an endpoint was not of the form that was asked for."""
        if self.heeds_forms(model, path):
            log.info("%s heeds no form at %s: not asked for one there for a day", model, path)
            await self._refuse(model, _form_at(path))

    def sees(self, model: str) -> bool:
        """Whether a model is not known to refuse pictures."""
        return NO_PICTURES not in self.refused_by(model)

    def limit_of(self, model: str) -> int:
        """How many tokens a model reads in all, its answer included; 0 as long as it refused nothing."""
        return self._limits.get(self._key(model), 0)

    async def learn_limit(self, model: str, error: ContextTooLong, sent_tokens: int) -> None:
        """What a model refused was too long for it. `sent_tokens`: our own count of that."""
        key, known = self._key(model), self.limit_of(model)
        limit = error.limit_tokens or min(known or sent_tokens, round(sent_tokens * CAUTIOUS))
        if limit and limit != known:
            log.info("%s reads %d tokens: conversations are kept within that", model, limit)
            self._limits[key] = limit
            await self._engine.write(model_traits.set_limit, key, limit, now=time.time())

    async def learn_length(
        self, model: str, texts: Sequence[str], usage: Usage | None, *, whole: bool = False
    ) -> None:
        """Corrects our estimates for a model of unknown vocabulary by its report on these texts; `whole`: all
        the way at once, not step by step."""
        shortest, longest = SAMPLE_BYTES
        if usage is None or usage.estimated or not tokens.estimated(model):
            return
        if not shortest <= sum(map(tokens.at_most, texts)) <= longest:
            return
        counted = tokens.count("\n".join(texts), model) + len(texts) * tokens.MESSAGE_TOKENS
        ratio = usage.input_tokens / counted
        if abs(ratio - 1) > NEAR:
            ratio = tokens.learn(model, 2 * ratio - 1 if whole else ratio)
            await self._engine.write(model_traits.set_ratio, model, ratio, now=time.time())

    def note_hidden_start(self, model: str) -> None:
        """An answer of a model began with reasoning that nothing had opened."""
        if model not in self._hidden_starts:
            log.info("%s closes reasoning that nothing opened: its answers wait for that from now on", model)
            self._hidden_starts.add(model)

    def has_hidden_start(self, model: str) -> bool:
        return model in self._hidden_starts

    async def _refuse(self, model: str, what: str) -> None:
        key = self._key(model)
        self._refused[key] = self.refused_by(model) | {what}
        await self._engine.write(model_traits.refuse, key, what, now=time.time())

    def _key(self, model: str) -> str:
        return f"{model} {self._address}"


def _form_at(path: str) -> str:
    return f"form {path}"
