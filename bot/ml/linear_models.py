"""Two small solvers in plain Python: the linear hinge machine (sparse rows) and logistic regression (dense
rows).

Both are convex, so the same rows give the same weights whatever the seed, up to the tolerance.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import MutableSequence, Sequence
from operator import itemgetter, mul

from bot.ml.calibration import sigmoid
from bot.ml.features import Features

# Enough to know the curvature of a hundred weights.
_CURVATURE_ROWS = 2_000

Weights = MutableSequence[float]


def dot(weights: Weights, row: Features) -> float:
    """Σ weight × value. A row has at least two positions (`itemgetter` of one is no tuple)."""
    positions, values = row
    return float(sum(map(mul, itemgetter(*positions)(weights), values)))


def fit_hinge(
    rows: Sequence[Features],
    labels: Sequence[bool],
    *,
    size: int,
    cost: float = 0.5,
    epochs: int = 12,
    tolerance: float = 0.3,
) -> Weights:
    """Weights of the linear support vector machine; both classes weigh the same however many rows each has.

    Source: dual coordinate descent, Hsieh et al., ICML 2008, algorithm 1 (hinge loss). The bias is a
    feature like any other; the defaults were chosen on CLINC150 topics.
    """
    weights = [0.0] * size  # faster than an array, which makes a number anew at each look
    n, positive = len(rows), sum(labels)
    upper = {True: cost * n / (2 * positive or 1), False: cost * n / (2 * (n - positive) or 1)}
    squares = [sum(map(mul, values, values)) or 1.0 for _, values in rows]
    alpha = [0.0] * n
    order = list(range(n))
    chance = random.Random(0)
    for _ in range(epochs):
        chance.shuffle(order)
        worst = 0.0
        for i in order:
            sign, old, most = (1.0 if labels[i] else -1.0), alpha[i], upper[labels[i]]
            gradient = sign * dot(weights, rows[i]) - 1
            if (old == 0 and gradient > 0) or (old == most and gradient < 0) or gradient == 0:
                continue
            worst = max(worst, abs(gradient))
            alpha[i] = new = min(max(old - gradient / squares[i], 0.0), most)
            step = (new - old) * sign
            for at, value in zip(*rows[i], strict=True):
                weights[at] += step * value
        if worst < tolerance:
            break
    return array("d", weights)


def fit_logistic(
    columns: Sequence[Sequence[float]],
    labels: Sequence[bool],
    *,
    ridge: float = 10.0,
    start: Sequence[float] = (),
    steps: int = 12,
) -> list[float]:
    """Weights of logistic regression, one per column, by Newton's method; both classes weigh the same.

    `columns` holds the features column by column, scaled alike, with a column of ones for the bias. The
    curvature is measured on some of the rows and not anew at each step: that changes the way, not where it
    ends.
    """
    n, positive = len(labels), sum(labels)
    importance = [n / (2 * positive) if label else n / (2 * (n - positive)) for label in labels]
    weights = list(start) or [0.0] * len(columns)
    curvature: list[list[float]] = []
    for step in range(steps):
        scores = [0.0] * n
        for weight, column in zip(weights, columns, strict=True):
            scores = [s + weight * x for s, x in zip(scores, column, strict=True)]
        p = [sigmoid(s) for s in scores]
        residual = [(y - q) * v for y, q, v in zip(labels, p, importance, strict=True)]
        gradient = [sum(map(mul, c, residual)) - ridge * w for c, w in zip(columns, weights, strict=True)]
        if step < (1 if start else 3):
            curvature = _curvature(
                columns, [q * (1 - q) * v for q, v in zip(p, importance, strict=True)], ridge
            )
        change = _solve(curvature, gradient)
        weights = [w + c for w, c in zip(weights, change, strict=True)]
        if max(map(abs, change)) < 1e-3:
            break
    return weights


def fit_near(
    columns: Sequence[Sequence[float]],
    labels: Sequence[bool],
    prior: Sequence[float],
    *,
    ridge: float,
    start: Sequence[float] = (),
    steps: int = 8,
) -> list[float]:
    """Weights of logistic regression that stay near those of `prior`: what few rows do not tell is taken from
    it. Rows weigh alike, so that the scores stay log odds where the prior's are. The curvature is measured
    at the first steps alone, as in `fit_logistic`."""
    weights = list(start or prior)
    curvature: list[list[float]] = []
    for step in range(steps):
        scores = [0.0] * len(labels)
        for weight, column in zip(weights, columns, strict=True):
            scores = [s + weight * x for s, x in zip(scores, column, strict=True)]
        p = [sigmoid(s) for s in scores]
        residual = [y - q for y, q in zip(labels, p, strict=True)]
        pull = [ridge * (w - before) for w, before in zip(weights, prior, strict=True)]
        gradient = [sum(map(mul, c, residual)) - g for c, g in zip(columns, pull, strict=True)]
        if step < (1 if start else 2):
            curvature = _curvature(columns, [q * (1 - q) for q in p], ridge)
        change = _solve(curvature, gradient)
        weights = [w + c for w, c in zip(weights, change, strict=True)]
        if max(map(abs, change)) < 1e-3:
            break
    return weights


def _curvature(columns: Sequence[Sequence[float]], bend: Sequence[float], ridge: float) -> list[list[float]]:
    """The Hessian of the logistic loss, estimated on evenly spread rows."""
    every = -(-len(bend) // _CURVATURE_ROWS)
    some = [column[::every] for column in columns]
    bend = [b * every for b in bend[::every]]
    width = len(columns)
    hessian = [[0.0] * width for _ in range(width)]
    for i in range(width):
        bent = list(map(mul, bend, some[i]))
        for j in range(i + 1):
            hessian[i][j] = hessian[j][i] = sum(map(mul, bent, some[j]))
        hessian[i][i] += ridge
    return hessian


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """x with matrix · x = right, by Cholesky's factor of the matrix, which is symmetric; the ridge on its
    diagonal keeps it positive."""
    lower = list[list[float]]()
    forward = list[float]()
    for row, r in zip(matrix, right, strict=True):
        new = list[float]()
        for before, a in zip(lower, row, strict=False):
            new.append((a - sum(map(mul, new, before))) / before[-1])
        new.append(math.sqrt(row[len(new)] - sum(map(mul, new, new))))
        forward.append((r - sum(map(mul, new, forward))) / new[-1])
        lower.append(new)
    return _substitute_back(lower, forward)


def _substitute_back(lower: list[list[float]], forward: list[float]) -> list[float]:
    """x with the transpose of a triangular matrix · x = forward."""
    left = list(forward)
    x = [0.0] * len(left)
    for i in reversed(range(len(left))):
        x[i] = left[i] / lower[i][i]
        for j, share in enumerate(lower[i][:i]):
            left[j] -= share * x[i]
    return x
