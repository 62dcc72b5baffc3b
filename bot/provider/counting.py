"""What a server counts of a request against its tokens per minute, as it says or as its headers show.

OpenAI and Azure count on arrival what a request might use: the prompt, and the longest answer it allows
(the larger of both, or their sum). Others count what was used. Giving back what was not used is right only
there: where reservations count, it leads to refusals.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Counted = Literal["sum", "larger", "use"]

# The operator's word → what may be meant by it; the first is taken before anything is known.
MEANINGS: dict[str, tuple[Counted, ...]] = {
    "": ("sum", "larger", "use"),
    "reserve": ("sum", "larger"),
    "use": ("use",),
}
ENOUGH = 5  # observations before a guess is changed
CLEARER = 0.5  # how much smaller the error of another guess has to be
LASTS = 0.9  # of what was observed, with each further observation
MINUTE_S = 60.0
WORTH = 0.1  # guesses closer together than this say nothing about which is right


@dataclass(frozen=True, slots=True)
class Size:
    """What a request may use, in tokens. `expected`: what such requests really write."""

    prompt: float
    limit: float
    expected: float

    def amount(self, counted: Counted) -> float:
        """What the server is taken to count of it, at the latest when it has ended."""
        if counted == "sum":
            return self.prompt + self.limit
        if counted == "larger":
            return max(self.prompt, self.limit)
        return self.prompt + self.expected

    def at_once(self) -> dict[Counted, float]:
        """What each guess takes to be counted when it arrives."""
        return {"sum": self.amount("sum"), "larger": self.amount("larger"), "use": self.prompt}


@dataclass(frozen=True, slots=True)
class Sent:
    """How much had been counted when a request was let through, by each guess."""

    at: float
    totals: dict[Counted, float]
    own: dict[Counted, float]  # of this, what is counted at once


@dataclass(slots=True)
class Counting:
    """Finds out what a server counts, from what is left after one request and after a later one."""

    asked: str  # a key of MEANINGS
    _totals: dict[Counted, float] = field(default_factory=lambda: {"sum": 0.0, "larger": 0.0, "use": 0.0})
    _others: dict[Counted, float] = field(default_factory=lambda: {"sum": 0.0, "larger": 0.0, "use": 0.0})
    _errors: dict[Counted, float] = field(default_factory=lambda: {"sum": 0.0, "larger": 0.0, "use": 0.0})
    _seen: int = 0
    _last: tuple[Sent, float] | None = None  # of the last response, and what was left
    counted: Counted = field(init=False)

    def __post_init__(self) -> None:
        self.counted = MEANINGS[self.asked][0]

    def note_sent(self, size: Size, now: float) -> Sent:
        """A request goes out."""
        own = size.at_once()
        for name, amount in own.items():
            self._totals[name] += amount
        return Sent(now, {name: total + self._others[name] for name, total in self._totals.items()}, own)

    @property
    def totals(self) -> dict[Counted, float]:
        """By each guess, of what this process sent."""
        return self._totals

    @property
    def is_sure(self) -> bool:
        """Whether it was found out, as far as that goes."""
        return self._seen >= ENOUGH

    def hear(self, totals: Mapping[Counted, float], counted: Counted | None) -> None:
        """Those of other processes, and what one of them has found out."""
        self._others = dict(totals)
        if counted in MEANINGS[self.asked] and not self.is_sure:
            self.counted = counted

    def note_not_sent(self, size: Size) -> None:
        """It did not, or was refused: the server counts nothing of it."""
        for name, amount in size.at_once().items():
            self._totals[name] -= amount

    def note_used(self, size: Size, used: float) -> None:
        """It has ended."""
        self._totals["use"] += used - size.prompt

    def note_left(self, sent: Sent, left: float, *, limit: float, fills: bool, apart_s: float = 0.0) -> None:
        """What the response to a request says is left. `fills`: the server's bucket does so meanwhile, and it
        is no minute that begins anew. `apart_s`: what is sooner than that after the one before is passed
        over."""
        if self._last and 0 < sent.at - self._last[0].at < apart_s:
            return
        before, self._last = self._last, (sent, left) if left > 0 else None  # 0 may hide a debt
        if before is None or not left or sent.at <= before[0].at:
            return
        refill = (sent.at - before[0].at) * limit / MINUTE_S if fills else 0.0
        most = before[1] - left + refill
        if most < 0:  # a new minute, or somebody else's limit
            return
        least = most - refill if before[1] + refill > limit else most  # nothing runs into a full bucket
        guesses = {name: sent.totals[name] - before[0].totals[name] for name in MEANINGS[self.asked]}
        largest = max(guesses.values())
        if largest <= 0 or largest - min(guesses.values()) < WORTH * largest:
            return
        self._seen += 1
        for name, guess in guesses.items():
            # No server has more left than its limit without this very request.
            error = max(least - guess, guess - most, left + sent.own[name] - limit, 0.0)
            self._errors[name] = self._errors[name] * LASTS + min(error / largest, 1.0)
        best = min(guesses, key=lambda name: self._errors[name])
        if self._seen >= ENOUGH and self._errors[best] < CLEARER * self._errors[self.counted]:
            self.counted = best
