"""From a score to a probability that can be believed, and to the line between yes and no.

All of it is fitted on out-of-fold scores: a model's scores on its own training rows are too good to be true.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Of what belongs, this share is to pass when no costs are stated.
TARGET_TPR = 0.95
# Between the lines where one error of each kind reaches this share, a verdict is left to the next rung.
UNSURE = 0.02
# With fewer examples of one kind nothing can be sure: both lines lie where no probability reaches.
FEW = 15


@dataclass(frozen=True, slots=True)
class Sigmoid:
    """probability = 1 / (1 + exp(-(slope × score + offset)))"""

    slope: float
    offset: float

    def __call__(self, score: float) -> float:
        return sigmoid(self.slope * score + self.offset)


@dataclass(frozen=True, slots=True)
class ErrorCosts:
    """What one error of each kind is worth, in any one unit."""

    refused_wrongly: float
    answered_wrongly: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Probabilities that part the messages: below `low` surely no, above `high` surely yes, cut at
    `threshold`.
    """

    threshold: float
    low: float
    high: float

    @property
    def never_sure(self) -> bool:
        return self.low <= 0 and self.high >= 1


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else 1 - 1 / (1 + math.exp(max(x, -700)))


def platt(scores: Sequence[float], labels: Sequence[bool]) -> Sigmoid:
    """The sigmoid that fits the scores best; never one that falls, so the order of scores is kept.

    Source: Platt 1999 (targets drawn in from 0 and 1 by one row each), fitted by Newton's method.
    """
    positive = sum(labels)
    high, low = (positive + 1) / (positive + 2), 1 / (len(labels) - positive + 2)
    slope, offset = 1.0, 0.0
    for _ in range(50):
        g_s = g_o = 0.0
        h_so, h_ss, h_oo = 0.0, 1e-3, 1e-3  # scores that are all alike have no slope
        for score, label in zip(scores, labels, strict=True):
            p = sigmoid(slope * score + offset)
            error, bend = p - (high if label else low), p * (1 - p)
            g_s, g_o = g_s + error * score, g_o + error
            h_ss, h_so, h_oo = h_ss + bend * score * score, h_so + bend * score, h_oo + bend
        determinant = h_ss * h_oo - h_so * h_so
        step_s, step_o = (h_oo * g_s - h_so * g_o) / determinant, (h_ss * g_o - h_so * g_s) / determinant
        # Steps of at most 5: Newton overshoots where the classes hardly overlap.
        slope, offset = max(slope - max(-5.0, min(5.0, step_s)), 1e-3), offset - max(-5.0, min(5.0, step_o))
        if abs(step_s) + abs(step_o) < 1e-6:
            break
    return Sigmoid(slope, offset)


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of a smooth population like `values` lies.

    With 45 examples the second smallest alone would decide; here every value near the tail has a say:
    each value is spread as a normal curve (Silverman's width) and the sum's quantile is found by bisection.
    """
    n = len(values)
    mean = sum(values) / n
    spread = math.sqrt(sum((v - mean) ** 2 for v in values) / n) or 1e-9
    width = 0.9 * spread * math.pow(n, -0.2)
    low, high = min(values) - 4 * width, max(values) + 4 * width
    for _ in range(50):
        middle = (low + high) / 2
        below = sum(0.5 * math.erfc((v - middle) / (width * math.sqrt(2))) for v in values) / n
        low, high = (middle, high) if below < share else (low, middle)
    return (low + high) / 2


def find_cheapest(scores: Sequence[float], labels: Sequence[bool], costs: ErrorCosts) -> float:
    """The threshold (yes at or above it) with the lowest total cost of the errors on these rows."""
    ranked = sorted(zip(scores, labels, strict=True))
    cost = best = costs.answered_wrongly * (
        len(labels) - sum(labels)
    )  # below all scores: everything is answered
    threshold = ranked[0][0]
    for (score, label), (following, _) in zip(ranked, [*ranked[1:], (math.inf, True)], strict=True):
        cost += costs.refused_wrongly if label else -costs.answered_wrongly
        if cost < best and following > score:
            best, threshold = cost, (score + following) / 2 if following < math.inf else score + 1e-9
    return threshold


def choose_thresholds(
    scores: Sequence[float], labels: Sequence[bool], curve: Sigmoid, costs: ErrorCosts | None = None
) -> Thresholds:
    """The three lines from out-of-fold scores: the cut by stated costs, else so that TARGET_TPR passes."""
    on = [s for s, label in zip(scores, labels, strict=True) if label]
    off = [s for s, label in zip(scores, labels, strict=True) if not label]
    cut = find_cheapest(scores, labels, costs) if costs else quantile(on, 1 - TARGET_TPR)
    if min(len(on), len(off)) < FEW:
        return Thresholds(curve(cut), 0.0, 1.0)
    low, high = quantile(on, UNSURE), quantile(off, 1 - UNSURE)
    return Thresholds(curve(cut), curve(min(low, cut)), curve(max(high, cut)))
