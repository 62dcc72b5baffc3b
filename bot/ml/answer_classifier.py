"""The trained head over ``bot.ml.answer_features``: the probability that a passage answers a question."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from operator import mul

from bot.ml.answer_features import COVERAGE, Collection, features
from bot.ml.calibration import ErrorCosts, Sigmoid, Thresholds, choose_thresholds, platt
from bot.ml.linear_models import fit_logistic

FOLDS = 5


@dataclass(frozen=True, slots=True)
class Pair:
    context: str
    question: str
    answerable: bool
    nearness: float | None = None  # of the two in meaning; all pairs have it or none
    behind: float = 0.0  # how much nearer to the question the nearest other passage is; 0 where none is


@dataclass(frozen=True, slots=True)
class AnswerHead:
    means: tuple[float, ...]
    scales: tuple[float, ...]
    weights: tuple[float, ...]  # one per feature, one per feature times coverage, then the bias
    sigmoid: Sigmoid
    lines: Thresholds
    embedder: str = ""  # the one it was trained with; "" for words alone

    def score(self, row: Sequence[float]) -> float:
        return float(sum(map(mul, self.weights, expand(row, self.means, self.scales))))

    def judge(self, row: Sequence[float]) -> float:
        """The probability of a pair that is described (`describe`)."""
        return self.sigmoid(self.score(row))

    def probability(
        self,
        question: str,
        context: str,
        collection: Collection,
        *,
        nearness: float | None = None,
        behind: float = 0.0,
    ) -> float:
        """That `context` answers `question`, 0 to 1; `collection` is what the passage was chosen from.
        `nearness` and `behind`: see `Pair`, by the head's own embedder, where it has one."""
        pair = Pair(context, question, True, nearness, behind)
        return self.judge(describe(pair, collection))


@dataclass(frozen=True, slots=True)
class HeadTraining:
    head: AnswerHead
    held_out: tuple[float, ...]  # probability of each pair by a head that did not see its passage


def train(
    pairs: Sequence[Pair],
    collection: Collection,
    *,
    costs: ErrorCosts | None = None,
    ridge: float = 10.0,
    embedder: str = "",
) -> HeadTraining:
    """Fit on labelled pairs. ValueError when one of the labels is missing or there are fewer than 10
    pairs.
    """
    labels = [p.answerable for p in pairs]
    if len(pairs) < 10 or not 0 < sum(labels) < len(labels):
        raise ValueError("at least 10 pairs, some answerable and some not")
    rows = [describe(pair, collection) for pair in pairs]
    means = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    scales = [
        math.sqrt(sum((x - m) ** 2 for x in column) / len(rows)) or 1.0
        for column, m in zip(zip(*rows, strict=True), means, strict=True)
    ]
    columns = list(zip(*(expand(row, means, scales) for row in rows), strict=True))
    weights = fit_logistic(columns, labels, ridge=ridge)
    scores = _held_out([p.context for p in pairs], columns, labels, weights, ridge)
    curve = platt(scores, labels)
    lines = choose_thresholds(scores, labels, curve, costs)
    head = AnswerHead(tuple(means), tuple(scales), tuple(weights), curve, lines, embedder)
    return HeadTraining(head, tuple(map(curve, scores)))


def describe(pair: Pair, collection: Collection) -> list[float]:
    """A pair as its features, with nearness where it has one."""
    row = features(pair.question, pair.context, collection)
    return row if pair.nearness is None else [*row, pair.nearness, pair.behind]


def expand(row: Sequence[float], means: Sequence[float], scales: Sequence[float]) -> list[float]:
    """Each feature scaled, and once more times the coverage: when nearly all of the question is there, other
    signs count than when little is."""
    scaled = [(x - m) / s for x, m, s in zip(row, means, scales, strict=True)]
    coverage = row[COVERAGE]
    return [*scaled, *(x * coverage for x in scaled), 1.0]


def _held_out(
    contexts: Sequence[str],
    columns: Sequence[Sequence[float]],
    labels: Sequence[bool],
    weights: Sequence[float],
    ridge: float,
) -> list[float]:
    """Each pair's score by weights fitted without its passage. Convex, so starting from `weights` leaks
    nothing.
    """
    number = {context: i for i, context in enumerate(dict.fromkeys(contexts))}
    scores = [0.0] * len(labels)
    for fold in range(FOLDS):
        kept = [i for i, c in enumerate(contexts) if number[c] % FOLDS != fold]
        fitted = fit_logistic(
            [[column[i] for i in kept] for column in columns],
            [labels[i] for i in kept],
            ridge=ridge,
            start=weights,
            steps=6,
        )
        for i in range(len(labels)):
            if number[contexts[i]] % FOLDS == fold:
                scores[i] = sum(w * column[i] for w, column in zip(fitted, columns, strict=True))
    return scores


def dump(head: AnswerHead) -> bytes:
    """A trained head as bytes for the database; `load` reads them back."""
    return json.dumps(asdict(head)).encode()


def load(stored: bytes) -> AnswerHead:
    plain = json.loads(stored)
    return AnswerHead(
        tuple(plain["means"]),
        tuple(plain["scales"]),
        tuple(plain["weights"]),
        Sigmoid(**plain["sigmoid"]),
        Thresholds(**plain["lines"]),
        plain.get("embedder", ""),
    )
