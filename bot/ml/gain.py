"""Whether one head is better than another on the same rows, how large a share is, and how sure that is."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

DRAWS = 400
_SEED = 0
_SMALLEST = 1e-4  # a probability of 0 would be infinitely wrong


@dataclass(frozen=True, slots=True)
class Gain:
    """How much less wrong the second head is for a row, in nats of the log loss, with the interval in which
    it is in 95 of 100 draws of whole groups."""

    mean: float
    low: float
    high: float
    rows: int

    @property
    def is_sure(self) -> bool:
        return self.low > 0


@dataclass(frozen=True, slots=True)
class MeasuredRate:
    """So many of so many, with the 95 % interval of the share."""

    part: int
    whole: int
    low: float
    high: float


def measure_gain(
    labels: Sequence[bool], before: Sequence[float], after: Sequence[float], groups: Sequence[str]
) -> Gain:
    """Of the second head over the first; rows of a group are drawn together, for they are alike."""
    by_group = defaultdict[str, list[float]](list)
    for label, first, second, group in zip(labels, before, after, groups, strict=True):
        by_group[group].append(_loss(label, first) - _loss(label, second))
    sums = [(sum(each), len(each)) for _, each in sorted(by_group.items())]
    chance = random.Random(_SEED)
    means = sorted(_mean(chance.choices(sums, k=len(sums))) for _ in range(DRAWS))
    return Gain(_mean(sums), means[int(0.025 * DRAWS)], means[int(0.975 * DRAWS) - 1], len(labels))


def _mean(sums: Sequence[tuple[float, int]]) -> float:
    return sum(total for total, _ in sums) / sum(rows for _, rows in sums)


def _loss(label: bool, probability: float) -> float:
    right = probability if label else 1 - probability
    return -math.log(max(_SMALLEST, right))


def measure_rate(part: int, whole: int) -> MeasuredRate:
    """So many of so many, with the interval that is right for small numbers too.

    Source: E. B. Wilson, Journal of the American Statistical Association 22 (1927).
    """
    if not whole:
        return MeasuredRate(0, 0, 0.0, 1.0)
    z, share = 1.96, part / whole
    middle = share + z * z / (2 * whole)
    spread = z * math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    scale = 1 + z * z / whole
    return MeasuredRate(part, whole, max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale))
