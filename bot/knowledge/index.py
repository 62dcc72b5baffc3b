"""The index of documents: chunks go in, and what may answer a question comes out, best first.

Found is only what may be found from where somebody asks (`Audience`). Words are compared by BM25 over the
statistics of the workspace; where embeddings are configured, meaning is compared too, and both orders are
joined by rank (bot/knowledge/fusion.py).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.core.values import Scope
from bot.documents.values import Chunk
from bot.knowledge.terms import list_asked, list_letters, list_terms
from bot.text import tokens
from storage.engine import Engine, Tx
from storage.knowledge import chunks as stored_chunks
from storage.knowledge import documents as stored
from storage.knowledge import search
from storage.knowledge.audiences import Audience
from storage.knowledge.chunks import ChunkRow
from storage.knowledge.search import Corpus, FoundChunk

__all__ = ["Audience", "DocumentIndex", "Hit", "Passage"]

PORTION = 16  # chunks added or erased at once: a few milliseconds
_CANDIDATES = 200  # looked at closely
_K1, _B = 1.2, 0.75
_TOKEN = 8  # characters; few are longer
_MOST_CHUNKS = 2_000  # that are ever given whole


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as a model and a person are shown it."""

    document: str
    title: str
    link: str
    kind: str
    added_at: float
    chunk: int  # number in its document
    heading: str
    page: int
    place: str
    text: str
    audience: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, the two ranks (from 1) it was found by, and its nearness in meaning."""

    passage: Passage
    score: float
    word_rank: int | None = None
    vector_rank: int | None = None
    nearness: float | None = None  # cosine of question and passage, -1 to 1


class DocumentIndex:
    """Puts chunks of documents in, and finds them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def put(self, document: str, chunks: Sequence[Chunk]) -> None:
        """Adds chunks to a document, in portions. Those that are there already are left as they are."""
        row = await self._engine.read(stored.find, document)
        if row is None:
            return
        for at in range(0, len(chunks), PORTION):
            rows = [_row_of(chunk, row.title) for chunk in chunks[at : at + PORTION]]
            await self._engine.write(stored_chunks.add, row, rows, letters=list_letters)

    async def publish(self, document: str, *, now: float) -> None:
        """The document is found from now on, and the version it replaces is not."""
        if old := await self._engine.write(stored.publish, document, now=now):
            await self.remove([old], now=now)

    async def remove(self, documents: Sequence[str], *, by: str = "", now: float) -> None:
        """Erases documents with everything that was made of them. `by`: the person who wanted it."""
        for id in documents:
            document = await self._engine.read(stored.find, id)
            if document is None:
                continue
            await self._engine.write(stored.hide, [id], reason="removed")
            while await self._engine.write(stored_chunks.erase, id, limit=PORTION):
                pass
            await self._engine.write(stored_chunks.drop, document, by=by, now=now)
        await self._engine.scrub()

    async def search(
        self, audience: Audience, questions: Sequence[str], *, scope: Scope, limit: int = 20
    ) -> list[Hit]:
        """What may answer any of the questions, best first. `scope`: who pays, where it costs anything."""
        asked = list(dict.fromkeys(term for question in questions for term in list_asked(question)))
        statistics, found = await self._engine.read(_search_words, audience, asked)
        scored = _score(found, asked, statistics)
        return [
            Hit(_passage_of(chunk), score, word_rank=rank)
            for rank, (score, chunk) in enumerate(scored[:limit], 1)
        ]

    async def whole(self, audience: Audience, *, most_tokens: int, model: str) -> list[Passage] | None:
        """Everything that may be found from there, where it fits; else None. Newest documents first."""
        if await self._engine.read(search.count_characters, audience) > _TOKEN * most_tokens:
            return None
        found = await self._engine.read(search.list_all, audience, limit=_MOST_CHUNKS + 1)
        if len(found) > _MOST_CHUNKS:
            return None
        left = most_tokens
        for chunk in found:
            left -= await tokens.counted(chunk.text, model)
            if left < 0:
                return None
        return [_passage_of(chunk) for chunk in found]

    async def embed(
        self, document: str, *, scope: Scope, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Makes vectors of chunks that have none; nothing where embeddings are not configured."""


@dataclass(frozen=True, slots=True)
class _Statistics:
    corpus: Corpus
    uses: Mapping[str, int]

    def weigh(self, term: str) -> float:
        """How much a word tells: the rarer, the more."""
        uses = min(self.uses.get(term, 0), self.corpus.chunks)
        return math.log(1 + (self.corpus.chunks - uses + 0.5) / (uses + 0.5))


def _search_words(tx: Tx, audience: Audience, asked: Sequence[str]) -> tuple[_Statistics, list[FoundChunk]]:
    statistics = _Statistics(search.measure(tx, audience.team), search.count_uses(tx, audience.team, asked))
    weights = {term: statistics.weigh(term) for term in asked if term in statistics.uses}
    return statistics, search.find_by_words(tx, audience, weights, limit=_CANDIDATES)


def _score(
    found: Sequence[FoundChunk], asked: Sequence[str], statistics: _Statistics
) -> list[tuple[float, FoundChunk]]:
    """Best first, by BM25."""
    average = max(1.0, statistics.corpus.words / max(1, statistics.corpus.chunks))
    scored = []
    for chunk in found:
        counts = Counter(chunk.words.split())
        length = sum(counts.values()) / average
        score = sum(
            statistics.weigh(term) * n * (_K1 + 1) / (n + _K1 * (1 - _B + _B * length))
            for term in asked
            if (n := counts.get(term, 0))
        )
        scored.append((score, chunk))
    return sorted(scored, key=lambda pair: (-pair[0], pair[1].id))


def _row_of(chunk: Chunk, title: str) -> ChunkRow:
    words = " ".join(list_terms(f"{chunk.heading} {chunk.text}"))
    return ChunkRow(
        chunk.number,
        chunk.heading,
        chunk.page,
        chunk.place,
        chunk.start,
        chunk.end,
        chunk.text,
        words,
    )


def _passage_of(chunk: FoundChunk) -> Passage:
    return Passage(
        document=chunk.document,
        title=chunk.title,
        link=chunk.link,
        kind=chunk.kind,
        added_at=chunk.added_at,
        chunk=chunk.number,
        heading=chunk.heading,
        page=chunk.page,
        place=chunk.place,
        text=chunk.text,
        audience=chunk.audience,
    )
