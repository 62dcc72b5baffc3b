"""How near questions and paragraphs of SQuAD are in meaning, by an embedder of this machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from bot.core.values import Scope
from bot.knowledge.vector_forms import in_present_form
from bot.knowledge.vectors import OWN
from bot.ml.answer_classifier import Pair
from bot.ml.labelled_files import LabelledRow
from bot.provider.local_embeddings import LocalEmbedder
from storage.knowledge.vectors import BareChunk

SCOPE = Scope("T", "C", "U", "T:C:1", "answer")
EVERY_ABSENT = 3


class SquadNearness:
    """As the index tells it: about 0 of texts that have nothing to do with each other. `name`: what the index
    keeps the embedder's vectors under."""

    def __init__(self, name: str, near: dict[str, dict[str, float]]) -> None:
        self.name, self._near = name, near

    def of(self, question: str, context: str) -> float:
        return self._near[question][context]

    def behind(self, question: str, context: str, among: Iterable[str]) -> float:
        """How much nearer another one is."""
        near = self._near[question]
        return max((near[other] for other in among), default=near[context]) - near[context]


async def measure_nearness(embedder_name: str, paragraphs: Sequence[dict[str, Any]]) -> SquadNearness:
    """Of each question to each paragraph."""
    import numpy as np

    present = in_present_form(LocalEmbedder(embedder_name))
    embedder = replace(present, form=replace(present.form, english=False))  # all questions are English
    contexts = [paragraph["context"] for paragraph in paragraphs]
    asked = sorted({question["q"] for paragraph in paragraphs for question in paragraph["questions"]})
    questions = np.array(await embedder.embed_questions(asked, SCOPE), np.float32)
    chunks = [BareChunk(number, "", context) for number, context in enumerate(contexts)]
    columns = []
    for parts in (await embedder.embed_chunks(chunks, SCOPE)).values():
        cosines = questions @ np.array(parts, np.float32).T
        columns.append(OWN * cosines[:, 0] + (1 - OWN) * cosines.max(1))
    table = (np.stack(columns, 1) - embedder.unrelated) / (1 - embedder.unrelated)
    near = {
        text: dict(zip(contexts, row, strict=True)) for text, row in zip(asked, table.tolist(), strict=True)
    }
    return SquadNearness(embedder.name, near)


def make_pairs(rows: Sequence[LabelledRow], near: SquadNearness | None = None) -> list[Pair]:
    """Rows of tests/support/guard_rows.py as pairs, with how near the two are where it is given: then some
    questions are asked once more where the passage that answers them is not there. What is nearest then does
    not answer for that."""
    if near is None:
        return [Pair(row.texts[0], row.texts[1], row.label) for row in rows]
    among = {row.texts[0] for row in rows}
    answers = {row.texts[1]: row.texts[0] for row in rows if row.label}
    retrieved = [row for row in rows if row.kind == "hard" and not row.label][::EVERY_ABSENT]
    return [
        *(_pair(row, near, among) for row in rows),
        *(_pair(row, near, among - {answers[row.texts[1]]}) for row in retrieved),
    ]


def _pair(row: LabelledRow, near: SquadNearness, among: set[str]) -> Pair:
    context, question = row.texts[0], row.texts[1]
    return Pair(
        context, question, row.label, near.of(question, context), near.behind(question, context, among)
    )
