"""Jobs are received once, worked once, tried again after a failure, and parked when that is hopeless.

Jobs of one conversation run one at a time in the order they came, conversations beside each other. A failed
job keeps its place and holds back only its own conversation. Nothing is asked of the database while nothing
happens.

Several processes may share the inbox, each with lanes of its own: what one of them leaves lying, because it
has much to do, drains or died, another takes up (`look`).

After a process's end, what ran is run again. What died twice is suspected of having done it, and suspects run
a few at a time beside the rest, until each has ended once. Only a job that ran alone is charged with a death,
and parked after some (parking.py): a job that kills the process takes no neighbour to the grave with it. Rows
and their rules are storage/jobs; who runs when is lanes.py, what is tried again failures.py, how jobs are
taken taking.py; what a job means is its worker's business.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

from bot.core.errors import Busy
from bot.jobs.failures import LONGEST_DELAY_S, judge_failure
from bot.jobs.lanes import Lanes
from bot.jobs.parking import GAVE_UP, GaveUpOn, Parking, Work, Worker
from bot.jobs.taking import NextJob, PatientWriter, finish_and_take, put_and_take, take, take_next
from bot.ops.metrics import METRICS
from storage.engine import Engine, Tx
from storage.jobs import inbox, recovery
from storage.jobs.inbox import Effect, Job
from storage.jobs.recovery import Waiting

__all__ = ["Effect", "GaveUpOn", "Inbox", "Job", "Work"]

log = logging.getLogger(__name__)

UNKNOWN = "no worker for jobs of kind {kind!r}; a newer version may know it: update, then replay the job"
SUSPECT_AFTER = 2  # process deaths
LONGEST_WAIT_S = 1.5 * LONGEST_DELAY_S  # whatever is due later than that, the clock has been set back
CLOSING_S = 3.0  # for writing down what was cancelled
LEFT_LYING_S = 1.0  # so long after its time a job is left to the process that received it


class Inbox:
    """Runs the registered worker for every job put in and commits the effects it returns with the job's end.

    A worker's error decides: one that is no BotError is tried again until `max_attempts`, one that says
    `retry` also beyond them, for some hours; any other parks the job at once. One with `retry_after_s` waits
    at least that long and is no failure. A job whose kind nobody registered is parked.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        parallel: int = 64,
        outside: int = 4,
        max_attempts: int = 4,
        max_crashes: int = 5,
        clock: Callable[[], float] = time.time,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._engine = engine
        self._workers: dict[str, Worker] = {}
        self._parking = Parking(self._workers, max_crashes=max_crashes)
        self._workers[GAVE_UP] = Worker(self._parking.tell)
        self._started = False
        self._max_attempts = max_attempts
        self._clock = clock
        self._random = random
        self._worker = engine.worker
        self._writer = PatientWriter(engine, lambda: self.stopping)
        self._lanes = Lanes(parallel, self._start, clock=clock, longest_s=LONGEST_WAIT_S, outside=outside)
        self._tasks: set[asyncio.Task[None]] = set()
        self._handling: dict[str, asyncio.Task[Any]] = {}  # by conversation: the tasks inside a worker

    def register(self, kind: str, work: Work, *, gave_up: GaveUpOn | None = None) -> None:
        """Has jobs of a kind done by `work`. Once for each kind, before the inbox starts.

        `gave_up(job, error)` is called for each of them that is parked, so that the person hears of it: as a
        job of its own, put in with the parking, because Slack may be away just then, or the process end.
        """
        if self._started:
            raise RuntimeError(f"the inbox runs already: {kind!r} comes too late")
        if kind in self._workers:
            raise RuntimeError(f"jobs of kind {kind!r} have a worker already")
        self._workers[kind] = Worker(work, gave_up)

    @property
    def stopping(self) -> bool:
        return self._lanes.closed

    @property
    def idle(self) -> bool:
        """Nothing is being worked on, or about to be."""
        return not self._tasks

    async def __aenter__(self) -> Self:
        """Takes up everything that an earlier process left."""
        self._started = True
        await self._recover()
        self._take_up(await self._engine.read(recovery.waiting))
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.drain(0)

    @property
    def running(self) -> int:
        """How many conversations this process is at work on."""
        return self._lanes.running

    async def look(self, asked: bool) -> None:
        """Takes up what processes left that died, and what lies there although it is due.

        `asked`: another process wants it to be looked at now.
        """
        if self.stopping:
            return
        if await self._engine.read(recovery.has_orphans):
            await self._recover()
            asked = True
        for conversation in await self._engine.read(recovery.list_running, self._worker):
            if not self._lanes.is_busy(conversation):  # its end could not be written down
                log.warning("inbox: %s is taken up again", conversation)
                await self._engine.write(inbox.release, conversation, worker=self._worker)
                asked = True
        if (room := self._lanes.room) > 0:
            now = self._clock()
            since, beyond = now - (0 if asked else LEFT_LYING_S), now + LONGEST_WAIT_S
            self._take_up(await self._engine.read(recovery.overdue, since=since, beyond=beyond, limit=room))

    async def _recover(self) -> None:
        begun, parked = await self._engine.write(self._parking.recover, now=self._clock())
        if begun:
            METRICS.count("parley_taken_over_total", begun)
        for job in parked:
            log.error("job %d (%s) parked after %d: the process died while it ran", *_named(job, job.crashes))

    def _take_up(self, waiting: Iterable[Waiting]) -> None:
        found = [each for each in waiting if not self._lanes.is_busy(each.conversation)]
        for each in found:
            if each.deaths >= SUSPECT_AFTER:
                self._lanes.suspect(each.conversation, each.deaths)
        self._lanes.take_up((each.conversation, each.due_at, each.owner) for each in found)

    async def put(
        self,
        key: str,
        conversation: str,
        kind: str,
        payload: str,
        *,
        team: str = "",
        person: str = "",
        since: float | None = None,
        when: Callable[[Tx], bool] = lambda tx: True,
    ) -> bool:
        """Stores a job; on return it is on disk and will be done. False when the key was known already.

        `team` and `person` say whose words the payload holds. `since`: when it was asked for, if that was not
        now; what was asked for just now goes first. `when` is asked in the same transaction, so that what
        came first also stands first.
        """
        owner = f"{team} {person}"

        def job(tx: Tx, *, now: float) -> bool:
            tx.lock(conversation)  # before anything is concluded
            if self.stopping:
                tx.wake()  # somebody else has to do it
            return when(tx) and inbox.put(
                tx, key, conversation, kind, payload, team=team, person=person, now=now
            )

        if not self._lanes.try_enter(conversation, owner, since=since):
            stored = True  # perhaps, also if this is cancelled
            try:
                stored = await self._engine.write(job, now=self._clock())
                return stored
            finally:
                if stored:
                    self._lanes.wake(conversation, owner, since=since)
        try:
            stored, found = await self._engine.write(
                put_and_take, job, conversation, worker=self._worker, now=self._clock()
            )
        except (asyncio.CancelledError, Busy):  # of which nobody knows whether it happened
            self._spawn(self._untangle(conversation))
            raise
        except BaseException:
            self._lanes.leave(conversation)
            raise
        if isinstance(found, Job):
            self._spawn(self._work(found))
        else:
            self._lanes.leave(conversation, found)
        return stored

    def outside(self, job: Job) -> AbstractContextManager[None]:
        """Entered by a worker while its job waits for something that is no work, such as its turn to post in
        a channel. Others have its place from then on; its conversation stays busy.

        While `outside` jobs of a channel wait so, no further conversation of that channel is begun.
        """
        return self._lanes.outside(job.conversation)

    def aside(self, job: Job) -> AbstractContextManager[None]:
        """As `outside`, for a wait that has nothing to do with the channel: nobody in it is held back."""
        return self._lanes.outside(job.conversation, crowds=False)

    async def replay(self, seq: int) -> None:
        """Puts a parked job back into its old place. Missing when there is none."""
        self._lanes.wake(await self._engine.write(inbox.replay, seq, now=self._clock()))

    async def discard(self, seq: int) -> None:
        """Closes a parked or waiting job for good. Missing when there is none."""
        await self._engine.write(inbox.discard, seq, now=self._clock())

    async def drain(self, timeout_s: float) -> None:
        """Takes nothing more and waits for what runs; what is not ready in time goes back, uncounted."""
        self._lanes.close()
        await self._ended(timeout_s)
        for task in self._handling.values():
            task.cancel()
        await self._ended(CLOSING_S)

    async def _ended(self, timeout_s: float) -> None:
        ends_at = time.monotonic() + timeout_s
        while not self._lanes.empty and (left_s := ends_at - time.monotonic()) > 0:
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=left_s)
            else:  # a `put` that got a place is still writing
                await asyncio.sleep(min(left_s, 0.01))

    def _start(self, conversation: str, due_at: float) -> None:
        self._spawn(self._take_and_work(conversation, due_at))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _untangle(self, conversation: str) -> None:
        """After a `put` that was cancelled: its write may or may not have happened."""
        await self._writer.write(inbox.release, conversation, worker=self._worker)
        await self._take_and_work(conversation, 0.0)

    async def _take_and_work(self, conversation: str, due_at: float) -> None:
        found: NextJob = None
        try:
            # At its due time a job is due, whatever the clock on the wall says.
            now = max(self._clock(), due_at)
            found = await self._writer.take(take, conversation, worker=self._worker, now=now)
        except Exception:
            log.exception("inbox: nothing can be taken")
        if isinstance(found, Job):
            await self._work(found)
        else:
            self._lanes.leave(conversation, found)

    async def _work(self, job: Job) -> None:
        """Jobs of one conversation, until there is none, one is not due yet, or others wait for the place."""
        found: NextJob = job
        try:
            while isinstance(found, Job):
                found = await self._work_one(found)
        except Exception:
            log.exception("inbox: job %d is left as it is", job.seq)
        finally:
            self._lanes.leave(job.conversation, None if isinstance(found, Job) else found)

    async def _work_one(self, job: Job) -> NextJob:
        """One job to whatever end; returns what is next in its conversation."""
        if self._lanes.closed:
            await self._give_back(job)
            return None
        worker = self._workers.get(job.kind)
        if worker is None:
            METRICS.count("parley_unknown_jobs_total")
            return await self._set_aside(job, UNKNOWN.format(kind=job.kind), job.tries + 1)
        try:
            effects = await self._handled(worker, job)
            finished, found = await self._writer.take(
                finish_and_take,
                job,
                effects,
                worker=self._worker,
                now=self._clock(),
                more=not self._yields(job),
            )
        except asyncio.CancelledError as exc:
            if not self.stopping:  # not by us
                return await self._failed(job, exc)
            await self._give_back(job)
            return None
        except Exception as exc:
            return await self._failed(job, exc)
        log.info("job %d (%s) %s", job.seq, job.key, "done" if finished else "was done by somebody else")
        return found

    async def _handled(self, worker: Worker, job: Job) -> Sequence[Effect]:
        task = asyncio.current_task()
        assert task is not None
        self._handling[job.conversation] = task
        try:
            return await worker.work(job)
        finally:
            del self._handling[job.conversation]

    async def _give_back(self, job: Job) -> None:
        await self._writer.write(inbox.give_back, job)
        log.info("job %d (%s) goes back to the queue", job.seq, job.key)

    async def _failed(self, job: Job, exc: BaseException) -> NextJob:
        """Another time, or never."""
        now = self._clock()
        failed = judge_failure(job, exc, max_attempts=self._max_attempts, now=now, random=self._random)
        if failed.again_in_s is None:
            return await self._set_aside(job, failed.words, failed.tries, failed.trace)
        due_at = now + failed.again_in_s
        await self._writer.write(inbox.fail, job, failed.words, due_at=due_at, counts=failed.counts)
        again = "job %d (%s) again in %.1f s: %s"
        log.warning(again, job.seq, job.key, failed.again_in_s, failed.words, exc_info=failed.trace)
        return due_at

    # Giving up

    async def _set_aside(
        self, job: Job, words: str, tries: int, trace: BaseException | None = None
    ) -> NextJob:
        """Parks a job; returns what is next in its conversation."""
        await self._writer.write(self._parking.park, job, words, tries, now=self._clock())
        log.error("job %d (%s) parked after %d: %s", *_named(job, tries), words, exc_info=trace)
        return await self._writer.take(
            take_next, job.conversation, worker=self._worker, now=self._clock(), more=not self._yields(job)
        )

    def _yields(self, job: Job) -> bool:
        """Whether the next job of a conversation has to queue again instead of running at once."""
        return self.stopping or self._lanes.is_wanted(job.conversation)


def _named(job: Job, times: int) -> tuple[int, str, int]:
    return job.seq, job.key, times
