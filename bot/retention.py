"""How long what people said is kept: days by kind from the settings, erased for good once an hour.

Amounts (ledger, usage, minutes) hold no words and stay. Erasing at somebody's wish is storage/forget.py's;
what was erased is in the list of storage/audit.py, as numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.config import Settings
from storage import audit, retention
from storage.engine import Engine, Tx

DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of row with what people said. `days` 0: kept for ever."""

    name: str
    days: float
    erasers: Sequence[Callable[..., int]]

    def before(self, now: float) -> float:
        """Older rows go."""
        return now - self.days * DAY_S if self.days else 0.0


@dataclass(frozen=True, slots=True)
class Kept:
    """What is there of a kind. `due`: older than it may be; `oldest_at`: unix seconds, None without any."""

    kind: Kind
    total: int
    due: int
    oldest_at: float | None


def kinds(settings: Settings) -> tuple[Kind, ...]:
    return (
        Kind("messages", settings.keep_messages_days, (retention.erase_messages, retention.erase_feedback)),
        Kind("recordings", settings.keep_recordings_days, (retention.erase_recordings,)),
        Kind("verdicts", settings.keep_verdicts_days, (retention.erase_verdicts,)),
    )


async def apply(engine: Engine, settings: Settings, *, now: float) -> dict[str, int]:
    """Erases what is due; how many rows of each kind, of those that had any."""
    erased = {}
    for kind in kinds(settings):
        if count := await _erase(engine, kind, now=now):
            erased[kind.name] = count
    if erased:
        await engine.scrub()
    return erased


async def _erase(engine: Engine, kind: Kind, *, now: float) -> int:
    """Portion by portion, so that nobody waits for long."""
    total = 0
    for erase in kind.erasers:
        while count := await engine.write(erase, before=kind.before(now)):
            total += count
    if total:
        detail = f"{total} rows older than {kind.days:g} days"
        await engine.write(audit.note, "retention", kind.name, detail=detail, now=now)
    return total


async def kept(engine: Engine, settings: Settings, *, now: float) -> list[Kept]:
    """What there is of each kind, and what would be erased now."""

    def counted(tx: Tx) -> list[Kept]:
        return [
            Kept(kind, **retention.kept(tx, kind.name, before=kind.before(now))) for kind in kinds(settings)
        ]

    return await engine.read(counted)
