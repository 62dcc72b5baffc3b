"""How many requests one model server works on at the same time.

A service on the internet has no bound here. A server on this machine or in a private network has a few places
to begin with; there are more while it still begins its answers as quickly as to one request alone, and fewer
when it does not: then it only lines up what it is given, and our own line is the fairer one. Several
processes divide the places; each has one at least.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from math import inf

from bot.limits.division import Allotment, Claim
from bot.limits.sharing import Limit, Limits, NoOthers

log = logging.getLogger(__name__)

FIRST_PLACES = 4
MOST_PLACES = 1024
# Against a quiet server: up to the first it is taken to begin as quickly, beyond the second it does not.
FLAT, SLOW = 1.5, 2.5
LEAST_SAMPLES, MOST_SAMPLES = 4, 32  # between two changes
QUARTER = 4  # of the samples, the quickest: the others may have read more, or been thought about longer
# What a quiet server takes: a quicker sample is believed sooner than a slower one.
DOWN, UP = 0.5, 0.1
SMALLEST_S = 0.02  # below this, slower is no sign of anything
DURATION = 0.2  # weight of the latest request in the mean duration


class ServerLoad:
    """The places of one server. `fixed`: so many, whatever happens; 0: see `grows`.

    `grows`: the places follow the time to the first token; else there is no bound.
    """

    def __init__(
        self,
        address: str,
        *,
        fixed: int = 0,
        grows: bool = False,
        limits: Limits | None = None,
        freed: Callable[[], None] = lambda: None,
    ) -> None:
        """`freed`: called when there is room because other processes gave places back."""
        self._address = address
        self._limits: Limits = limits or NoOthers()
        self._freed = freed
        self._held, self._used_by_others = inf, 0.0
        self._turned_away = False  # since the last division
        self.places: float = fixed or (FIRST_PLACES if grows else inf)
        self.under_way = 0
        self.mean_s = 0.0  # how long a request takes
        self._adapts = grows and not fixed
        self._doubling = True  # until it was slow for the first time
        self._quiet_s: dict[int, float] = {}  # to the first token by size of prompt
        self._slower: deque[float] = deque(maxlen=MOST_SAMPLES)
        self._was_full = False
        if self.is_bounded:
            self._limits.add(f"{address} places", self)

    @property
    def is_bounded(self) -> bool:
        return self.places < inf

    @property
    def places_here(self) -> float:
        """How many of the places are this process's."""
        return min(self.places, self._held)

    def has_room(self) -> bool:
        """Asked for whoever wants to go."""
        if self.under_way < self.places_here:
            return True
        if self.places_here < self.places:
            self._turned_away = True
            if self.under_way + self._used_by_others < self.places:
                self._limits.hurry()
        return False

    def enter(self) -> int:
        """How many are under way now, the new one included."""
        self.under_way += 1
        self._was_full = self._was_full or self.under_way >= self.places_here
        return self.under_way + int(self._used_by_others)

    @property
    def limit(self) -> Limit:
        """What all processes share."""
        return Limit(self.places, whole=True)

    def claim(self) -> Claim:
        """All of them, while some are turned away."""
        wants = self.places if self._turned_away else float(self.under_way > 0)
        self._turned_away = False
        return Claim(self.under_way, wants, 0.0 if self._held == inf else self._held)

    def allot(self, part: Allotment) -> None:
        self._held, self._used_by_others = max(part.held, 1.0), part.used_by_others
        self._freed()

    def have_all(self) -> None:
        self._held, self._used_by_others = inf, 0.0
        self._freed()

    def leave(self, after_s: float) -> None:
        """A request has ended."""
        self.under_way -= 1
        self.mean_s += (after_s - self.mean_s) * (DURATION if self.mean_s else 1.0)

    def forecast_s(self, ahead: int) -> float:
        """Seconds until there is room when so many go before."""
        beyond = ahead + 1 - (self.places_here - self.under_way)
        return beyond * self.mean_s / self.places_here if beyond > 0 else 0.0

    def note_first_token(self, seconds: float, prompt_tokens: float, beside: int) -> None:
        """How long it took to the first token of an answer; `beside`: how many were under way as it began."""
        if not self._adapts:
            return
        size = int(prompt_tokens).bit_length() // 2
        took_s = max(seconds, SMALLEST_S)
        quiet_s = self._quiet_s.setdefault(size, took_s)
        if took_s < quiet_s:
            self._quiet_s[size] += (took_s - quiet_s) * DOWN
        elif beside <= max(1, self.places // 4):
            self._quiet_s[size] += (took_s - quiet_s) * UP
        if beside * 2 > self.places:
            self._slower.append(took_s / self._quiet_s[size])
            self._adapt()

    def _adapt(self) -> None:
        """Changes the places when enough is known about as many as there are now."""
        if len(self._slower) < min(max(LEAST_SAMPLES, self.places), MOST_SAMPLES):
            return
        slower = sorted(self._slower)[len(self._slower) // QUARTER]
        if slower > SLOW:
            self._doubling = False
            self._change(max(1.0, self.places - max(1, self.places // 4)))
        elif slower <= FLAT and self._was_full:
            more = self.places // 2 if self._doubling else 1
            self._change(min(MOST_PLACES, self.places + max(1, more)))
        else:
            self._slower.clear()

    def _change(self, places: float) -> None:
        log.info("%s gets up to %d requests at the same time, %d before", self._address, places, self.places)
        self.places, self._was_full = places, False
        self._slower.clear()


class CautiousStart:
    """How many requests of one model are under way while nobody knows what the server takes per minute: few
    to begin with, then one more for each answer; half as many after a refusal.

    Source: RFC 5681 (TCP congestion control): slow start, congestion avoidance.
    """

    def __init__(self) -> None:
        self.places: float = FIRST_PLACES
        self._threshold = inf

    def note_answer(self) -> None:
        self.places += 1 if self.places < self._threshold else 1 / self.places

    def note_refusal(self, under_way: int) -> None:
        self.places = self._threshold = max(1.0, min(self.places, under_way) / 2)
