"""How long somebody in line waits: from who stands before, and from how fast their own requests went so far.

Who stands before does not tell it all: calm channels that come later go first, and are served meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

LASTS, MOST_SHARE = 0.97, 0.8  # with each further request
BEFORE = 10  # requests by others are taken to have gone before the first
BELIEVED_AFTER_S = 20.0  # so long what was seen weighs as much as what is calculated


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where somebody stands: 1 is next. `wait_s` from now on, as things stand."""

    place: int
    wait_s: float


@dataclass(slots=True)
class Overtaking:
    """How much of what is served goes to people who come with a single request, and so before those who
    come with many."""

    _singles: float = 0.0
    _all: float = 0.0

    def note_served(self, tokens: float, *, single: bool) -> None:
        self._all = (self._all or BEFORE * tokens) * LASTS + tokens
        self._singles = self._singles * LASTS + (tokens if single else 0.0)

    @property
    def factor(self) -> float:
        """How much longer than it looks the others wait."""
        share = self._singles / self._all if self._all else 0.0
        return 1 / (1 - min(share, MOST_SHARE))


@dataclass(slots=True)
class Pace:
    """How fast the requests of one person in one channel go since they have to wait."""

    since: float
    served: float = 0.0  # tokens
    served_at: float = 0.0

    def note_served(self, tokens: float, now: float) -> None:
        self.served += tokens
        self.served_at = now

    def forecast_s(self, calculated_s: float, tokens: float, now: float) -> float:
        """Seconds until so many tokens of theirs are served."""
        if calculated_s <= 0 or not self.served:
            return calculated_s
        seen_s = self.served_at - self.since
        expected = BELIEVED_AFTER_S * tokens / calculated_s
        return tokens * (BELIEVED_AFTER_S + seen_s) / (expected + self.served)
