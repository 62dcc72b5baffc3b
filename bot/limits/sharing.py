"""Limits that several processes on a database share: each second, and when somebody runs short, what each one
holds is divided anew (`SharedLimits`).

Between two of these moments each process works with what it holds, from memory: a limit costs a row a second
and not a row a request, and while the database is away everybody goes on with what they have. A process that
has the database alone shares nothing and writes nothing. In the moment in which a second one comes, before
both have looked, more may go out than is allowed; what is refused then is handled as any refusal.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from bot.core.background import run_alongside
from bot.core.errors import BotError
from bot.limits.division import Allotment, Claim, count_parties, divide
from storage.engine import Engine
from storage.limits import channel_turns, holdings
from storage.limits.holdings import Holding

log = logging.getLogger(__name__)

EVERY_S = 1.0
HURRY_S = 0.4  # between two divisions, where somebody runs short
AWAY_S = 5.0  # so long nothing is asked of a database that did not answer, where somebody waits for it
REMEMBERED_S = 65.0  # what a process took that died; Slack counts it for a minute
TIDY_EVERY_S = 60.0


class Shareable(Protocol):
    """Something limited, of which each process holds a part."""

    @property
    def limit(self) -> Limit: ...

    def claim(self) -> Claim:
        """What this process uses, wants and holds."""

    def allot(self, part: Allotment) -> None:
        """From now on it holds this."""

    def have_all(self) -> None:
        """Nobody else is there: all of it."""


@dataclass(frozen=True, slots=True)
class Limit:
    """`total` of 0 is not known, or there is none: then nothing is divided, but told. `whole`: in whole
    pieces. `lasts_s`: so long what a process held counts after its death."""

    total: float
    whole: bool = False
    lasts_s: float = 0.0


class Limits(Protocol):
    """What whoever is limited needs of the others on a database."""

    @property
    def are_shared(self) -> bool:
        """Whether others are there now."""

    def add(self, name: str, limited: Shareable) -> None:
        """It is shared from now on, under a name that it has in every process."""

    def hurry(self) -> None:
        """Somebody runs short: what is held is divided soon."""

    async def take_turn(self, place: str, *, hold_s: float) -> float:
        """Seconds until this process may ask again; 0: it has its turn, and holds the place so long."""

    def end_turn(self, place: str, *, in_s: float, refused: bool) -> None:
        """When the place is free for others."""


class NoOthers:
    """The limits of a process that shares them with nobody."""

    are_shared = False

    def add(self, name: str, limited: Shareable) -> None:
        """It has all of it."""

    def hurry(self) -> None:
        """Nobody would give any."""

    async def take_turn(self, place: str, *, hold_s: float) -> float:
        return 0.0

    def end_turn(self, place: str, *, in_s: float, refused: bool) -> None:
        """Nobody waits for it."""


class SharedLimits:
    """See Limits. To be looked at once a second (`keep_divided`)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._limited: dict[str, Shareable] = {}
        self._living = 1  # or who died a moment ago
        self._hurried = asyncio.Event()
        self._contested: set[str] = set()
        self._ends: set[asyncio.Task[None]] = set()
        self._asked_again_at = 0.0
        self._away = False

    @property
    def are_shared(self) -> bool:
        return self._living > 1

    def add(self, name: str, limited: Shareable) -> None:
        self._limited[name] = limited
        if self._living > 1:
            limited.allot(Allotment(_first_part(limited.limit, self._living)))
            self.hurry()

    def hurry(self) -> None:
        if self._living > 1:
            self._hurried.set()

    async def take_turn(self, place: str, *, hold_s: float) -> float:
        now = asyncio.get_running_loop().time()
        if self._living == 1 or now < self._asked_again_at:
            return 0.0
        try:
            turn = await self._engine.write(channel_turns.take, place, self._engine.worker, hold_s=hold_s)
        except BotError as exc:
            self._note_away(exc)
            self._asked_again_at = now + AWAY_S
            return 0.0
        (self._contested.add if turn.contested else self._contested.discard)(place)
        return turn.wait_s

    def end_turn(self, place: str, *, in_s: float, refused: bool) -> None:
        contested = place in self._contested
        self._contested.discard(place)
        if self._living > 1 and (contested or refused):
            self._run(self._set_free(place, in_s))

    async def _set_free(self, place: str, in_s: float) -> None:
        with suppress(BotError):  # it is free a moment later, by itself
            await self._engine.write(channel_turns.set_free, place, self._engine.worker, in_s=in_s)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._ends.add(task)
        task.add_done_callback(self._ends.discard)

    async def keep_divided(self) -> None:
        """Divides what is held, until it is cancelled."""
        loop, tidied_at = asyncio.get_running_loop(), 0.0
        while True:
            await self.look()
            if self._living > 1 and loop.time() - tidied_at > TIDY_EVERY_S:
                tidied_at = loop.time()
                with suppress(BotError):
                    await self._engine.write(channel_turns.tidy)
            await asyncio.sleep(HURRY_S)
            self._hurried.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S - HURRY_S):
                    await self._hurried.wait()

    async def look(self) -> None:
        """Divides once. What is held stays as it is while the database is away."""
        try:
            if self._living == 1:
                self._living = max(await self._engine.read(holdings.count_living), 1)
            if self._living > 1:
                await self._divide()
        except BotError as exc:
            self._note_away(exc)
        else:
            self._away = False

    def _note_away(self, exc: BotError) -> None:
        if not self._away:
            self._away = True
            log.warning("the database is away; limits are kept to from memory meanwhile: %s", exc)

    async def _divide(self) -> None:
        division = Division({name: (one.limit, one.claim()) for name, one in self._limited.items()})
        others = await self._engine.write(holdings.exchange, self._engine.worker, division.write)
        if not any(other.lives or other.age_s < REMEMBERED_S for other in others):
            # A process that has just begun has no row yet.
            self._living = max(await self._engine.read(holdings.count_living), 1)
        for name, limited in list(self._limited.items()):
            if self._living == 1:
                limited.have_all()
            elif name in division.parts:
                limited.allot(division.parts[name])


class Division:
    """What becomes of what this process claims, beside the others' rows.

    `parts`: of each limit, what is for this process, as it was written down last.
    """

    def __init__(self, mine: Mapping[str, tuple[Limit, Claim]]) -> None:
        self._mine = mine
        self.parts: dict[str, Allotment] = {}

    def write(self, others: Sequence[Holding]) -> str:
        """The row of this process. It may be asked for again, with other rows."""
        read = [(other, json.loads(other.holdings)) for other in others]
        self.parts = {
            name: _part(limit, claim, [(other, told[name]) for other, told in read if name in told])
            for name, (limit, claim) in self._mine.items()
        }
        return json.dumps(
            {
                name: [claim.used, claim.wants, self.parts[name].held, claim.parties, claim.news]
                for name, (_, claim) in self._mine.items()
            }
        )


def _part(limit: Limit, mine: Claim, rows: Sequence[tuple[Holding, list[Any]]]) -> Allotment:
    claims = list[Claim]()
    for row, (used, wants, held, parties, news) in rows:
        claim = Claim(used, wants, held, tuple(parties), _age(news, row.age_s))
        if row.lives:
            claims.append(claim)
        elif row.age_s < limit.lasts_s:
            claims.append(claim.after_death())
    held = divide(limit.total, mine, claims, whole=limit.whole) if limit.total else 0.0
    known = count_parties([mine, *claims])
    return Allotment(held, tuple(claims), {party: 1 / count for party, count in known.items() if count > 1})


def _age(news: Mapping[str, float], age_s: float) -> dict[str, float]:
    """What is told in seconds from then, from now; without what is over."""
    aged = {name: value - age_s if name.endswith("_s") else value for name, value in news.items()}
    return {name: value for name, value in aged.items() if value > 0}


def _first_part(limit: Limit, living: int) -> float:
    """Until the first division, of which it is not known yet what the others hold."""
    part = limit.total / (4 * living)
    return max(part // 1, 1.0) if limit.whole else part


@asynccontextmanager
async def open_limits(engine: Engine) -> AsyncIterator[Limits]:
    """What this process shares with others on the database, if there can be any, until the block ends."""
    if not engine.shared:
        yield NoOthers()
        return
    limits = SharedLimits(engine)
    async with run_alongside(limits.keep_divided()):
        yield limits
