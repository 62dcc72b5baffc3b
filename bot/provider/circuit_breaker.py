"""Stops asking a model API that does not answer, and tries again from time to time.

closed → (failures in a row) → open → (after a pause) → one probe → closed, or open for twice as long.
What counts as a failure is decided by whoever reports it (bot/provider/gate.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable

FAILURES = 5
PAUSE_S = 5.0
LONGEST_PAUSE_S = 60.0


class CircuitBreaker:
    """One model API. `why` is the error that opened it, None while it is closed."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._pause_s = PAUSE_S
        self._until = 0.0
        self._probing = False
        self.why: Exception | None = None

    @property
    def is_open(self) -> bool:
        return self.why is not None

    def wait_s(self) -> float | None:
        """None: ask now, and report how it went. Else how long to leave the API alone, in seconds."""
        if self.why is None:
            return None
        left = self._until - self._clock()
        if left > 0 or self._probing:
            return max(left, 1.0)
        self._probing = True
        return None

    def note_success(self) -> None:
        """The API answered: the breaker closes."""
        self._failures, self._pause_s, self._probing, self.why = 0, PAUSE_S, False, None

    def note_failure(self, error: Exception, *, at_once: bool = False, restarting: bool = False) -> bool:
        """Notes a failure; True when this one opened the breaker. `at_once`: repeating cannot help;
        `restarting`: the pauses stay short, because it costs a server nothing that it is asked in vain."""
        was_open = self.is_open
        self._failures += 1
        self._probing = False
        if was_open and not restarting:
            self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
        elif not at_once and self._failures < FAILURES:
            return False
        self.why, self._until = error, self._clock() + self._pause_s
        return not was_open

    def note_unknown(self) -> None:
        """A request ended without saying anything about the API: another may probe."""
        self._probing = False
