"""A judge that is asked as long as it is able to judge.

Small models fill in a verdict as they like: it belongs, with a probability of 0.1; on servers that heed no
form they write prose. One such verdict is odd, and odd ones refuse, because somebody may be making the model
write them. Several running are a reason to try the judge on a question of our own, which nobody can talk it
into anything about. Where it fails at that, too, it is no judge: it is not asked for a while, and the
policy's `on_failure` decides.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from bot.core.errors import ProviderError
from bot.core.values import Scope
from bot.guard.coverage import Said
from bot.guard.model_judge import Judge, Opinion, UnreadableVerdict
from bot.guard.policy import Policy

log = logging.getLogger(__name__)

RUNNING = 3  # odd verdicts one after the other, before the judge is tried
NOT_ASKED_S = 900.0
TRIAL = Policy(purpose="cooking and recipes")
TRIAL_MESSAGE = "How long do I have to boil an egg?"


class JudgeUnable(ProviderError):
    """The model that judges what belongs here gives no verdicts that could be believed."""


class TriedJudge:
    """One for the whole process; what it knows of the judge is of the last verdicts only."""

    def __init__(self, judge: Judge, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._judge, self._clock = judge, clock
        self._running = 0
        self._asked_again_at = 0.0

    @property
    def unable(self) -> bool:
        return self._clock() < self._asked_again_at

    async def opinion(self, policy: Policy, text: str, said: Sequence[Said], scope: Scope) -> Opinion:
        """As of the judge; JudgeUnable, without asking, while it is known to be none."""
        if self.unable:
            raise JudgeUnable("not asked for a while")
        try:
            opinion = await self._judge.opinion(policy, text, said, scope)
        except UnreadableVerdict as exc:
            self._running += 1
            if self._running < RUNNING:
                raise
            self._running = 0
            if not await self._fails_trial(scope):
                raise
            self._asked_again_at = self._clock() + NOT_ASKED_S
            log.error("the model that judges gives no verdicts: not asked for %d minutes", NOT_ASKED_S / 60)
            raise JudgeUnable("it contradicts itself, or writes no verdicts") from exc
        self._running = 0
        return opinion

    async def _fails_trial(self, scope: Scope) -> bool:
        with suppress(ProviderError):
            try:
                await self._judge.opinion(TRIAL, TRIAL_MESSAGE, (), scope)
            except UnreadableVerdict:
                return True
        return False
