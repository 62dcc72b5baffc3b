"""The index of documents: chunks go in, and what may answer a question comes out, best first.

Found is only what may be found from where somebody asks (`Audience`). Words are compared by BM25 over the
statistics of the workspace; where embeddings are configured, meaning is compared too, and both orders are
joined by rank (bot/knowledge/fusion.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from bot.core.errors import BudgetExceeded, ProviderError
from bot.core.values import Scope
from bot.documents.values import Chunk
from bot.knowledge.finding import AskedVectors, find, find_within
from bot.knowledge.passages import Hit, Passage, passage_of
from bot.knowledge.terms import list_letters, list_terms
from bot.knowledge.vector_forms import ChunkEmbedder, in_present_form, split_name
from bot.knowledge.vectors import NearnessSearch, pack
from bot.provider.embeddings import Embedder
from bot.text import tokens
from storage.engine import Engine, Tx
from storage.knowledge import chunks as stored_chunks
from storage.knowledge import documents as stored
from storage.knowledge import search
from storage.knowledge import vectors as stored_vectors
from storage.knowledge.audiences import Audience
from storage.knowledge.chunks import ChunkRow
from storage.knowledge.documents import Document

__all__ = ["Audience", "DocumentIndex", "Hit", "Passage"]

log = logging.getLogger(__name__)

PORTION = 16  # chunks added or erased at once: for some milliseconds others cannot write
_SEARCHED = 8  # documents searched at once, one by one
_EMBEDDED = 8  # chunks embedded at once
_DROPPED = 200  # old vectors erased at once
_TOKEN = 8  # characters; few are longer
_MOST_CHUNKS = 2_000  # that are ever given whole


class DocumentIndex:
    """Puts chunks of documents in, and finds them."""

    def __init__(
        self,
        engine: Engine,
        embedder: Embedder | None = None,
        *,
        earlier: Callable[[str], Embedder | None] = lambda name: None,
    ) -> None:
        """`earlier` finds the embedder of a name, for documents that were embedded by another one."""
        self._engine, self._earlier = engine, earlier
        self._embedder = in_present_form(embedder) if embedder else None
        self._near = NearnessSearch()

    async def put(self, document: str, chunks: Sequence[Chunk]) -> None:
        """Adds chunks to a document, in portions. Those that are there already are left as they are."""
        row = await self._engine.read(stored.find, document)
        if row is None:
            return
        for at in range(0, len(chunks), PORTION):
            rows = [_row_of(chunk, row.title) for chunk in chunks[at : at + PORTION]]
            await self._engine.write_aside(stored_chunks.add, row, rows, letters=list_letters)

    async def empty(self, document: str) -> None:
        """Erases what was put in of a document, which stays; for it says something else by now."""
        while await self._engine.write_aside(stored_chunks.erase, document, limit=PORTION):
            pass
        self._near.forget(document)

    async def move(self, document: Document) -> None:
        """The same document belongs elsewhere: it is found from there. A process that dies over it begins
        again, for the document moves last."""
        reach = document.belonging.reach
        while await self._engine.write_aside(stored_chunks.mark, document.id, reach, limit=PORTION):
            pass
        await self._engine.write(stored.move, document)

    async def publish(
        self, document: str, *, also: Callable[[Tx, Document], None] = lambda tx, document: None, now: float
    ) -> None:
        """The document is found from now on, and the version it replaces is not. `also` is done together
        with that, or neither."""
        if old := await self._engine.write(publish, document, also=also, now=now):
            await self.remove([old], now=now)

    async def remove(self, documents: Sequence[str], *, by: str = "", now: float) -> None:
        """Erases documents with everything that was made of them. `by`: the person who wanted it."""
        for id in documents:
            document = await self._engine.read(stored.find, id)
            if document is None:
                continue
            await self._engine.write(stored.hide, [id], reason="removed")
            await self.empty(id)
            await self._engine.write(stored_chunks.drop, document, by=by, now=now)
        await self._engine.scrub()

    async def search(
        self, audience: Audience, questions: Sequence[str], *, scope: Scope, limit: int = 20
    ) -> list[Hit]:
        """What may answer any of the questions, best first. `scope`: who pays, where it costs anything.

        Where no vectors are to be had, for the model does not answer or money is spent, words are all.
        """
        if not audience.open:
            return []
        asked = await self._embed_questions(audience, questions, scope=scope)
        return await self._engine.read(find, audience, questions, asked, near=self._near, limit=limit)

    async def list_documents(self, audience: Audience) -> list[Document]:
        """Everything that may be known of from there, in every state, oldest first."""
        return await self._engine.read(stored.list_belonging, audience)

    async def search_within(
        self,
        audience: Audience,
        documents: Sequence[str],
        questions: Sequence[str],
        *,
        scope: Scope,
        limit: int,
    ) -> dict[str, list[Hit]]:
        """What of each of these documents may answer, best first; a short document as a whole."""
        asked = await self._embed_questions(audience, questions, scope=scope)
        found = dict[str, list[Hit]]()
        for at in range(0, len(documents), _SEARCHED):
            some = documents[at : at + _SEARCHED]
            found |= await self._engine.read(
                find_within, audience, some, questions, asked, near=self._near, limit=limit
            )
        return found

    async def _embed_questions(
        self, audience: Audience, questions: Sequence[str], *, scope: Scope
    ) -> Mapping[str, AskedVectors]:
        """The questions as vectors of each embedder that what may be found was embedded by."""
        found = dict[str, AskedVectors]()
        documents = await self._engine.read(stored_vectors.list_embedded, audience)
        for name in sorted({document.embedder for document in documents}):
            if embedder := self._find_embedder(name):
                try:
                    vectors = await embedder.embed_questions(questions, scope)
                    if vectors:
                        found[name] = AskedVectors(vectors, embedder.unrelated)
                except (ProviderError, BudgetExceeded) as error:
                    log.warning("a question is searched by words alone: %s", type(error).__name__)
        return found

    def _find_embedder(self, kept: str) -> ChunkEmbedder | None:
        """What the vectors of that name are compared by."""
        name, form = split_name(kept)
        ours = self._embedder.embedder if self._embedder else None
        embedder = ours if ours and ours.name == name else self._earlier(name)
        return ChunkEmbedder(embedder, form) if embedder else None

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
        return [passage_of(chunk) for chunk in found]

    async def embed(
        self, document: str, *, scope: Scope, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Makes vectors of chunks that have none by today's embedder; nothing where none is configured.

        `progress(done, of)`. ProviderError or BudgetExceeded come out of it; what was made is kept.
        """
        if self._embedder is None:
            return
        name = self._embedder.name
        while bare := await self._engine.read(stored_vectors.list_bare, document, name, limit=_EMBEDDED):
            made = await self._embedder.embed_chunks(bare, scope)
            packed = {chunk: [pack(one) for one in parts] for chunk, parts in made.items()}
            done = await self._engine.write(stored_vectors.add, document, name, packed)
            row = await self._engine.read(stored.find, document)
            if row is None:
                return
            if progress:
                progress(done, row.chunks)
        while await self._engine.write(stored_vectors.drop_others, document, limit=_DROPPED):
            pass

    async def list_incomplete(self) -> list[str]:
        """Documents with chunks that today's embedder made no vector of, oldest first."""
        if self._embedder is None:
            return []
        rows = await self._engine.read(stored_vectors.list_incomplete, self._embedder.name)
        return [id for _, id in rows]


def publish(tx: Tx, id: str, *, also: Callable[[Tx, Document], None], now: float) -> str:
    """As storage/knowledge/documents.py has it, with what follows from it."""
    old = stored.publish(tx, id, now=now)
    if document := stored.find(tx, id):
        also(tx, document)
    return old


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
