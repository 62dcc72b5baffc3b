"""How long a question waits for a model server that is not there (it restarts, or its machine does), and who
is told that it waits, for that or for its turn.

Whoever works on a question does so within `be_patient`, so that everything that is asked of a model for it
waits: verdict, transcript, summary, answer. Without one nothing waits, as in a window that somebody looks at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from bot.core.errors import Unavailable
from bot.provider.forecasts import Forecast

PAUSES_S = (0.5, 1.0, 2.0)
LONGEST_PAUSE_S = 5.0
_STEP_S = 1.0  # so long at most until it is noticed that nobody wants the answer any more


class Patience:
    """That of one question. `show` is called when waiting begins and when it is over; `show_queue` with the
    place in line (1 is next) and the seconds until then, and with 0 at the end; `is_over` says whether the
    question is still to be answered."""

    def __init__(
        self,
        longest_s: float,
        *,
        show: Callable[[bool], None],
        show_queue: Callable[[int, float], None],
        is_over: Callable[[], bool],
    ) -> None:
        self._longest_s = longest_s
        self._show = show
        self._show_queue = show_queue
        self._is_over = is_over
        self._until: float | None = None
        self._waits = 0

    async def wait(self, error: Unavailable, sleep: Callable[[float], Awaitable[None]]) -> bool:
        """True when it is time to ask again; False when nobody was away, or the patience is at its end."""
        if not error.restarting or self._is_over():
            return False
        now = asyncio.get_running_loop().time
        if self._until is None:
            self._until = now() + self._longest_s
        planned_s = PAUSES_S[self._waits] if self._waits < len(PAUSES_S) else LONGEST_PAUSE_S
        ends_at = now() + min(max(planned_s, error.retry_after_s or 0.0), LONGEST_PAUSE_S)
        if ends_at > self._until:
            return False
        self._waits += 1
        self._show(True)
        while (left_s := ends_at - now()) > 0:
            await sleep(min(left_s, _STEP_S))
            if self._is_over():
                return False
        return True

    def show_forecast(self, forecast: Forecast | None) -> None:
        """Where a request for the question stands in line; None: it is its turn."""
        self._show_queue(*(forecast.place, forecast.wait_s) if forecast else (0, 0.0))

    def end(self) -> None:
        """The server answered: the next time it is away it is waited for as long again."""
        if self._until is not None:
            self._until, self._waits = None, 0
            self._show(False)


_patience: ContextVar[Patience | None] = ContextVar("patience", default=None)


def find_patience() -> Patience | None:
    """That of the question for which something is asked."""
    return _patience.get()


@contextmanager
def be_patient(patience: Patience) -> Iterator[None]:
    """Has everything that is asked within wait as long as this patience lasts."""
    before = _patience.set(patience)
    try:
        yield
    finally:
        _patience.reset(before)
