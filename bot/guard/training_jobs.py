"""What a guard has to learn waits in the inbox until it is learned: a process that dies over it starts again.

What people taught is committed together with the lesson. A lesson has what was wrongly refused asked again,
writes examples when a policy has none, then trains beside the event loop; how a training goes is
bot/guard/training.py's.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

from bot.core.errors import AskError, Conflict, Missing, SlackError
from bot.core.values import Scope
from bot.guard.ladder import Ladder, verdict_from
from bot.guard.model_judge import write_examples
from bot.guard.policy import Policy
from bot.guard.training import Trainer
from bot.jobs.inbox import Effect, Inbox, Job
from bot.provider.json_form import ModelApi
from storage.engine import Engine, Tx
from storage.guard import examples, models, verdicts
from storage.jobs import inbox as jobs
from storage.place import Channel

log = logging.getLogger(__name__)

TRAINING = "lesson"  # the kind of job
WRITTEN = (
    "I wrote {on} examples of what belongs in <#{channel}> and {off} of what does not, from what you said it "
    "is for. They decide what I answer there: look through them in `/parley settings`."
)


class TrainingJobs:
    """One for the whole process."""

    def __init__(
        self,
        engine: Engine,
        inbox: Inbox,
        guard: Ladder,
        school: Trainer,
        door: ModelApi,
        *,
        model: str,
        tell: Callable[[str, str], Awaitable[None]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`model` writes examples; `tell(person, text)` writes to somebody directly."""
        self._engine, self._inbox = engine, inbox
        self._guard, self._school, self._door = guard, school, door
        self._model, self._tell, self._clock = model, tell, clock

    async def put(
        self, at: Channel, *, by: str, when: Callable[[Tx], bool] = lambda tx: True, verdict: int = 0
    ) -> bool:
        """On return it is on disk and will be learned. `when` writes what is to be learned, and says whether
        there is anything; `verdict` is what a person spoke of with it."""
        place = _desk(at)
        payload = json.dumps({**at.key, "by": by, "verdict": verdict})
        return await self._inbox.put(
            f"{place}:{time.time_ns()}", place, TRAINING, payload, team=at.team, when=when
        )

    async def label(self, team: str, verdict: int, on_topic: bool, *, by: str) -> bool:
        """ "Should have answered" (or refused): the message becomes an example, and what was wrongly refused
        is asked again. False when that was said of it last. Missing without a verdict."""
        row = await self._engine.read(verdicts.read_verdict, team, verdict)
        if row is None:
            raise Missing(f"verdict {verdict}")
        taught = partial(_labelled, team=team, verdict=verdict, on_topic=on_topic, by=by, now=self._clock())
        return await self.put(Channel(team, row["channel"]), by=by, when=taught, verdict=verdict)

    async def waiting(self, at: Channel) -> bool:
        """Whether there is something that is not learned yet."""
        return await self._engine.read(jobs.knows, _desk(at))

    async def work(self, job: Job, *, retry: Callable[[str, str], Awaitable[None]]) -> list[Effect]:
        """One lesson, unless a later change was learned with it before.

        `retry(reply, person)` asks a question again.
        """
        payload = json.loads(job.payload)
        at = Channel(payload["team"], payload["channel"])
        await self._ask_again(at.team, payload.get("verdict", 0), retry)
        rules = await self._guard.policy(at)
        if rules and not await self._examples(at, rules):
            await self._write_examples(at, rules, payload["by"])
        if await self._guard.model(at) is None or not await self._engine.read(models.is_up_to_date, at):
            version = await self._school.train(at)
            log.info(
                "guard of %s: %s", at.channel, version.version if version else "too little to learn from"
            )
        return []

    async def _ask_again(self, team: str, verdict: int, retry: Callable[[str, str], Awaitable[None]]) -> None:
        """What was refused and should have been answered is a question once more."""
        row = await self._engine.read(verdicts.read_verdict, team, verdict)
        if row and row["label"] and row["reply"] and verdict_from(row).stops:
            with contextlib.suppress(AskError, Conflict, Missing):  # asked before, or the question is gone
                await retry(row["reply"], row["person"])

    async def _examples(self, at: Channel, rules: Policy) -> bool:
        rows = await self._engine.read(examples.list_examples, at)
        return bool(rules.belongs) or any(row["on_topic"] for row in rows if row["source"] != "feedback")

    async def _write_examples(self, at: Channel, rules: Policy, by: str) -> None:
        scope = Scope(at.team, at.channel, by, f"{TRAINING}:{at.channel}", "guard")
        written = await write_examples(self._door, rules, scope, model=self._model)
        on = tuple(e.text for e in written if e.on_topic)
        off = tuple(e.text for e in written if not e.on_topic)
        if (
            await self._guard.policy(at) != rules
        ):  # its owner changed it meanwhile, which brings its own lesson
            return
        changed = replace(rules, belongs=on, does_not=(*rules.does_not, *off))
        await self._guard.save_policy(at, changed, by=by)
        if by:
            await self._tell_owner(by, WRITTEN.format(on=len(on), off=len(off), channel=at.channel))

    async def _tell_owner(self, by: str, text: str) -> None:
        try:
            await self._tell(by, text)
        except SlackError as exc:  # the settings show it all the same
            log.warning("the owner was not told of the examples: %s", exc)


def _desk(at: Channel) -> str:
    """Where a channel's lessons wait, one behind the other."""
    return f"{TRAINING}:{at.team}:{at.channel}"


def _labelled(tx: Tx, *, team: str, verdict: int, on_topic: bool, by: str, now: float) -> bool:
    return verdicts.label_verdict(tx, team, verdict, on_topic, by=by, now=now) is not None
