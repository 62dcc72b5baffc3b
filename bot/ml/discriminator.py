"""The trainable classifier behind the guard: is a message on topic? In milliseconds, without any request.

A linear machine over the features of ``bot.ml.features`` (and, when given, sentence embeddings with the
nearest examples), calibrated and cut on scores of rows it did not see. What is done with its verdict is in
``bot.guard.ladder``; "can this passage answer this question?" has its own features in
``bot.ml.answer_features``.
"""

from __future__ import annotations

import heapq
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from operator import mul
from typing import Any

from bot.ml.calibration import ErrorCosts, Sigmoid, Thresholds, choose_thresholds, platt
from bot.ml.features import Block, Features, Vocabulary
from bot.ml.known_words import KnownWords, gather_words
from bot.ml.linear_models import Weights, dot, fit_hinge

Vector = Sequence[float]

FOLDS = 8
# Fewer of one kind than this and nothing can be fitted.
MIN_EXAMPLES = 5
# How much a sentence embedding and the three nearest on-topic examples count beside the words.
_VECTOR_LENGTH = 1.0
_NEAREST_WEIGHT = 3.0


@dataclass(frozen=True, slots=True)
class Example:
    text: str
    on_topic: bool
    vector: Vector = ()  # sentence embedding, of unit length; empty: none


@dataclass(frozen=True, slots=True)
class Discriminator:
    vocabulary: Vocabulary
    weights: Weights
    nearest: tuple[Vector, ...]  # embeddings of the on-topic examples; empty: trained without embeddings
    sigmoid: Sigmoid
    lines: Thresholds
    words: KnownWords = field(default_factory=KnownWords)

    @property
    def uses_vectors(self) -> bool:
        return bool(self.nearest)

    def score(self, text: str, vector: Vector = ()) -> float:
        row = _row(self.vocabulary, text, vector if self.nearest else ())
        return dot(self.weights, row) + _NEAREST_WEIGHT * _closeness(vector, self.nearest)

    def probability(self, text: str, vector: Vector = ()) -> float:
        """That the text is on topic, 0 to 1."""
        return self.sigmoid(self.score(text, vector))


@dataclass(frozen=True, slots=True)
class Training:
    """A discriminator and how it does on its own examples when they are held out, in the examples' order."""

    discriminator: Discriminator
    held_out: tuple[float, ...]  # probability of each example by a model that did not see it


def train(examples: Sequence[Example], *, costs: ErrorCosts | None = None, folds: int = FOLDS) -> Training:
    """Fit on `examples` (all with a vector or none). ValueError with fewer than 5 of a kind."""
    labels = [e.on_topic for e in examples]
    if min(sum(labels), len(labels) - sum(labels)) < MIN_EXAMPLES:
        raise ValueError(f"at least {MIN_EXAMPLES} examples that belong and {MIN_EXAMPLES} that do not")
    vocabulary = Vocabulary.of(e.text for e in examples)
    rows = [_row(vocabulary, e.text, e.vector) for e in examples]
    size = vocabulary.size + max(len(e.vector) for e in examples)
    scores = _held_out(examples, rows, size=size, folds=folds)
    curve = platt(scores, labels)
    model = Discriminator(
        vocabulary,
        fit_hinge(rows, labels, size=size),
        tuple(e.vector for e in examples if e.on_topic and e.vector),
        curve,
        choose_thresholds(scores, labels, curve, costs),
        gather_words((e.text, e.on_topic) for e in examples),
    )
    return Training(model, tuple(map(curve, scores)))


def _held_out(examples: Sequence[Example], rows: Sequence[Features], *, size: int, folds: int) -> list[float]:
    """Each example's score by a model trained without its fold."""
    labels = [e.on_topic for e in examples]
    scores = [0.0] * len(rows)
    for out in _folds(labels, folds):
        kept = [i for i in range(len(rows)) if i not in out]
        weights = fit_hinge([rows[i] for i in kept], [labels[i] for i in kept], size=size)
        nearest = [examples[i].vector for i in kept if labels[i] and examples[i].vector]
        for i in out:
            scores[i] = dot(weights, rows[i]) + _NEAREST_WEIGHT * _closeness(examples[i].vector, nearest)
    return scores


def _folds(labels: Sequence[bool], folds: int) -> Iterator[set[int]]:
    """Both kinds dealt out evenly, in order."""
    dealt = [i for kind in (True, False) for i, label in enumerate(labels) if label is kind]
    for fold in range(folds):
        yield set(dealt[fold::folds])


def _row(vocabulary: Vocabulary, text: str, vector: Vector) -> Features:
    positions, values = vocabulary.features(text)
    if vector:
        positions += range(vocabulary.size, vocabulary.size + len(vector))
        values += [x * _VECTOR_LENGTH for x in vector]
    return positions, values


def _closeness(vector: Vector, examples: Sequence[Vector]) -> float:
    """Mean cosine to the three nearest examples; 0 without vectors."""
    if not vector or not examples:
        return 0.0
    best = heapq.nlargest(3, (float(sum(map(mul, vector, other))) for other in examples))
    return sum(best) / len(best)


# Stored form
# -------------------------------------------------------------------------------------------------


def dump(model: Discriminator) -> bytes:
    """A trained model as bytes for the database; `load` reads them back."""
    plain: dict[str, Any] = {
        "format": 2,
        "words": _dump_block(model.vocabulary.words),
        "pieces": _dump_block(model.vocabulary.pieces),
        "weights": [round(w, 6) for w in model.weights],
        "nearest": [[round(x, 5) for x in v] for v in model.nearest],
        "sigmoid": [model.sigmoid.slope, model.sigmoid.offset],
        "lines": [model.lines.threshold, model.lines.low, model.lines.high],
        "known": [sorted(model.words.belongs), sorted(model.words.does_not), model.words.spread],
    }
    return zlib.compress(json.dumps(plain).encode())


def load(stored: bytes) -> Discriminator:
    """One stored before format 2 knows no words, and so is never sure."""
    plain = json.loads(zlib.decompress(stored))
    belongs, does_not, spread = plain.get("known", ([], [], 0))
    return Discriminator(
        Vocabulary(_load_block(plain["words"]), _load_block(plain["pieces"])),
        plain["weights"],
        tuple(plain["nearest"]),
        Sigmoid(*plain["sigmoid"]),
        Thresholds(*plain["lines"]),
        KnownWords(frozenset(belongs), frozenset(does_not), spread),
    )


def _dump_block(block: Block) -> list[Any]:
    return [{gram: [at, round(idf, 5)] for gram, (at, idf) in block.known.items()}, block.unseen]


def _load_block(stored: list[Any]) -> Block:
    return Block({gram: (at, idf) for gram, (at, idf) in stored[0].items()}, stored[1])
