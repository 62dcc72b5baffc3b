"""Whether this process is fit for work, and the gauges that are read from the database."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bot.core.calendar import Calendar
from bot.core.errors import BotError
from bot.jobs.inbox import Inbox
from bot.ops.metrics import METRICS
from bot.provider.service import Provider
from storage.engine import Engine
from storage.jobs import queries, workers

LATE_S = 5.0  # a sign of life is given twice a second


@dataclass(frozen=True, slots=True)
class Health:
    """What monitors ask this process."""

    engine: Engine
    calendar: Calendar
    provider: Provider
    inbox: Inbox

    async def update_gauges(self) -> None:
        """Brings the gauges up to date that are read from the database."""
        depth = await self.engine.read(queries.depth)
        METRICS.set("parley_queue_depth", depth["waiting"])
        oldest_at = depth["oldest_at"]
        METRICS.set("parley_oldest_age_seconds", self.calendar.now() - oldest_at if oldest_at else 0.0)
        METRICS.set("parley_jobs_running", self.inbox.running)
        await self._update_engine_gauges()

    async def _update_engine_gauges(self) -> None:
        figures = self.engine.figures()
        METRICS.set("parley_db_writes_total", self.engine.writes)
        METRICS.set("parley_db_retries_total", figures.retries)
        METRICS.set("parley_db_reconnects_total", figures.reconnects)
        METRICS.set("parley_db_connections", figures.connections)
        silent = await self.engine.read(workers.silent_s) if self.engine.shared else []
        METRICS.set("parley_worker", self.engine.worker)
        METRICS.set("parley_workers", len(silent))
        METRICS.set("parley_worker_silent_seconds", max(silent, default=0.0))

    async def find_problems(self) -> list[str]:
        """Why this process should not be given work; empty when it should."""
        found = []
        if self.provider.unavailable:
            found.append("model: requests fail; the next is tried in a moment")
        if self.inbox.stopping:
            found.append("inbox: stopping")
        found += self._find_absence()
        try:
            await self.engine.write(lambda tx: None)
        except BotError as exc:
            found.append(f"database: {type(exc).__name__}: {exc}")
        return found

    def _find_absence(self) -> list[str]:
        """Where several processes share a database: whether the others can see that this one lives."""
        silent_s = self.engine.figures().silent_s
        if math.isinf(silent_s):
            return ["database: this process was thought dead and is off the list; others do its work"]
        if silent_s > LATE_S:
            return [f"database: no sign of life could be given for {silent_s:.0f} s"]
        return []
