"""What comes before a training: a wrongly refused question is asked again, missing examples are written.

Putting a training into the inbox and doing it is bot/learning/training_jobs.py's.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from bot.core.errors import AskError, BotError, Conflict, Missing, SlackError
from bot.core.values import Scope
from bot.guard.ladder import Ladder, verdict_from_row
from bot.guard.model_judge import UnreadableVerdict, write_examples
from bot.guard.policy import Policy
from bot.jobs.inbox import Job
from bot.provider.fair_share import in_background
from bot.provider.json_form import ModelApi
from storage.channel import owners
from storage.engine import Engine
from storage.guard import examples, verdicts
from storage.place import Channel

log = logging.getLogger(__name__)

TRAINING = "lesson"  # the kind of the guard's training jobs
WRITTEN = (
    "I wrote {on} examples of what belongs in <#{channel}> and {off} of what does not, from what you said it "
    "is for. They decide what I answer there: look through them in `/parley settings`."
)

NOT_WRITTEN = (
    "I could not write examples of what belongs in <#{channel}>: {why} Please give some in `/parley "
    "settings`; until then the language model judges every message there, and where it cannot, your setting "
    "decides."
)
UNREADABLE = "the model wrote something else than a list."


class TrainingPreparation:
    """One for the whole process."""

    def __init__(
        self,
        engine: Engine,
        ladder: Ladder,
        model_api: ModelApi,
        *,
        model: str,
        tell: Callable[[str, str], Awaitable[None]],
        retry: Callable[[str, str], Awaitable[None]],
    ) -> None:
        """`model` writes examples; `tell(person, text)` writes to somebody directly; `retry(reply, person)`
        asks a question again."""
        self._engine, self._ladder, self._model_api, self._model = engine, ladder, model_api, model
        self._tell, self._retry = tell, retry

    async def prepare(self, at: Channel, payload: Mapping[str, Any]) -> None:
        """`payload`: `by`, who changed something, and `verdict`, which they spoke of, or 0."""
        await self._ask_again(at.team, payload.get("verdict", 0))
        policy = await self._ladder.read_policy(at)
        if policy and not await self._has_examples(at, policy):
            await self._write_examples(at, policy, payload["by"])

    async def _ask_again(self, team: str, verdict: int) -> None:
        """Asks a question once more that was refused and should have been answered."""
        row = await self._engine.read(verdicts.read_verdict, team, verdict)
        if row and row["label"] and row["reply"] and verdict_from_row(row).stops:
            with contextlib.suppress(AskError, Conflict, Missing):  # asked before, or the question is gone
                await self._retry(row["reply"], row["person"])

    async def _has_examples(self, at: Channel, policy: Policy) -> bool:
        rows = await self._engine.read(examples.list_examples, at)
        return bool(policy.belongs) or any(row["on_topic"] for row in rows if row["source"] != "feedback")

    async def _write_examples(self, at: Channel, policy: Policy, by: str) -> None:
        scope = Scope(at.team, at.channel, by, f"{TRAINING}:{at.channel}", "guard")
        try:
            with in_background():
                written = await write_examples(self._model_api, policy, scope, model=self._model)
        except UnreadableVerdict as exc:
            log.warning("no examples for %s: %s", at.channel, exc)
            await self._tell_failure(at, by, UNREADABLE)
            return
        except BotError as exc:
            if exc.retry:
                raise  # and told when nothing helps (`report_failure`)
            log.warning("no examples for %s: %r", at.channel, exc)
            await self._tell_failure(at, by, exc.notice)
            return
        on = tuple(e.text for e in written if e.on_topic)
        off = tuple(e.text for e in written if not e.on_topic)
        if await self._ladder.read_policy(at) != policy:
            return  # its owner changed it meanwhile, which brings its own training
        changed = replace(policy, belongs=on, does_not=(*policy.does_not, *off))
        await self._ladder.save_policy(at, changed, by=by)
        if by:
            await self._tell_owner(by, WRITTEN.format(on=len(on), off=len(off), channel=at.channel))

    async def report_failure(self, job: Job, error: BotError) -> None:
        """The last word on a training that was given up on."""
        payload = json.loads(job.payload)
        at = Channel(payload["team"], payload["channel"])
        policy = await self._ladder.read_policy(at)
        if policy and not await self._has_examples(at, policy):
            await self._tell_failure(at, payload.get("by", ""), error.notice)

    async def _tell_failure(self, at: Channel, by: str, why: str) -> None:
        """Tells whoever changed the policy; of one in a file, those who were named for the channel."""
        people = [by] if by else await self._engine.read(owners.of_channel, at.team, at.channel)
        if not people:
            log.warning("nobody is named for %s who could be told that it has no examples", at.channel)
        for person in people:
            await self._tell_owner(person, NOT_WRITTEN.format(channel=at.channel, why=why))

    async def _tell_owner(self, by: str, text: str) -> None:
        try:
            await self._tell(by, text)
        except SlackError as exc:  # the settings show it all the same
            log.warning("the owner was not told of the examples: %s", exc)
