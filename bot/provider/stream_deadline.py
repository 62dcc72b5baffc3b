"""Ends a stream that keeps us waiting too long, for its next part or in all.

One timer for the whole stream; `asyncio.timeout` around each part would cost as much as reading it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class TookTooLong(TimeoutError):
    """The request took longer than it may in all, whatever came of it."""


class StreamDeadline:
    """Waits at most `stall_s` for each part and until `deadline` (loop time) for all; then TimeoutError,
    in the latter case TookTooLong.

    Time that passes between two waits counts only towards the deadline: it is not the server's.
    """

    def __init__(self, *, stall_s: float, deadline: float) -> None:
        self._stall_s = stall_s
        self._deadline = deadline
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[object] | None = None
        self._since = self._loop.time()
        self._late = False
        self._timer = self._loop.call_at(min(self._since + stall_s, deadline), self._check)

    async def wait(self, part: Callable[[], Awaitable[T]]) -> T:
        """The part, or TimeoutError. A cancellation from outside passes through."""
        if self._is_late():
            raise self._lateness()
        task = self._task = asyncio.current_task()
        assert task is not None
        self._since, before = self._loop.time(), task.cancelling()
        try:
            return await part()
        except asyncio.CancelledError:
            if self._is_late() and task.uncancel() <= before:
                raise self._lateness() from None
            raise
        finally:
            self._task = None

    def expect(self, stall_s: float) -> None:
        """From now on each part may take at most so long."""
        self._stall_s = stall_s
        self._timer.cancel()
        self._check()

    def _is_late(self) -> bool:
        return self._late

    def _lateness(self) -> TimeoutError:
        if self._loop.time() >= self._deadline:
            return TookTooLong("the request took longer than it may in all")
        return TimeoutError(f"nothing came for {self._stall_s:g} s")

    def close(self) -> None:
        self._timer.cancel()

    def _check(self) -> None:
        now = self._loop.time()
        due = min((self._since if self._task else now) + self._stall_s, self._deadline)
        if now < due:
            self._timer = self._loop.call_at(due, self._check)
            return
        self._late = True
        if self._task:
            self._task.cancel()
