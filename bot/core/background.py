"""Work that runs beside a block and ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any


@asynccontextmanager
async def run_alongside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Runs `work` while the block runs, then cancels it and waits until it is gone."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])  # not the task itself: its end and ours would look the same
        if not task.cancelled():
            task.result()


@asynccontextmanager
async def repeat_alongside(
    works: Iterable[Callable[[], Awaitable[None]]], every_s: float
) -> AsyncIterator[None]:
    """Does each of them now and then again and again, beside the block and each other."""
    async with AsyncExitStack() as stack:
        for work in works:
            await stack.enter_async_context(run_alongside(_repeat(work, every_s)))
        yield


async def _repeat(work: Callable[[], Awaitable[None]], every_s: float) -> None:
    while True:
        await work()
        await asyncio.sleep(every_s)
