"""What is done once, by one process at a time: a recording that is heard, a text that is translated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from storage.engine import Engine
from storage.workers import duties

LOOK_EVERY_S = 0.5


@asynccontextmanager
async def alone(engine: Engine, name: str, *, wait_s: float = 0.0) -> AsyncIterator[bool]:
    """Whether no other process is at it; for the end of one that is, so long is waited.

    One that dies over it lets the next one in.
    """
    if not engine.shared:
        yield True
        return
    mine = await _claim(engine, name, wait_s)
    try:
        yield mine
    finally:
        if mine:
            await engine.write(duties.give_up, name, engine.worker)


async def _claim(engine: Engine, name: str, wait_s: float) -> bool:
    until = asyncio.get_running_loop().time() + wait_s
    while await engine.write(duties.claim, name, engine.worker) is None:
        if asyncio.get_running_loop().time() >= until:
            return False
        await asyncio.sleep(LOOK_EVERY_S)
    return True
