"""How long what people said is kept: days by kind from the settings, erased for good once an hour.

A channel may want its own words gone sooner (`/parley keep`), never later. Amounts (ledger, usage, minutes)
hold no words and stay. Erasing at somebody's wish is storage/privacy/forget.py's; what was erased is in the
list of storage/audit.py, as numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from bot.core.errors import NotUnderstood
from bot.core.settings import Settings
from bot.privacy.portions import work_off, work_off_rows
from bot.privacy.removal import erase_removed
from bot.text.durations import read_duration
from bot.text.typed import read_keyword
from storage import audit
from storage.channel import preferences
from storage.channel.preferences import Wish
from storage.engine import Engine, Tx
from storage.place import Channel
from storage.privacy import retention

DAY_S = 86_400.0
KEEP = "keep"  # the name of a channel's wish
DAY = timedelta(days=1)
AS_EVERYWHERE = frozenset({"off", "default", "as everywhere", "like everywhere", "everywhere"})
HINT = "Try: `keep 7 days` or `keep off`."


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of row with what people said. `days` 0: kept for ever. `at`: the one channel it is about."""

    name: str
    days: float
    erasers: Sequence[Callable[..., int]]
    at: Wish | None = None

    def before(self, now: float) -> float:
        """Older rows go."""
        return now - self.days * DAY_S if self.days else 0.0

    @property
    def within(self) -> str:
        """What the keys of its conversations begin with."""
        return f"{self.at.team}:{self.at.channel}:" if self.at else ""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is there of a kind. `due`: older than it may be; `oldest_at`: unix seconds, None without any."""

    kind: Kind
    total: int
    due: int
    oldest_at: float | None


def kinds(settings: Settings) -> tuple[Kind, ...]:
    said = (
        *(retention.close_parked, retention.erase_feedback, retention.erase_quiet),
        retention.erase_attached,
    )
    return (
        Kind("messages", settings.keep_messages_days, said),
        Kind("recordings", settings.keep_recordings_days, (retention.erase_recordings,)),
        Kind("verdicts", settings.keep_verdicts_days, (retention.erase_verdicts,)),
    )


def shorter_kinds(settings: Settings, wishes: Iterable[Wish]) -> list[Kind]:
    """What channels want gone sooner than everywhere."""
    wanted = [(wish, float(wish.value)) for wish in wishes if wish.value]
    return [
        replace(kind, days=days, at=wish)
        for wish, days in wanted
        for kind in kinds(settings)
        if not kind.days or days < kind.days
    ]


def parse_days(settings: Settings, words: str) -> str:
    """A channel's days as they are kept; "" is as everywhere. NotUnderstood when they are none, or more."""
    if read_keyword(words) in AS_EVERYWHERE:
        return ""
    try:
        days, rest = divmod(read_duration(words, bare="days"), DAY)
    except NotUnderstood as exc:
        raise NotUnderstood(exc.words, f"{exc.hint} {HINT}") from None
    if days < 1 or rest:
        raise NotUnderstood(words, f"Whole days, please. {HINT}")
    longest = max(kind.days or float("inf") for kind in kinds(settings))
    if days >= longest:
        raise NotUnderstood(words, f"Everywhere it is {longest:g} days; a channel may want less. {HINT}")
    return str(days)


class Retention:
    """How long words are kept, in general and in a channel that wants them gone sooner."""

    def __init__(self, settings: Settings, engine: Engine, *, clock: Callable[[], float]) -> None:
        """`clock` gives unix seconds."""
        self._settings, self._engine, self._clock = settings, engine, clock

    async def erase_due(self) -> dict[str, int]:
        """Erases what has outlived its use; how many rows of each kind."""
        return await erase_due(self._engine, self._settings, now=self._clock())

    async def set_days(self, at: Channel, words: str, *, by: str) -> None:
        """For how many days a channel wants its words kept. NotUnderstood for more than everywhere."""
        days = parse_days(self._settings, words)
        detail = f"{days} days" if days else "as everywhere"
        await self._engine.write(
            preferences.wish, at.team, at.channel, KEEP, days, person=by, detail=detail, now=self._clock()
        )

    async def days(self, at: Channel) -> dict[str, float]:
        """For how many days each kind of word is kept in a channel; 0: for ever."""
        everywhere = {kind.name: kind.days for kind in kinds(self._settings)}
        wishes = await self._engine.read(preferences.wishes, at.team, at.channel)
        own = [Wish(at.team, at.channel, wishes.get(KEEP, ""))]
        return everywhere | {kind.name: kind.days for kind in shorter_kinds(self._settings, own)}


async def erase_due(engine: Engine, settings: Settings, *, now: float) -> dict[str, int]:
    """Erases what is due, for its age or because the app was removed; how many rows of each kind."""
    erased: dict[str, int] = {}
    if count := await erase_removed(engine, settings, now=now):
        erased["removed workspaces"] = count
    for kind in (*kinds(settings), *shorter_kinds(settings, await engine.read(preferences.wishing, KEEP))):
        if count := await _erase(engine, kind, now=now):
            erased[kind.name] = erased.get(kind.name, 0) + count
    if erased:
        await engine.scrub()
    return erased


async def _erase(engine: Engine, kind: Kind, *, now: float) -> int:
    """Portion by portion, so that nobody waits for long."""
    due: dict[str, Any] = {"before": kind.before(now), "within": kind.within}
    total = 0
    if kind.name == "messages":
        total = await work_off_rows(engine, retention.list_messages, retention.erase_messages, **due)
        await work_off(engine, retention.close_replies, **due)
    for erase in kind.erasers:
        total += await work_off(engine, erase, **due)
    if total:
        where = f" in {kind.at.channel}" if kind.at else ""
        detail = f"{total} rows older than {kind.days:g} days{where}"
        team = kind.at.team if kind.at else ""
        await engine.write(audit.note, "retention", kind.name, team=team, detail=detail, now=now)
    return total


async def count_kept(engine: Engine, settings: Settings, *, now: float) -> list[Kept]:
    """What there is of each kind, and what would be erased now; then the same of channels with days of their
    own."""

    def counted(tx: Tx) -> list[Kept]:
        every = (*kinds(settings), *shorter_kinds(settings, preferences.wishing(tx, KEEP)))
        return [
            Kept(kind, **retention.count_kept(tx, kind.name, before=kind.before(now), within=kind.within))
            for kind in every
        ]

    return await engine.read(counted)
