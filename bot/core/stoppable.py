"""Work that whoever holds it can end before it is done, also while somebody waits for what comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class StoppableWork(Generic[T]):
    """Runs from the moment it is made. What it raises comes out of `result`."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._task = asyncio.create_task(work)

    async def result(self) -> T | None:
        """What came of it; None when it was ended from outside."""
        try:
            return await self._task
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if me is not None and me.cancelling():
                raise
            return None

    async def aclose(self) -> None:
        """Ends it; returns when it has ended."""
        self._task.cancel()
        await asyncio.wait([self._task])
