"""Many rows go without anybody waiting for it: in portions, with pauses while others write.

How large a portion is follows from how long the one before it took. A larger one writes less, because a page
of the database is written once for all of its rows that go together; whoever writes meanwhile waits longer.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from bot.knowledge.removal import put_removals
from storage.engine import Engine, Tx
from storage.place import Place
from storage.privacy import portions
from storage.privacy.portions import Whose

FIRST, SMALLEST, LARGEST, GROWS = 2000, 100, 16_000, 4  # rows, and how many times as many next
AIM_S = 0.25  # what a portion may hold up those who write meanwhile, which are few: see PAUSES
BRIEF_S = 0.01  # what nobody notices
PAUSES = 200  # as long as the portion before, while others write: one in two hundred meets one
PAUSES_BESIDE = 1  # where others write at the same time and do not wait: half of the server is theirs
SPREAD = 20  # rows are looked through for one that goes, at most


async def work_off(
    engine: Engine,
    take: Callable[..., int],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    **values: Any,
) -> int:
    """Calls `take(tx, limit=…, **values)`, which deals with at most so many rows and says how many, until it
    says 0; the sum."""
    begun_at, limit, total = 0.0, FIRST, 0
    pauses = PAUSES_BESIDE if engine.shared else PAUSES

    def timed(tx: Tx) -> int:
        nonlocal begun_at
        begun_at = clock()
        return take(tx, limit=limit, **values)

    writes = engine.writes
    while count := await engine.write_aside(timed):
        total += count
        took_s = clock() - begun_at
        others_write, writes = engine.writes != writes, engine.writes
        if others_write and took_s > BRIEF_S:
            await sleep(pauses * took_s)
        if took_s > AIM_S or count >= limit:
            limit = round(min(max(limit * min(AIM_S / (took_s or AIM_S), GROWS), SMALLEST), LARGEST))
    return total


async def work_off_rows(
    engine: Engine, find: Callable[..., Sequence[int]], erase: Callable[..., int], **values: Any
) -> int:
    """Erases the rows whose numbers `find(tx, **values)` gives, as they lie on disk; how many.

    `erase(tx, first=…, last=…, **values)` erases those of them between two, and says how many.
    """
    total = 0
    while rows := sorted(await engine.read(find, **values)):
        erased = await work_off(engine, partial(_erase_next, rows, erase), **values)
        total += erased
        if not erased:
            break
    return total


def _erase_next(rows: list[int], erase: Callable[..., int], tx: Tx, *, limit: int, **values: Any) -> int:
    erased = 0
    while rows and not erased:
        portion = [row for row in rows[:limit] if row - rows[0] <= SPREAD * limit]
        del rows[: len(portion)]
        erased = erase(tx, first=portion[0], last=portion[-1], **values)
    return erased


def put_removals_of(tx: Tx, place: Place, *, now: float) -> int:
    """The cards of documents that were made of a conversation say that they are gone; how many."""
    kept = portions.list_kept(tx, place)
    put_removals(tx, kept, now=now)
    return len(kept)


async def thin_out(engine: Engine, whose: Whose, *, now: float) -> int:
    """What may be very much of what is to be forgotten goes before the rest; how many messages."""
    order: dict[str, Any] = {"whose": whose, "now": now}
    erased = await work_off_rows(engine, portions.list_said, portions.erase_said, **order)
    if not whose.conversation:
        take = portions.thin_out_person if whose.person else portions.thin_out_team
        await work_off(engine, take, **order)
    return erased


async def thin_out_person(engine: Engine, team: str, person: str, *, now: float) -> int:
    """As `thin_out`, of a person in a workspace. The cards of what goes say so, by jobs of their own."""

    def put_removals_of_person(tx: Tx) -> None:
        put_removals(tx, portions.list_shown_of(tx, team, person), now=now)

    await engine.write(put_removals_of_person)
    return await thin_out(engine, Whose(team, person), now=now)
