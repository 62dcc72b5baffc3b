"""Whose amounts they are is taken out of them when a person is forgotten, row by row, as a job of its own.

The ledger may be long, so the person does not wait for it: the job is stored together with the erasure and
goes on after a crash. What they used stands under a name that is nobody's, made anew each time; nothing says
whose it was.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence

from bot.jobs.inbox import Effect, Job
from bot.privacy.portions import work_off
from storage.engine import Engine, Tx
from storage.privacy import anonymise

ANONYMISE = "unname"  # the kind of job


def make_order(team: str, person: str) -> tuple[str, str]:
    """(key, payload) of a job; the payload goes with its end."""
    marker = f"forgotten-{secrets.token_hex(4)}"
    return f"{ANONYMISE}:{team}:{marker}", json.dumps({"team": team, "person": person, "marker": marker})


class Anonymiser:
    """The worker of these jobs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def work(self, job: Job) -> Sequence[Effect]:
        await self.carry_out(job.payload)
        return []

    async def carry_out(self, payload: str) -> None:
        """All of an order, in portions; may be done again."""
        who = json.loads(payload)
        after: int | None = 0

        def rename_next(tx: Tx, *, limit: int) -> int:
            nonlocal after
            if after is not None:
                after = anonymise.anonymise_rows(tx, **who, after=after, limit=limit)
            return 0 if after is None else limit

        await work_off(self._engine, rename_next)
        for day in await self._engine.read(anonymise.days, who["team"]):
            await self._engine.write(anonymise.anonymise_day, **who, day=day)
        await self._engine.scrub()
