"""What other processes on a database did is noticed, as long as somebody wants to know."""

from __future__ import annotations

import asyncio
from typing import cast

from bot.core.errors import Busy
from bot.jobs.watch import EVERY_S, Watch
from storage.engine import Engine
from tests.support.shared_database import SharedDatabase
from tests.support.virtual_time import now, run


def test_it_looks_every_second_and_when_it_is_asked_also_after_the_database_was_away() -> None:
    looks = list[tuple[float, bool]]()

    async def look(asked: bool) -> None:
        looks.append((round(now(), 1), asked))
        if len(looks) == 1:
            raise Busy("away")

    async def story() -> None:
        process = SharedDatabase(now).join()
        watch = Watch(cast("Engine", process))
        watch.add(look)
        async with watch.keeping():
            await asyncio.sleep(1.5 * EVERY_S)
            process.wake()
            await asyncio.sleep(1.5 * EVERY_S)

    run(story())
    assert looks == [(1.0, False), (1.5, True), (2.5, False)]


def test_it_ends_when_it_is_told_to_also_in_the_moment_in_which_it_is_asked() -> None:
    async def story() -> None:
        process = SharedDatabase(now).join()
        async with asyncio.timeout(60), Watch(cast("Engine", process)).keeping():
            await asyncio.sleep(EVERY_S / 2)
            process.wake()

    run(story())
