"""How near questions and paragraphs of SQuAD are in meaning, by an embedder of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import mul
from typing import Any

from bot.ml import e5, minilm
from bot.ml.answer_classifier import Pair
from bot.ml.e5 import MultilingualE5
from bot.ml.labelled_files import LabelledRow
from bot.ml.minilm import MiniLM
from bot.ml.stemming import split_sentences
from bot.provider.local_embeddings import UNRELATED

Vectors = dict[str, list[float]]


def _embed(name: str, texts: Sequence[str], *, passages: bool) -> list[list[float]]:
    if name == e5.NAME:
        return MultilingualE5.load().embed(texts, passages=passages)
    assert name == minilm.NAME
    return MiniLM.load().embed(texts)


class SquadNearness:
    """By one embedder, as the index tells it: 0 of texts that have nothing to do with each other."""

    def __init__(self, name: str, paragraphs: Sequence[dict[str, Any]]) -> None:
        self.name = name
        self._texts = [paragraph["context"] for paragraph in paragraphs]
        self._passages = self._make(self._texts, passages=True)
        asked = {question["q"] for paragraph in paragraphs for question in paragraph["questions"]}
        self._questions = self._make(asked, passages=False)
        self._sentences = cache(self._embed_sentences)

    def _make(self, texts: Iterable[str], *, passages: bool) -> Vectors:
        each = sorted(set(texts))
        return dict(zip(each, _embed(self.name, each, passages=passages), strict=True))

    def _embed_sentences(self) -> Vectors:
        return self._make((one for text in self._texts for one in split_sentences(text)), passages=True)

    def of(self, question: str, context: str) -> float:
        return self._compare(self._questions[question], self._passages[context])

    def of_best_sentence(self, question: str, context: str) -> float:
        """Of the sentence that is nearest. The first such question takes its time."""
        asked, vectors = self._questions[question], self._sentences()
        return max(self._compare(asked, vectors[one]) for one in split_sentences(context))

    def _compare(self, one: Sequence[float], other: Sequence[float]) -> float:
        unrelated = UNRELATED[self.name]
        cosine: float = sum(map(mul, one, other))
        return (cosine - unrelated) / (1 - unrelated)


def make_pairs(
    rows: Iterable[LabelledRow], nearness: Callable[[str, str], float] | None = None
) -> list[Pair]:
    """Rows of tests/support/guard_rows.py as pairs, with how near the two are where it is given."""
    found = []
    for row in rows:
        context, question = row.texts[0], row.texts[1]
        near = nearness(question, context) if nearness else None
        found.append(Pair(context, question, row.label, near))
    return found
