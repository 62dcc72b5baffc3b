"""The tokens per minute of a server that tells no limit: from what it took in the minute before it refused.

After a refusal less goes out, then nearly as much as what was refused, for long; then a little more is tried.
Sources: Chiu and Jain, "Analysis of the increase and decrease algorithms" (1989); RFC 9438 (CUBIC), whose
plateau below the last refusal this is.
"""

from __future__ import annotations

from collections import deque
from math import inf

MINUTE_S = 60.0
ENOUGH = 5  # requests that were taken before a refusal; of fewer nothing is learned
FEW = 3  # so many taken after the last refusal say that this is another one, and not the same again
APART_S = 45.0  # what is refused sooner than that after a change says nothing new
LESS, LEAST = 0.9, 0.6  # what is left after a refusal of what was taken; of the guess, at least
PAUSE_S, LONGEST_PAUSE_S = 4.0, 16.0  # after a refusal that says nothing new, or not how long
STEP_S = 15.0  # between two changes upwards; time in which nobody waits for tokens is not counted
# Of what was refused: less when that much was refused too, more when it was not.
NEAR, LEAST_NEAR, NEAR_STEP = 0.96, 0.88, 0.02
NEARER = 0.15  # of the way there with each step
HOLD_STEPS, MOST_HOLD_STEPS = 24, 160  # six minutes; twice as long each time the old limit is met again
SAME = 0.15  # a limit so close to the last one is the same
FIRST_PROBE, FASTER, FASTEST = 0.0025, 1.15, 0.02  # more than before with each step


class LimitGuess:
    """`per_minute`: 0 as long as nothing was refused. `in_a_row`: refusals since it changed, that one too."""

    def __init__(self) -> None:
        self.per_minute = 0.0
        self.in_a_row = 0
        self._near = NEAR
        self._taken: deque[tuple[float, float]] = deque()  # when, tokens
        self._refused_level = 0.0
        self._refused_at = self._stepped_at = -inf
        self._steps, self._hold_steps, self._probe = 0, HOLD_STEPS, FIRST_PROBE

    def hear(self, per_minute: float, refused_level: float, now: float) -> None:
        """Another process was refused, and takes this for the limit now."""
        self.per_minute, self._refused_level = per_minute, refused_level
        self._refused_at = self._stepped_at = now
        self._steps, self._probe, self._hold_steps = 0, FIRST_PROBE, HOLD_STEPS

    @property
    def refused_level(self) -> float:
        """What was taken per minute when it was refused the last time."""
        return self._refused_level

    def note_taken(self, tokens: float, now: float) -> None:
        self._taken.append((now, tokens))
        while self._taken[0][0] <= now - MINUTE_S:
            self._taken.popleft()

    def note_refusal(self, now: float) -> bool:
        """True when the server takes less than was thought until now."""
        self.in_a_row += 1
        since = max(self._refused_at, now - MINUTE_S)
        taken = [tokens for at, tokens in self._taken if at > since]
        if len(taken) < (FEW if self.per_minute else ENOUGH) or now - self._refused_at < APART_S:
            return False
        level = sum(taken) * MINUTE_S / (now - since)
        if self.per_minute:
            level = min(max(level, self.per_minute * LEAST), max(self.per_minute, self._refused_level))
        if self.per_minute <= self._near * self._refused_level:
            self._near = max(self._near - NEAR_STEP, LEAST_NEAR)
        elif self.per_minute > self._refused_level:
            self._near = min(self._near + NEAR_STEP, NEAR)
        same = abs(level - self._refused_level) <= SAME * level
        self._hold_steps = min(self._hold_steps * 2, MOST_HOLD_STEPS) if same else HOLD_STEPS
        self.per_minute, self._refused_level = level * LESS, level
        self._refused_at = self._stepped_at = now
        self._steps, self._probe, self.in_a_row = 0, FIRST_PROBE, 1
        return True

    def pause_s(self, *, told: bool) -> float:
        """How long nothing should go out at least after a refusal; `told`: it said itself how long."""
        more = self.in_a_row - (2 if told else 1)
        return min(PAUSE_S * 2**more, LONGEST_PAUSE_S) if more >= 0 else 0.0

    def step_up(self, now: float) -> bool:
        """Called while somebody waits for tokens. True when it is time for a little more."""
        if not self.per_minute or now - self._stepped_at < STEP_S:
            return False
        self._stepped_at = now
        self._steps += 1
        near = self._near * self._refused_level
        if self.per_minute < near:
            self.per_minute += min(near - self.per_minute, NEARER * (self._refused_level - self.per_minute))
        elif self._steps < self._hold_steps:
            return False
        else:
            self.per_minute *= 1 + self._probe
            self._probe = min(self._probe * FASTER, FASTEST)
        return True
