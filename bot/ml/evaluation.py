"""Train on one labelled file, judge another: the figures of `parley guard evaluate`, as plain values.

The same functions draw the learning curve. Times are CPU seconds of this process.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.ml import answer_classifier
from bot.ml.answer_classifier import Pair
from bot.ml.answer_features import Collection
from bot.ml.calibration import ErrorCosts
from bot.ml.classification_report import ClassReport, Report, auroc, class_report, report
from bot.ml.discriminator import Discriminator, Example, Vector, train
from bot.ml.labelled_files import LabelledRow


@dataclass(frozen=True, slots=True)
class RowJudge:
    """A trained head: what it holds of each of its own rows when held out, and of any row."""

    threshold: float
    held_out: tuple[float, ...]
    probability: Callable[[LabelledRow, Vector], float]
    train_s: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    report: Report
    classes: ClassReport
    kinds: dict[str, Report]
    train_s: float
    ms_per_row: float
    # The figures on the training rows, each judged by a model that did not see it; None: trained before.
    held_out: Report | None = None
    learning_curve: tuple[tuple[int, float], ...] = ()  # (training rows, AUROC on the test rows)

    def as_json(self) -> dict[str, Any]:
        """The keys that `parley guard evaluate --json` promises."""
        return {
            **asdict(self.report),
            "n_classes": self.classes.n_classes,
            "weighted_f1": self.classes.weighted_f1,
            "train_seconds": self.train_s,
            "ms_per_row": self.ms_per_row,
            "held_out": asdict(self.held_out) if self.held_out else None,
            "kinds": {kind: asdict(figures) for kind, figures in self.kinds.items()},
            "learning_curve": [{"train_rows": rows, "auroc": area} for rows, area in self.learning_curve],
        }


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the figures are of."""

    positive_class: str = "on"
    betas: Sequence[float] = (0.5, 1.0, 2.0)
    n_classes: int = 2


def evaluate(
    training: Sequence[LabelledRow],
    test: Sequence[LabelledRow],
    *,
    head: str = "topic",
    vectors: Sequence[Vector] = (),  # one for each row of training, then of test; empty: no embeddings
    costs: ErrorCosts | None = None,
    wanted: Wanted = Wanted(),
    curve: bool = False,
) -> Evaluation:
    """ValueError when the training rows are too few of one label, or the classes more than wanted."""
    of_training, of_test = vectors[: len(training)], vectors[len(training) :]
    learn = _learn_topic if head == "topic" else _learn_answerable(test)
    judge = learn(training, of_training, costs)
    measured = _measure(judge, test, of_test, wanted)
    return replace(
        measured,
        held_out=_report_on(judge, training, judge.held_out, wanted),
        learning_curve=_draw_learning_curve(learn, training, of_training, test, of_test) if curve else (),
    )


def evaluate_trained(
    model: Discriminator,
    test: Sequence[LabelledRow],
    *,
    vectors: Sequence[Vector] = (),
    wanted: Wanted = Wanted(),
) -> Evaluation:
    """What a model that is trained already makes of labelled rows."""
    return _measure(_wrap_discriminator(model), test, vectors, wanted)


def _measure(
    judge: RowJudge, test: Sequence[LabelledRow], vectors: Sequence[Vector], wanted: Wanted
) -> Evaluation:
    started = time.process_time()
    stated = _judge_rows(judge, test, vectors)
    spent_ms = (time.process_time() - started) * 1000

    def part(at: Sequence[int]) -> Report:
        return _report_on(judge, [test[i] for i in at], [stated[i] for i in at], wanted)

    actual = [str(row.label) for row in test]
    predicted = [str(p >= judge.threshold) for p in stated]
    return Evaluation(
        _report_on(judge, test, stated, wanted),
        class_report(actual, predicted, n_classes=wanted.n_classes),
        {kind: part(at) for kind, at in _group_by_kind(test).items()},
        judge.train_s,
        spent_ms / len(test),
    )


def _report_on(
    judge: RowJudge, rows: Sequence[LabelledRow], stated: Sequence[float], wanted: Wanted
) -> Report:
    name = wanted.positive_class
    negate = name in ("off", "no")
    labels = [row.label != negate for row in rows]
    shown = [1 - p for p in stated] if negate else stated
    # The cut belongs to what is answered, so a probability exactly on it is not a refusal.
    threshold = 1 - judge.threshold + 1e-12 if negate else judge.threshold
    return report(labels, shown, threshold=threshold, positive_class=name, betas=wanted.betas)


def _group_by_kind(rows: Sequence[LabelledRow]) -> dict[str, list[int]]:
    """Positions of the rows of each kind. A kind that has only what is to be refused is set against all rows
    that are to be answered and have no such kind of their own, so that its figures mean something."""
    mixed = {row.kind for row in rows if row.label and row.kind} & {r.kind for r in rows if not r.label}
    shared = [i for i, row in enumerate(rows) if row.label and row.kind not in mixed]
    found: dict[str, list[int]] = {}
    for kind in sorted({row.kind for row in rows if row.kind and (not row.label or row.kind in mixed)}):
        own = [i for i, row in enumerate(rows) if row.kind == kind]
        found[kind] = own if kind in mixed else sorted({*own, *shared})
    return found


Learn = Callable[[Sequence[LabelledRow], Sequence[Vector], ErrorCosts | None], RowJudge]


def _learn_topic(
    rows: Sequence[LabelledRow], vectors: Sequence[Vector], costs: ErrorCosts | None
) -> RowJudge:
    started = time.process_time()
    examples = [Example(r.texts[0], r.label, tuple(v)) for r, v in _pair_vectors(rows, vectors)]
    trained = train(examples, costs=costs)
    train_s = time.process_time() - started
    return replace(_wrap_discriminator(trained.discriminator), held_out=trained.held_out, train_s=train_s)


def _wrap_discriminator(model: Discriminator) -> RowJudge:
    return RowJudge(
        model.lines.threshold, (), lambda row, vector: model.probability(row.texts[0], vector), train_s=0.0
    )


def _learn_answerable(test: Sequence[LabelledRow]) -> Learn:
    """The passages to be judged are a collection too: how rare a word is among them is known before any
    label.
    """

    def learn(rows: Sequence[LabelledRow], _: Sequence[Vector], costs: ErrorCosts | None) -> RowJudge:
        started = time.process_time()
        pairs = [Pair(row.texts[0], row.texts[1], row.label) for row in rows]
        trained = answer_classifier.train(pairs, Collection(p.context for p in pairs), costs=costs)
        train_s = time.process_time() - started
        tested = Collection(row.texts[0] for row in test)
        head = trained.head
        return RowJudge(
            head.lines.threshold,
            trained.held_out,
            lambda row, _: head.probability(row.texts[1], row.texts[0], tested),
            train_s,
        )

    return learn


def _pair_vectors(rows: Sequence[LabelledRow], vectors: Sequence[Vector]) -> list[tuple[LabelledRow, Vector]]:
    return list(zip(rows, vectors or [()] * len(rows), strict=True))


def _judge_rows(judge: RowJudge, rows: Sequence[LabelledRow], vectors: Sequence[Vector]) -> list[float]:
    return [judge.probability(row, vector) for row, vector in _pair_vectors(rows, vectors)]


def _draw_learning_curve(
    learn: Learn,
    training: Sequence[LabelledRow],
    of_training: Sequence[Vector],
    test: Sequence[LabelledRow],
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
        area = auroc([row.label for row in test], _judge_rows(judge, test, of_test))
        if area is not None:
            points.append((len(taken), area))
    return tuple(points)


def _share(order: Sequence[int], rows: Sequence[LabelledRow], label: bool, parts: int) -> list[int]:
    of_label = [i for i in order if rows[i].label is label]
    return of_label[: len(of_label) // parts]
