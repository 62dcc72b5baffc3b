"""Waiting for something another process does, without a fixed sleep."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], object], timeout_s: float = 60.0, every_s: float = 0.03) -> None:
    """Return when the condition holds; TimeoutError when it does not in time."""
    for _ in range(int(timeout_s / every_s)):
        if condition():
            return
        await asyncio.sleep(every_s)
    raise TimeoutError(f"not within {timeout_s} s")
