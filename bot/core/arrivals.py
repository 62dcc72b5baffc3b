"""What arrives for one place is done in the order of arrival, other places beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class ArrivalOrder:
    """For databases with many writers: whoever comes first also commits first."""

    def __init__(self) -> None:
        self._last: dict[Hashable, asyncio.Future[None]] = {}

    @asynccontextmanager
    async def keep(self, place: Hashable) -> AsyncIterator[None]:
        """The block begins when those before it, of the same place, have ended."""
        before, mine = self._last.get(place), asyncio.get_running_loop().create_future()
        self._last[place] = mine
        try:
            if before is not None:
                await asyncio.shield(before)
            yield
        finally:
            self._end(place, before, mine)

    def _end(self, place: Hashable, before: asyncio.Future[None] | None, mine: asyncio.Future[None]) -> None:
        """Who is cancelled while waiting lets nobody past those who were before."""
        if before is not None and not before.done():
            before.add_done_callback(lambda _: self._end(place, None, mine))
            return
        mine.set_result(None)
        if self._last.get(place) is mine:
            del self._last[place]
