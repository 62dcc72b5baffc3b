"""Time that passes only when everybody waits. `install` it before anything that reads a clock is imported."""

from __future__ import annotations

import asyncio
import json
import selectors
import time
from collections.abc import Callable
from typing import Any

BEGINS_AT = 1_800_000_000.0  # unix seconds


class Clock:
    """Seconds since the story began; the wall clock may be set to something else meanwhile."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self.passed_s = 0.0
        self.wall_off_s = 0.0

    def monotonic(self) -> float:
        return self.passed_s

    def wall(self) -> float:
        return BEGINS_AT + self.passed_s + self.wall_off_s


CLOCK = Clock()


def install() -> None:
    """Every clock of this process is the virtual one from now on."""
    time.monotonic = CLOCK.monotonic
    time.perf_counter = CLOCK.monotonic
    time.time = CLOCK.wall


class NothingWillHappen(BaseException):
    """Everybody waits for somebody: in a real process this would hang for ever."""


class _Selector(selectors.SelectSelector):
    """Waits by setting the clock forward. There is no input or output to wait for."""

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise NothingWillHappen
        CLOCK.passed_s += max(timeout, 0.0)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time, in which what would go to a thread is done at once."""

    def __init__(self) -> None:
        super().__init__(_Selector())

    def time(self) -> float:
        return CLOCK.passed_s

    async def subprocess_exec(self, protocol_factory: Any, *command: Any, **how: Any) -> Any:  # type: ignore[override]
        """The only process that is ever started decodes a recording."""
        from tests.simulator.decoder import Decoder  # no clock may be read before it is replaced

        protocol = protocol_factory()
        return Decoder(protocol, json.loads(command[-1]), how["stdin"]), protocol

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        done = self.create_future()
        done.set_result(func(*args))
        return done
