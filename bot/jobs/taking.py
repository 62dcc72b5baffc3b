"""The inbox's transactions: a job stored, ended or set aside, and the next of its conversation taken with it.

A busy or full database is waited out. Where a connection is lost at the very end, nobody knows what happened.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Concatenate

from bot.core.errors import Busy
from storage.engine import Engine, P, T, Tx
from storage.jobs import inbox
from storage.jobs.inbox import Effect, Job

log = logging.getLogger(__name__)

NextJob = Job | float | None  # a conversation's next job, or when it is due, or that there is none

BUSY_S, LONGEST_BUSY_S = 0.05, 5.0  # between attempts to write to a busy or full database


class PatientWriter:
    """Writes that wait out a busy or full database, unless the process is to end (`is_stopping`)."""

    def __init__(self, engine: Engine, is_stopping: Callable[[], bool]) -> None:
        self._engine = engine
        self._is_stopping = is_stopping

    async def write(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kw: P.kwargs) -> T:
        """Of what may be done twice."""
        wait_s = BUSY_S
        while True:
            try:
                return await self._engine.write(fn, *args, **kw)
            except Busy:
                if self._is_stopping():
                    raise
                log.warning("inbox: the database is busy or full")
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LONGEST_BUSY_S)

    async def take(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kw: P.kwargs) -> T:
        """Of what may take a job. If a connection was lost at the very end, nobody knows whether that
        happened: what this process may have taken is let go of first."""
        try:
            return await self._engine.write(fn, *args, **kw)
        except Busy:
            if self._is_stopping():
                raise
        kw["again"] = True
        return await self.write(fn, *args, **kw)


def put_and_take(
    tx: Tx, put: Callable[..., bool], conversation: str, *, worker: int, now: float
) -> tuple[bool, NextJob]:
    """Stores a job, and takes the next one of its conversation, which is mostly the same."""
    return put(tx, now=now), inbox.take(tx, conversation, worker=worker, now=now)


def finish_and_take(
    tx: Tx,
    job: Job,
    effects: Sequence[Effect],
    *,
    worker: int,
    now: float,
    more: bool,
    again: bool = False,
) -> tuple[bool, NextJob]:
    """Ends a job with its effects; whether it was still to be ended, and what is next. `more`: that is taken
    where it is due."""
    finished = inbox.finish(tx, job, *effects, now=now)
    return finished, take_next(tx, job.conversation, worker=worker, now=now, more=more, again=again)


def take_next(
    tx: Tx, conversation: str, *, worker: int, now: float, more: bool, again: bool = False
) -> NextJob:
    """What is next in a conversation; it is taken where it is due and `more` is wanted."""
    due_at = inbox.due_at(tx, conversation)  # mostly nothing is left, and one look is enough
    if more and (again or (due_at is not None and due_at <= now)):
        return take(tx, conversation, worker=worker, now=now, again=again)
    return due_at


def take(tx: Tx, conversation: str, *, worker: int, now: float, again: bool = False) -> NextJob:
    """Takes the next job of a conversation. `again`: it may have been taken already."""
    if again:
        inbox.release(tx, conversation, worker=worker)
    return inbox.take(tx, conversation, worker=worker, now=now)
