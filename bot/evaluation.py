"""Train on one labelled file, judge another: the figures of `parley guard evaluate`, as plain values.

The same functions draw the learning curve. Times are CPU seconds of this process.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot import answerable
from bot.answerability import Collection
from bot.answerable import Pair
from bot.calibration import Costs
from bot.classification import Report, auroc, report
from bot.discriminator import Example, Vector, train
from bot.guard_rows import Row


@dataclass(frozen=True, slots=True)
class Judge:
    """A trained head: what it holds of each of its own rows when held out, and of any row."""

    threshold: float
    held_out: tuple[float, ...]
    probability: Callable[[Row, Vector], float]
    train_s: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    report: Report
    held_out: Report  # the same figures on the training rows, each judged by a model that did not see it
    kinds: dict[str, Report]
    train_s: float
    ms_per_row: float
    learning_curve: tuple[tuple[int, float], ...]  # (training rows, AUROC on the test rows)

    def as_json(self) -> dict[str, Any]:
        """The keys that `parley guard evaluate --json` promises."""
        return {
            **asdict(self.report),
            "train_seconds": self.train_s,
            "ms_per_row": self.ms_per_row,
            "held_out": asdict(self.held_out),
            "kinds": {kind: asdict(figures) for kind, figures in self.kinds.items()},
            "learning_curve": [{"train_rows": rows, "auroc": area} for rows, area in self.learning_curve],
        }


def evaluate(
    training: Sequence[Row],
    test: Sequence[Row],
    *,
    head: str = "topic",
    vectors: Sequence[Vector] = (),  # one for each row of training, then of test; empty: no embeddings
    costs: Costs | None = None,
    positive_class: str = "",
    betas: Sequence[float] = (0.5, 1.0, 2.0),
    curve: bool = False,
) -> Evaluation:
    """ValueError when the training rows are too few of one label."""
    of_training, of_test = vectors[: len(training)], vectors[len(training) :]
    learn = _learn_topic if head == "topic" else _learn_answerable(test)
    judge = learn(training, of_training, costs)
    started = time.process_time()
    probabilities = _judged(judge, test, of_test)
    spent_ms = (time.process_time() - started) * 1000
    name = positive_class or ("on" if head == "topic" else "yes")
    negate = name in ("off", "no")

    def figures(rows: Sequence[Row], stated: Sequence[float]) -> Report:
        labels = [row.label != negate for row in rows]
        shown = [1 - p for p in stated] if negate else stated
        # The cut belongs to what is answered, so a probability exactly on it is not a refusal.
        threshold = 1 - judge.threshold + 1e-12 if negate else judge.threshold
        return report(labels, shown, threshold=threshold, positive_class=name, betas=betas)

    of_kind = _by_kind(test)
    return Evaluation(
        figures(test, probabilities),
        figures(training, judge.held_out),
        {k: figures([test[i] for i in at], [probabilities[i] for i in at]) for k, at in of_kind.items()},
        judge.train_s,
        spent_ms / len(test),
        _curve(learn, training, of_training, test, of_test) if curve else (),
    )


def _by_kind(rows: Sequence[Row]) -> dict[str, list[int]]:
    """Positions of the rows of each kind. A kind that has only what is to be refused is set against all rows
    that are to be answered and have no such kind of their own, so that its figures mean something."""
    mixed = {row.kind for row in rows if row.label and row.kind} & {r.kind for r in rows if not r.label}
    shared = [i for i, row in enumerate(rows) if row.label and row.kind not in mixed]
    found: dict[str, list[int]] = {}
    for kind in sorted({row.kind for row in rows if row.kind and (not row.label or row.kind in mixed)}):
        own = [i for i, row in enumerate(rows) if row.kind == kind]
        found[kind] = own if kind in mixed else sorted({*own, *shared})
    return found


Learn = Callable[[Sequence[Row], Sequence[Vector], Costs | None], Judge]


def _learn_topic(rows: Sequence[Row], vectors: Sequence[Vector], costs: Costs | None) -> Judge:
    started = time.process_time()
    examples = [Example(r.texts[0], r.label, tuple(v)) for r, v in _paired(rows, vectors)]
    trained = train(examples, costs=costs)
    model = trained.discriminator
    return Judge(
        model.lines.threshold,
        trained.held_out,
        lambda row, vector: model.probability(row.texts[0], vector),
        time.process_time() - started,
    )


def _learn_answerable(test: Sequence[Row]) -> Learn:
    """The passages to be judged are a collection too: how rare a word is among them is known before any
    label.
    """

    def learn(rows: Sequence[Row], _: Sequence[Vector], costs: Costs | None) -> Judge:
        started = time.process_time()
        pairs = [Pair(row.texts[0], row.texts[1], row.label) for row in rows]
        trained = answerable.train(pairs, Collection(p.context for p in pairs), costs=costs)
        train_s = time.process_time() - started
        asked_of = Collection(row.texts[0] for row in test)
        head = trained.head
        return Judge(
            head.lines.threshold,
            trained.held_out,
            lambda row, _: head.probability(row.texts[1], row.texts[0], asked_of),
            train_s,
        )

    return learn


def _paired(rows: Sequence[Row], vectors: Sequence[Vector]) -> list[tuple[Row, Vector]]:
    return list(zip(rows, vectors or [()] * len(rows), strict=True))


def _judged(judge: Judge, rows: Sequence[Row], vectors: Sequence[Vector]) -> list[float]:
    return [judge.probability(row, vector) for row, vector in _paired(rows, vectors)]


def _curve(
    learn: Learn,
    training: Sequence[Row],
    of_training: Sequence[Vector],
    test: Sequence[Row],
    of_test: Sequence[Vector],
) -> tuple[tuple[int, float], ...]:
    """AUROC on the test rows with an eighth, a quarter, half and all of the training rows, drawn evenly."""
    order = list(range(len(training)))
    random.Random(0).shuffle(order)
    points = []
    for parts in (8, 4, 2, 1):
        taken = [i for label in (True, False) for i in _share(order, training, label, parts)]
        try:
            judge = learn([training[i] for i in taken], [of_training[i] for i in taken if of_training], None)
        except ValueError:
            continue  # too few of a kind in this part
        area = auroc([row.label for row in test], _judged(judge, test, of_test))
        if area is not None:
            points.append((len(taken), area))
    return tuple(points)


def _share(order: Sequence[int], rows: Sequence[Row], label: bool, parts: int) -> list[int]:
    of_label = [i for i in order if rows[i].label is label]
    return of_label[: len(of_label) // parts]
