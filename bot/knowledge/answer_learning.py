"""Learning which passages answer a channel's questions: when it is trained, what it is shown, what is in use.

Once an hour channels with enough new examples get a training, as a job of the inbox: the small model writes
near misses for passages that have none, then a head is fitted and put to use where it is better than the
shipped one on what was held out, with the whole interval of its gain.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.core.errors import BotError, Missing
from bot.core.values import Scope
from bot.knowledge.near_misses import AT_ONCE, write_near_misses
from bot.knowledge.own_head import OwnHeads
from bot.learning.trainer import Trainer
from bot.learning.training_jobs import TrainingJobs
from bot.learning.versions import Version
from bot.provider.fair_share import in_background
from bot.provider.json_form import ModelApi
from storage.engine import Engine
from storage.knowledge import answer_examples, answer_models
from storage.knowledge.answer_examples import AnswerExample
from storage.knowledge.looked_at import find_shown
from storage.place import Channel

log = logging.getLogger(__name__)

ANSWER_TRAINING = answer_examples.TRAINING  # the kind of its jobs
SHIPPED = 0  # as a version: the head that every channel begins with
_MOST_REQUESTS = 4  # for near misses, in one training
RULE = (
    f"A version is trained when there are {answer_models.FIRST} examples that the newest one does not know, "
    "and used where it is surely better than the shipped one on examples that it was not shown. Where "
    "something that it learned from is removed or forgotten, another one is trained at once without that."
)


@dataclass(frozen=True, slots=True)
class LearningState:
    """What a channel's owner is shown. `examples`: how many there are, by source."""

    versions: tuple[Version, ...]
    examples: Mapping[str, int]
    waiting: bool


class AnswerLearning:
    """One for the whole process."""

    def __init__(
        self,
        engine: Engine,
        trainer: Trainer,
        jobs: TrainingJobs,
        heads: OwnHeads,
        *,
        clock: Callable[[], float],
    ) -> None:
        """`clock` gives unix seconds."""
        self._engine, self._trainer, self._jobs, self._heads = engine, trainer, jobs, heads
        self._clock = clock

    async def look(self) -> None:
        """Has every channel trained that has enough to learn from, once for all that was asked there until
        now: where nothing could be told apart, nothing can be until more is asked. What cannot be done now is
        done in an hour."""
        try:
            for at in await self._engine.read(answer_models.list_due):
                if not await self._jobs.is_waiting(at):
                    newest = await self._engine.read(answer_examples.find_newest, at)
                    await self._jobs.put(at, {}, once=f"up to {newest}")
        except BotError as exc:
            log.error("nothing is learned from answers for an hour: %s", type(exc).__name__)

    async def read_state(self, at: Channel) -> LearningState:
        """Versions, newest first, and what there is to learn from."""
        return LearningState(
            tuple(await self._trainer.list_versions(at)),
            await self._engine.read(answer_examples.count_by_source, at),
            await self._jobs.is_waiting(at),
        )

    async def use_version(self, at: Channel, version: int, *, by: str) -> None:
        """Puts a stored version to use, or the shipped head. Missing when it is not there."""
        if version != SHIPPED:
            await self._trainer.use_version(at, version, by=by)
            return
        if not await self._engine.write(answer_models.use_shipped, at, by=by, now=self._clock()):
            raise Missing("a version in use")
        self._heads.reload(at)


class AnswerTrainingPreparation:
    """What comes before a training: near misses for passages that have none."""

    def __init__(
        self, engine: Engine, model_api: ModelApi, *, model: str, clock: Callable[[], float]
    ) -> None:
        self._engine, self._model_api, self._model, self._clock = engine, model_api, model, clock

    async def prepare(self, at: Channel, payload: Mapping[str, Any]) -> None:
        """Where no model answers or money is spent it is trained without them."""
        scope = Scope(at.team, at.channel, "", f"answers:{at.channel}", "training")
        try:
            for _ in range(_MOST_REQUESTS):
                if not await self._write_some(at, scope):
                    return
        except BotError as exc:
            log.warning("no near misses for %s: %s", at.channel, type(exc).__name__)

    async def _write_some(self, at: Channel, scope: Scope) -> int:
        wanted = await self._engine.read(answer_examples.list_without_near_miss, at, limit=AT_ONCE)
        passages = await self._engine.read(find_shown, at.team, wanted)
        with in_background():
            written = await write_near_misses(self._model_api, passages, scope, model=self._model)
        for (document, chunk), question in written:
            example = AnswerExample(
                at.team, at.channel, question, 0, "near miss", self._clock(), document, chunk
            )
            await self._engine.write(answer_examples.add_near_miss, example)
        return len(written)
