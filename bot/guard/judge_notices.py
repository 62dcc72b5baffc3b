"""Tells owners of a channel that its judge is unable, once a day, as a job: Slack may be away just then."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable

from bot.core.errors import SlackRefused
from bot.guard.ladder import Ladder
from bot.guard.tried_judge import TriedJudge
from bot.jobs.inbox import Effect, Inbox, Job
from storage.channel import owners
from storage.engine import Engine
from storage.guard import policies
from storage.place import Channel

log = logging.getLogger(__name__)

JUDGE_UNABLE = "judge unable"  # the kind of such a job
_DAY_S = 86_400
TEXT = (
    "In <#{channel}> the language model that judges what belongs there contradicts itself, or writes no "
    "verdicts at all, so I do not ask it for now. What you chose for when no judge answers decides: what "
    "examples do not settle is {decided}. More examples in `/parley settings` help; whoever runs me can "
    "choose another model (PARLEY_SMALL_MODEL)."
)
DECIDED = {"open": "answered", "closed": "refused"}


class JudgeNotices:
    """Puts the notices into the inbox."""

    def __init__(self, inbox: Inbox, judge: TriedJudge, *, clock: Callable[[], float] = time.time) -> None:
        self._inbox, self._judge, self._clock = inbox, judge, clock

    async def note_ruling(self, at: Channel) -> None:
        """After a ruling in a channel with a guard."""
        if self._judge.unable:
            lane = f"judge:{at.team}:{at.channel}"
            key = f"{lane}:{self._clock() // _DAY_S:.0f}"
            await self._inbox.put(key, lane, JUDGE_UNABLE, json.dumps(at.key), team=at.team)


class JudgeNoticeWorker:
    """Gives them."""

    def __init__(
        self, engine: Engine, ladder: Ladder, *, tell: Callable[[str, str], Awaitable[None]]
    ) -> None:
        self._engine, self._ladder, self._tell = engine, ladder, tell

    async def work(self, job: Job) -> list[Effect]:
        """One notice, to whoever said what the channel is for and those named for it."""
        at = Channel(**json.loads(job.payload))
        rules = await self._ladder.read_policy(at)
        if rules is None:
            return []
        people = {
            await self._engine.read(policies.read_changed_by, at),
            *await self._engine.read(owners.of_channel, at.team, at.channel),
        } - {""}
        if not people:
            log.warning("nobody is named for %s who could be told that its judge is unable", at.channel)
        for person in sorted(people):
            try:
                await self._tell(person, TEXT.format(channel=at.channel, decided=DECIDED[rules.on_failure]))
            except SlackRefused as exc:
                log.warning("an owner was not told that the judge is unable: %s", exc.code)
        return []
