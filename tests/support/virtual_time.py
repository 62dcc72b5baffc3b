"""An event loop whose clock stands still while anybody works, and jumps to the next timer when all wait."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

STEP_S = 1e-9  # what anything takes: two looks at the clock in different steps never see the same time


class NobodyWakes(BaseException):
    """Everybody waits for somebody: in real time this would hang for ever."""


class _Selector(selectors.SelectSelector):
    """Waits by setting the clock forward. There is no input or output to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.passed_s = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise NobodyWakes
        self.passed_s += max(timeout, STEP_S)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its `time` is in seconds from 0."""

    def __init__(self) -> None:
        self._waiting = _Selector()
        super().__init__(self._waiting)

    def time(self) -> float:
        return self._waiting.passed_s


def run(main: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns, in no time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


def now() -> float:
    """Seconds on the clock of the running loop."""
    return asyncio.get_running_loop().time()
