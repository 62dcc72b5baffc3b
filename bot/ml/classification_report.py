"""How good a classifier is: the figures every training prints, for two classes or more.

Nothing here knows what was classified; the same report serves the local discriminators, the model's verdicts
and a hosted classifier. The positive class of the guard is what is to be answered ("on", "yes"); the
refusals are the other one, and have their precision and recall beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Report:
    """Shares are 0 to 1; None where the rows do not define one (no row of that class, nothing predicted)."""

    rows: int
    positive_class: str
    auroc: float | None
    auprc: float | None
    fpr_at_95_tpr: float | None  # share of the negatives let in when 95 % of the positives pass
    threshold: float
    realised_tpr: float | None  # at the threshold
    realised_fpr: float | None
    accuracy: float
    precision: float | None
    recall: float | None
    f_beta: dict[str, float | None]  # beta → F-beta of the positive class
    refusal_precision: float | None
    refusal_recall: float | None
    calibration_error: float


def report(
    labels: Sequence[bool],
    probabilities: Sequence[float],
    *,
    threshold: float,
    positive_class: str = "on",
    betas: Sequence[float] = (0.5, 1.0, 2.0),
) -> Report:
    """Binary figures; a row is predicted positive when its probability is at least the threshold."""
    answered = [p >= threshold for p in probabilities]
    counts = {(y, a): 0 for y in (True, False) for a in (True, False)}
    for y, a in zip(labels, answered, strict=True):
        counts[y, a] += 1
    precision = _ratio(counts[True, True], counts[True, True] + counts[False, True])
    recall = _ratio(counts[True, True], counts[True, True] + counts[True, False])
    return Report(
        rows=len(labels),
        positive_class=positive_class,
        auroc=auroc(labels, probabilities),
        auprc=auprc(labels, probabilities),
        fpr_at_95_tpr=fpr_at_tpr(labels, probabilities, 0.95),
        threshold=threshold,
        realised_tpr=recall,
        realised_fpr=_ratio(counts[False, True], counts[False, True] + counts[False, False]),
        accuracy=(counts[True, True] + counts[False, False]) / len(labels),
        precision=precision,
        recall=recall,
        f_beta={f"{beta:g}": f_beta(precision, recall, beta) for beta in betas},
        refusal_precision=_ratio(counts[False, False], counts[False, False] + counts[True, False]),
        refusal_recall=_ratio(counts[False, False], counts[False, False] + counts[False, True]),
        calibration_error=calibration_error(labels, probabilities),
    )


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def f_beta(precision: float | None, recall: float | None, beta: float) -> float | None:
    """Weighted harmonic mean; recall counts `beta` times as much as precision."""
    if precision is None or recall is None:
        return None
    return _ratio((1 + beta**2) * precision * recall, beta**2 * precision + recall)


def _steps(labels: Sequence[bool], scores: Sequence[float]) -> list[tuple[int, int]]:
    """(positives, negatives) at each distinct score, highest first."""
    ranked = sorted(zip(scores, labels, strict=True), reverse=True)
    steps = []
    for _, group in groupby(ranked, key=lambda pair: pair[0]):
        of_score = [label for _, label in group]
        steps.append((sum(of_score), len(of_score) - sum(of_score)))
    return steps


def auroc(labels: Sequence[bool], scores: Sequence[float]) -> float | None:
    """Chance that a positive row scores above a negative one; ties count half."""
    positives, negatives = sum(labels), len(labels) - sum(labels)
    if not positives or not negatives:
        return None
    seen, area = 0, 0.0
    for on, off in _steps(labels, scores):
        area += off * (seen + on / 2)
        seen += on
    return area / positives / negatives


def auprc(labels: Sequence[bool], scores: Sequence[float]) -> float | None:
    """Average precision: precision at each step of recall, weighted by the step."""
    positives = sum(labels)
    if not positives:
        return None
    hits = taken = 0
    area = 0.0
    for on, off in _steps(labels, scores):
        hits, taken = hits + on, taken + on + off
        area += on / positives * hits / taken
    return area


def fpr_at_tpr(labels: Sequence[bool], scores: Sequence[float], tpr: float) -> float | None:
    """Share of the negatives at or above the highest score that lets `tpr` of the positives pass."""
    positives, negatives = sum(labels), len(labels) - sum(labels)
    if not positives or not negatives:
        return None
    hits = false = 0
    for on, off in _steps(labels, scores):
        hits, false = hits + on, false + off
        if hits >= tpr * positives:
            break
    return false / negatives


def calibration_error(labels: Sequence[bool], probabilities: Sequence[float], *, bins: int = 10) -> float:
    """Mean distance between the stated probability and the share that came true, in ten equal bins.

    Source: expected calibration error, Naeini et al., AAAI 2015.
    """
    sums = [[0.0, 0.0] for _ in range(bins)]
    for label, p in zip(labels, probabilities, strict=True):
        of_bin = sums[min(bins - 1, int(p * bins))]
        of_bin[0] += p
        of_bin[1] += label
    return sum(abs(stated - true) for stated, true in sums) / len(labels)


@dataclass(frozen=True, slots=True)
class ClassReport:
    """Any number of classes: shares of rows, and F1 averaged by how often each class occurs."""

    rows: int
    n_classes: int
    accuracy: float
    weighted_f1: float


def class_report(actual: Sequence[str], predicted: Sequence[str], *, n_classes: int) -> ClassReport:
    """ValueError when more classes than `n_classes` occur."""
    classes = sorted({*actual, *predicted})
    if len(classes) > n_classes:
        raise ValueError(f"{len(classes)} classes occur, {n_classes} were stated")
    weighted = 0.0
    for name in classes:
        hits = sum(a == p == name for a, p in zip(actual, predicted, strict=True))
        stated, true = predicted.count(name), actual.count(name)
        weighted += true * 2 * hits / (stated + true)
    right = sum(a == p for a, p in zip(actual, predicted, strict=True))
    return ClassReport(len(actual), n_classes, right / len(actual), weighted / len(actual))
