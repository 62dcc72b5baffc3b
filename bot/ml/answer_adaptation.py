"""A head of a channel's own: the shipped one, moved as far as the channel's examples tell.

Its weights are the shipped ones unless the examples say otherwise, so that fifty do no harm. Measured on
articles of SQuAD as channels by a shipped head that had not seen them (tests/bench/knowledge/own_heads.py).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from bot.ml.answer_classifier import FOLDS, AnswerHead, expand
from bot.ml.calibration import FEW, Sigmoid, choose_thresholds, platt
from bot.ml.linear_models import fit_near

# How much the shipped weights count: with less, fifty examples of some channels made it worse, with more, two
# hundred told little.
_RIDGE = 100.0
_SEED = 0


@dataclass(frozen=True, slots=True)
class DescribedPair:
    """A question and a passage as features. Pairs of one `group` are held out together: of one passage, or of
    one question that has none. What is `written` by a model teaches and is measured by nothing: it may be
    anything."""

    features: tuple[float, ...]
    answerable: bool
    group: str
    written: bool = False


@dataclass(frozen=True, slots=True)
class Adaptation:
    """`held_out`: the probability of each pair by a head that was not shown its group; `shipped`: by the
    shipped head."""

    head: AnswerHead
    held_out: tuple[float, ...]
    shipped: tuple[float, ...]


def adapt(shipped: AnswerHead, pairs: Sequence[DescribedPair], *, share: float = 1.0) -> Adaptation:
    """A channel's head from its pairs. `share`: so much of the groups is learned from, for learning curves.

    ValueError when one of the labels is missing.
    """
    labels = [pair.answerable for pair in pairs]
    if not 0 < sum(labels) < len(labels):
        raise ValueError("some pairs answerable and some not")
    rows = [expand(pair.features, shipped.means, shipped.scales) for pair in pairs]
    fold, rank = _deal_groups(pairs)
    learned = [rank[pair.group] < share for pair in pairs]
    prior = _in_log_odds(shipped)
    weights = _fit(rows, labels, [n for n in range(len(pairs)) if learned[n]], prior)
    scores = [0.0] * len(pairs)
    for held in range(FOLDS):
        kept = [n for n, pair in enumerate(pairs) if fold[pair.group] != held and learned[n]]
        without = _fit(rows, labels, kept, prior, start=weights)
        for n, pair in enumerate(pairs):
            if fold[pair.group] == held:
                scores[n] = sum(w * x for w, x in zip(without, rows[n], strict=True))
    asked = [n for n, pair in enumerate(pairs) if not pair.written]
    measured, truth = [scores[n] for n in asked], [labels[n] for n in asked]
    curve = _calibrate(measured, truth)
    lines = choose_thresholds(measured, truth, curve)
    head = AnswerHead(shipped.means, shipped.scales, tuple(weights), curve, lines, shipped.embedder)
    before = tuple(shipped.judge(pair.features) for pair in pairs)
    return Adaptation(head, tuple(map(curve, scores)), before)


def _in_log_odds(head: AnswerHead) -> list[float]:
    """Its weights, so that a score is the log odds without its sigmoid."""
    *weights, bias = (weight * head.sigmoid.slope for weight in head.weights)
    return [*weights, bias + head.sigmoid.offset]


def _deal_groups(pairs: Sequence[DescribedPair]) -> tuple[dict[str, int], dict[str, float]]:
    """The fold of each group, and its place between 0 and 1 in an order by chance."""
    groups = sorted({pair.group for pair in pairs})
    random.Random(_SEED).shuffle(groups)
    fold = {group: n % FOLDS for n, group in enumerate(groups)}
    rank = {group: (n // FOLDS * FOLDS) / len(groups) for n, group in enumerate(groups)}
    return fold, rank


def _fit(
    rows: Sequence[Sequence[float]],
    labels: Sequence[bool],
    kept: Sequence[int],
    prior: Sequence[float],
    *,
    start: Sequence[float] = (),
) -> list[float]:
    """Convex, so starting from weights that saw all pairs leaks nothing."""
    if not kept:
        return list(prior)
    columns = list(zip(*(rows[n] for n in kept), strict=True))
    return fit_near(columns, [labels[n] for n in kept], prior, ridge=_RIDGE, start=start)


def _calibrate(scores: Sequence[float], labels: Sequence[bool]) -> Sigmoid:
    """By what was held out, where that is enough to tell; the scores are log odds already."""
    enough = min(sum(labels), len(labels) - sum(labels)) >= 4 * FEW
    return platt(scores, labels) if enough else Sigmoid(1.0, 0.0)
