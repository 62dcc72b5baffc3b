"""Days, weeks and months of a workspace in its own time zone, and a clock that budgets can trust.

Stored times are UTC; a day is a date where the team lives. Nothing here knows of money.
"""

from __future__ import annotations

import time as wall
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.core.errors import SetupError

Period = Literal["day", "week", "month"]
PERIODS: tuple[Period, ...] = ("day", "week", "month")


def zone(name: str) -> ZoneInfo:
    """The time zone of that name (Europe/Berlin); SetupError when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        raise SetupError([f"PARLEY_TIME_ZONE: there is no time zone {name!r}"]) from exc


def first_day(day: date, period: Period) -> date:
    """The first day of the day's period. Weeks begin on Monday (ISO 8601)."""
    if period == "day":
        return day
    return day - timedelta(days=day.weekday()) if period == "week" else day.replace(day=1)


def next_first_day(first: date, period: Period) -> date:
    """The first day of the period after the one that begins at `first`."""
    if period == "month":
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=1 if period == "day" else 7)


def utc_now() -> datetime:
    """The time by the machine's clock, which may be set back."""
    return datetime.fromtimestamp(wall.time(), UTC)


class Calendar:
    """The workspace's time zone and a clock that never runs backwards: no cap starts anew by accident.

    `clock` gives unix seconds. `seen` tells it of a time that an earlier life of the process has seen.
    """

    def __init__(self, zone: ZoneInfo, *, clock: Callable[[], float] = wall.time) -> None:
        self.zone = zone
        self._clock = clock
        self._not_before = 0.0

    def seen(self, at: float) -> None:
        """It was `at` (unix seconds) before; it is not earlier now."""
        self._not_before = max(self._not_before, at)

    def now(self) -> float:
        """Unix seconds, never less than before."""
        self._not_before = max(self._not_before, self._clock())
        return self._not_before

    def today(self) -> date:
        return self.day(self.now())

    def day(self, at: float) -> date:
        """The date in the workspace at that moment."""
        return datetime.fromtimestamp(at, self.zone).date()

    def firsts(self, at: float) -> dict[str, str]:
        """The first day (ISO) of the day, week and month that `at` lies in."""
        day = self.day(at)
        return {period: first_day(day, period).isoformat() for period in PERIODS}

    def midnight(self, day: date) -> datetime:
        """When the day begins in the workspace, in UTC; where clocks skip midnight, the moment after."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)
