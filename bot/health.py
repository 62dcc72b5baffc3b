"""Whether this process is fit for work, and the gauges that are read from the database."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.calendar import Calendar
from bot.core.errors import BotError
from bot.jobs.inbox import Inbox
from bot.ops.metrics import METRICS
from bot.provider.service import Provider
from storage.engine import Engine
from storage.jobs import inbox as jobs


@dataclass(frozen=True, slots=True)
class Health:
    """What monitors ask this process."""

    engine: Engine
    calendar: Calendar
    provider: Provider
    inbox: Inbox

    async def update_gauges(self) -> None:
        """Brings the gauges up to date that are read from the database."""
        depth = await self.engine.read(jobs.depth)
        METRICS.set("parley_queue_depth", depth["waiting"])
        oldest_at = depth["oldest_at"]
        METRICS.set("parley_oldest_age_seconds", self.calendar.now() - oldest_at if oldest_at else 0.0)

    async def find_problems(self) -> list[str]:
        """Why this process should not be given work; empty when it should."""
        found = []
        if self.provider.unavailable:
            found.append("model: requests fail; the next is tried in a moment")
        if self.inbox.stopping:
            found.append("inbox: stopping")
        try:
            await self.engine.write(lambda tx: None)
        except BotError as exc:
            found.append(f"database: {type(exc).__name__}: {exc}")
        return found
