"""Setting jobs aside: what failed too often or ended the process is parked, and whoever asked is told of it.

The telling is a job of its own, put in together with the parking: Slack may be away just then, or the process
end.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.core.errors import BotError, GaveUp
from storage.engine import Tx
from storage.jobs import inbox, recovery
from storage.jobs.inbox import Effect, Job

log = logging.getLogger(__name__)

Work = Callable[[Job], Awaitable[Sequence[Effect]]]
GaveUpOn = Callable[[Job, GaveUp], Awaitable[object]]

GAVE_UP = "gave_up"  # the kind of a job that tells a person of a parked one


@dataclass(frozen=True, slots=True)
class Worker:
    """Who does the jobs of one kind, and who is called when one of them is parked."""

    work: Work
    gave_up: GaveUpOn | None = None


class Parking:
    """Parks jobs, and has the worker of their kind tell of it."""

    def __init__(self, workers: Mapping[str, Worker], *, max_crashes: int) -> None:
        self._workers = workers
        self._max_crashes = max_crashes

    def recover(self, tx: Tx, *, now: float) -> tuple[int, list[Job]]:
        """After a process's end: how many jobs it had begun, and those that are parked now."""
        tx.lock("recovery")
        begun = recovery.count_orphans(tx)
        parked = recovery.recover(tx, max_crashes=self._max_crashes, now=now)
        for job in parked:
            self._put_report(tx, job, job.crashes, now=now)
        return begun, parked

    def park(self, tx: Tx, job: Job, words: str, times: int, *, now: float) -> None:
        """Sets a job aside after so many times."""
        if job.kind == GAVE_UP:  # the job it is about stays parked
            inbox.finish(tx, job, now=now)
        elif inbox.park(tx, job, words):
            self._put_report(tx, job, times, now=now)

    async def tell(self, job: Job) -> Sequence[Effect]:
        """The job that says of another one that it was parked; nothing is gained by parking it as well."""
        about = json.loads(job.payload)
        times = about.pop("times")
        worker = self._workers.get(about["kind"])
        if worker is None or worker.gave_up is None:
            return []
        try:
            await worker.gave_up(replace(job, **about), GaveUp(times))
        except BotError as exc:
            if exc.retry:
                raise
            log.error("job %d (%s): nobody could be told: %s", job.seq, job.key, type(exc).__name__)
        return []

    def _put_report(self, tx: Tx, job: Job, times: int, *, now: float) -> None:
        worker = self._workers.get(job.kind)
        if worker is not None and worker.gave_up is not None:
            about = json.dumps({"key": job.key, "kind": job.kind, "payload": job.payload, "times": times})
            inbox.put_about(tx, job, GAVE_UP, about, now=now)
