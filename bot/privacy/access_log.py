"""Who looked at whose figures or words, for the list of storage/audit.py: beside the look, never in its way.

A look is written down while the report is on its way, and waits in memory for a database that is busy or
full. The report is shown all the same: who asks for it may see it, and a full disk must not keep an admin
from finding out why. What could not wait any longer is told in the log, and counted by the next entry.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.core.background import run_alongside
from bot.core.errors import BotError
from bot.ops.metrics import METRICS
from storage import audit
from storage.engine import Engine, Tx

log = logging.getLogger(__name__)

WAITING = 1000  # looks that wait for the database at most
AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Access:
    """One report, shown once. `person` "": the operator; `about` and `scope` are ids and words of ours."""

    team: str
    person: str
    about: str
    scope: str
    at: float  # unix seconds


class AccessLog:
    """Notes who is shown which report; writes it to the audit list while `written_down`. One per process."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.time) -> None:
        self._engine, self._clock = engine, clock
        self._due: deque[Access] = deque()
        self._missed = 0
        self._wake = asyncio.Event()

    def note(self, team: str, person: str, about: str, scope: str) -> None:
        """Somebody is shown a report; takes no time and cannot fail."""
        access = Access(team, person, about, scope, self._clock())
        if len(self._due) < WAITING:
            self._due.append(access)
            self._wake.set()
            return
        self._missed += 1
        METRICS.count("parley_audit_missed_total")
        log.error("not in the audit list: %s looked at %s", person or "the operator", about)

    @asynccontextmanager
    async def written_down(self) -> AsyncIterator[None]:
        """Writes down what is noted, until the block ends; what waits then is tried once more."""
        async with run_alongside(self._write_down()):
            yield
        try:
            await self._flush()
        except BotError as exc:
            log.error("%d looks are not in the audit list: %s", len(self._due) + self._missed, exc)

    async def _write_down(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._flush()
            except BotError as exc:
                log.warning("looks at reports wait to be written down: %s", exc)
                await asyncio.sleep(AGAIN_S)
                self._wake.set()

    async def _flush(self) -> None:
        due, missed = tuple(self._due), self._missed
        self._due.clear()
        self._missed = 0
        if not (due or missed):
            return
        try:
            await self._engine.write(_write_entries, due, missed, now=self._clock())
        except BotError:
            self._due.extendleft(reversed(due))
            self._missed += missed
            raise


def _write_entries(tx: Tx, due: Sequence[Access], missed: int, *, now: float) -> None:
    for access in due:
        audit.note(
            tx,
            "looked at",
            access.about,
            team=access.team,
            person=access.person,
            detail=access.scope,
            now=access.at,
        )
    if missed:
        audit.note(tx, "looks missed", f"{missed} looks", now=now)
