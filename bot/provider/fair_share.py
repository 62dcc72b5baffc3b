"""Shares what model servers take per minute, and work on at once, fairly between people.

Requests for one model at one server form a line (model_line.py), with the same limits for all of them; the
lines of one server share its places (server_load.py). What several processes on one database share of both
is divided between them by bot/limits. Money is not known here: that is bot/costs/ledger.py.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from bot.limits.sharing import Limits, NoOthers
from bot.ops.metrics import METRICS
from bot.provider.arrivals import Arrivals, Ask
from bot.provider.model_line import ModelLine, Share, Tell, Ticket, Waiter
from bot.provider.model_server import ModelServer
from bot.provider.server_load import ServerLoad
from bot.provider.shared_line import SharedLine


class Scheduler:
    """Lets requests through in turn, at every server."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        arrivals: Callable[[float], Arrivals] = Arrivals,
        limits: Limits | None = None,
    ) -> None:
        """`arrivals`: what each line expects to come, from the time when it began. `limits`: what is shared
        with other processes."""
        self._clock = clock
        self._limits: Limits = limits or NoOthers()
        self._arrivals = arrivals
        self._lines: dict[tuple[str, str], ModelLine] = {}  # by address and model
        self._loads: dict[str, ServerLoad] = {}  # by address
        self._numbers = itertools.count(1)

    async def acquire(
        self, server: ModelServer, model: str, ask: Ask, ticket: Ticket, *, tell: Tell | None = None
    ) -> Share:
        """Waits for its turn; a cancelled wait leaves no trace. `tell` hears where it stands, once that takes
        long, and at last None."""
        line = self._line(server, model)
        ticket.number = ticket.number or next(self._numbers)
        since = self._clock()
        waiter = Waiter(ask, ticket.number, since, tell, asyncio.get_running_loop().create_future())
        line.enter(waiter)
        try:
            return await waiter.granted
        except asyncio.CancelledError:
            line.give_up(waiter)
            raise
        finally:
            waited_s = self._clock() - since
            ticket.waited_s += waited_s
            METRICS.observe("parley_model_waited_seconds", waited_s)
            if tell and waiter.told_at is not None:
                tell(None)

    def waiting(self) -> int:
        return sum(map(len, self._lines.values()))

    def forecast_s(self) -> float:
        """How long whoever is last in the longest line waits from now on."""
        return max((f.wait_s for line in self._lines.values() for _, f in line.forecast()), default=0.0)

    def places(self, address: str) -> float:
        """How many requests a server gets at once."""
        return self._loads[address].places

    def _line(self, server: ModelServer, model: str) -> ModelLine:
        line = self._lines.get((server.address, model))
        if line is None:
            freed = partial(self._pump, server.address)
            load = self._loads.get(server.address)
            if load is None:
                fixed, grows = server.parallel, server.own
                load = ServerLoad(server.address, fixed=fixed, grows=grows, limits=self._limits, freed=freed)
                self._loads[server.address] = load
            line = ModelLine(
                server,
                load,
                clock=self._clock,
                freed=freed,
                arrivals=self._arrivals,
                hurry=self._limits.hurry,
            )
            self._lines[server.address, model] = line
            self._limits.add(f"{server.address} {model}", SharedLine(line, self._clock))
        return line

    def _pump(self, address: str) -> None:
        """Room at a server is for the line whose first has waited longest."""
        lines = [line for (at, _), line in self._lines.items() if at == address and line]
        for line in sorted(lines, key=lambda line: line.head):
            line.pump()


_background: ContextVar[bool] = ContextVar("background", default=False)


def is_background() -> bool:
    """Whether what is asked now has time."""
    return _background.get()


@contextmanager
def in_background() -> Iterator[None]:
    """What is asked of a model within lets people go first: nobody waits for it."""
    before = _background.set(True)
    try:
        yield
    finally:
        _background.reset(before)
