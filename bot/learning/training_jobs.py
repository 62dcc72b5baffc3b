"""Trainings as jobs of the inbox: a process that dies over one begins it again.

What is to be learned is committed together with its job. A job lets the head prepare (the guard has examples
written where there are none), then trains, unless a job before it has learned everything already.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.jobs.inbox import Effect, Inbox, Job
from bot.learning.trainer import Trainer
from storage.engine import Engine, Tx
from storage.jobs import queries
from storage.learning.again import AGAIN, find_lane
from storage.place import Channel

log = logging.getLogger(__name__)

Payload = Mapping[str, Any]
Prepare = Callable[[Channel, Payload], Awaitable[None]]


class TrainingJobs:
    """Puts trainings of one head into the inbox, one behind the other for each channel."""

    def __init__(self, engine: Engine, inbox: Inbox, kind: str) -> None:
        self._engine, self._inbox, self._kind = engine, inbox, kind

    async def put(
        self,
        at: Channel,
        payload: Payload,
        *,
        when: Callable[[Tx], bool] = lambda tx: True,
        once: str = "",
    ) -> bool:
        """On return it is on disk and will be learned. `when` writes what is to be learned, and says whether
        there is anything; `payload` is what the head's preparation gets. `once`: what there is one training
        for, whatever came of it."""
        lane = self._lane(at)
        return await self._inbox.put(
            f"{lane}:{once or time.time_ns()}",
            lane,
            self._kind,
            json.dumps({**at.key, **payload}),
            team=at.team,
            when=when,
        )

    async def is_waiting(self, at: Channel) -> bool:
        """Whether there is something that is not learned yet."""
        return await self._engine.read(queries.knows_conversation, self._lane(at))

    def _lane(self, at: Channel) -> str:
        return find_lane(at, self._kind)


class TrainingWorker:
    """Does the trainings of one head."""

    def __init__(self, trainer: Trainer, prepare: Prepare) -> None:
        self._trainer, self._prepare = trainer, prepare

    async def work(self, job: Job) -> list[Effect]:
        """One training, unless what it is for was learned with one before, or was to be learned without what
        is gone since."""
        payload = json.loads(job.payload)
        at = Channel(payload["team"], payload["channel"])
        await self._prepare(at, payload)
        if AGAIN in payload or not await self._trainer.is_up_to_date(at):
            version = await self._trainer.train(at)
            learned = version.version if version else "too little to learn from"
            log.info("%s of %s: %s", self._trainer.name, at.channel, learned)
        return []
