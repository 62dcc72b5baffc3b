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
from bot.knowledge.small_words import guess_language
from bot.knowledge.terms import list_written
from bot.ml import e5, minilm
from bot.provider.embeddings import Embedder
from storage.knowledge.vectors import BareChunk

_SHORT = 40  # characters; what is shorter says little alone
_REST = 25  # a last one that is shorter belongs to the one before
_ENDS = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*|\n+")
_CELLS = " | "
_LATIN_ENDS = "\u0250"
_BETWEEN_HEADINGS = " › "


@dataclass(frozen=True, slots=True)
class VectorForm:
    """How vectors of chunks are made.

    `centred`: without what all vectors of the model have in common. `english`: no other language is known to
    it. `unrelated`: the cosine of a question and a chunk that have nothing to do with each other.
    """

    mark: str = ""  # what follows the embedder's name
    by_sentence: bool = False
    centred: bool = False
    english: bool = False
    unrelated: float | None = None  # None: the embedder knows

    def list_parts(self, heading: str, text: str) -> list[str]:
        """What is embedded of a chunk: all of it, then each sentence under the last heading."""
        whole = f"{heading}\n{text}".strip()
        sentences = list_sentences(text) if self.by_sentence else []
        if sentences == [text.strip()]:
            return [whole]
        last = heading.rpartition(_BETWEEN_HEADINGS)[2]
        return [whole, *(f"{last}: {sentence}" if last else sentence for sentence in sentences)]

    def reads(self, question: str) -> bool:
        """Whether its language is one that the model knows; of others the nearness is chance."""
        return not self.english or _is_english(question)


PLAIN = VectorForm()
BY_SENTENCE = " by sentence"
FORMS = {
    minilm.NAME: VectorForm(BY_SENTENCE, by_sentence=True, english=True, unrelated=0.1),
    e5.NAME: VectorForm(BY_SENTENCE, by_sentence=True, centred=True, unrelated=0.085),
}


def list_sentences(text: str) -> list[str]:
    """Sentences and lines of running text in order, short ones joined with the next; no rows of tables, which
    say little without the names of their columns."""
    found, held = list[str](), ""
    for piece in _ENDS.split(text):
        if _CELLS in piece:
            continue
        held = f"{held} {piece.strip()}".strip()
        if len(held) >= _SHORT:
            found.append(held)
            held = ""
    if found and len(held) < _REST:
        found[-1] = f"{found[-1]} {held}".strip()
    elif held:
        found.append(held)
    return found


def _is_english(text: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    latin = sum(letter < _LATIN_ENDS for letter in letters)
    return 2 * latin >= len(letters) and guess_language(list_written(text)) == "en"


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

    async def embed_questions(
        self, questions: Sequence[str], scope: Scope, *, kept: bool = False
    ) -> list[list[float]]:
        """Of those in a language that the model knows."""
        read = [question for question in questions if self.form.reads(question)]
        vectors = await self.embedder.embed(read, scope, kept=kept) if read else []
        return self._centre(vectors, passages=False)

    async def embed_chunks(self, chunks: Sequence[BareChunk], scope: Scope) -> dict[int, list[list[float]]]:
        """The vectors of each chunk's parts."""
        parts = [self.form.list_parts(chunk.heading, chunk.text) for chunk in chunks]
        texts = [text for some in parts for text in some]
        made = await self.embedder.embed(texts, scope, kept=False, passages=True)
        vectors = iter(self._centre(made, passages=True))
        return {chunk.id: list(islice(vectors, len(some))) for chunk, some in zip(chunks, parts, strict=True)}

    def _centre(self, vectors: list[list[float]], *, passages: bool) -> list[list[float]]:
        return [e5.centre(one, passages=passages) for one in vectors] if self.form.centred else vectors


def in_present_form(embedder: Embedder) -> ChunkEmbedder:
    return ChunkEmbedder(embedder, FORMS.get(embedder.name, PLAIN))


def split_name(kept: str) -> tuple[str, VectorForm]:
    """The embedder's name and the form of vectors that are kept under a name."""
    for name, form in FORMS.items():
        if kept == name + form.mark:
            return name, form
    return kept, PLAIN
