"""What an embedder's vectors of chunks are made of, and how they are compared with a question's.

A model on this machine makes a vector of each sentence too, which costs time alone: what answers a question
is one sentence, and in the vector of a whole chunk it is one of many. Vectors are kept under the name of
their form, so that another form takes over document by document as another model does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from bot.core.values import Scope
from bot.ml import e5, minilm
from bot.provider.embeddings import Embedder
from storage.knowledge.vectors import BareChunk

MOST_SENTENCES = 24  # of a chunk, the rest is joined to the last
_LEAST = 5  # characters of a sentence
_ENDS = re.compile(r"(?<=[.!?;])\s+|(?<=[。！？；])\s*|\n+")
_BETWEEN_HEADINGS = " › "


@dataclass(frozen=True, slots=True)
class VectorForm:
    """`unrelated`: the cosine of a question and a chunk that have nothing to do with each other."""

    mark: str = ""  # what follows the embedder's name
    by_sentence: bool = False
    unrelated: float | None = None  # None: the embedder knows

    def list_parts(self, heading: str, text: str) -> list[str]:
        """What is embedded of a chunk: all of it, then each sentence under the last heading."""
        whole = f"{heading}\n{text}".strip()
        sentences = list_sentences(text) if self.by_sentence else []
        if len(sentences) < 2:
            return [whole]
        last = heading.rpartition(_BETWEEN_HEADINGS)[2]
        return [whole, *(f"{last}: {sentence}" if last else sentence for sentence in sentences)]


PLAIN = VectorForm()
BY_SENTENCE = " by sentence"
FORMS = {
    minilm.NAME: VectorForm(BY_SENTENCE, by_sentence=True, unrelated=0.1),
    e5.NAME: VectorForm(BY_SENTENCE, by_sentence=True, unrelated=0.75),
}


def list_sentences(text: str) -> list[str]:
    """Sentences and lines of a text, in order."""
    found = [part for piece in _ENDS.split(text) if len(part := piece.strip()) >= _LEAST]
    return [*found[: MOST_SENTENCES - 1], " ".join(found[MOST_SENTENCES - 1 :])][: len(found)]


@dataclass(frozen=True, slots=True)
class ChunkEmbedder:
    """An embedder with the form of its vectors. `name`: what they are kept under."""

    embedder: Embedder
    form: VectorForm

    @property
    def name(self) -> str:
        return self.embedder.name + self.form.mark

    @property
    def unrelated(self) -> float:
        return self.embedder.unrelated if self.form.unrelated is None else self.form.unrelated

    async def embed_questions(self, questions: Sequence[str], scope: Scope) -> list[list[float]]:
        return await self.embedder.embed(questions, scope, kept=False)

    async def embed_chunks(self, chunks: Sequence[BareChunk], scope: Scope) -> dict[int, list[list[float]]]:
        """The vectors of each chunk's parts."""
        parts = [self.form.list_parts(chunk.heading, chunk.text) for chunk in chunks]
        texts = [text for some in parts for text in some]
        vectors = iter(await self.embedder.embed(texts, scope, kept=False, passages=True))
        return {chunk.id: list(islice(vectors, len(some))) for chunk, some in zip(chunks, parts, strict=True)}


def in_present_form(embedder: Embedder) -> ChunkEmbedder:
    return ChunkEmbedder(embedder, FORMS.get(embedder.name, PLAIN))


def split_name(kept: str) -> tuple[str, VectorForm]:
    """The embedder's name and the form of vectors that are kept under a name."""
    for name, form in FORMS.items():
        if kept == name + form.mark:
            return name, form
    return kept, PLAIN
