"""Documents put into an index and asked for, and an embedder that knows a few words."""

from __future__ import annotations

from collections.abc import Sequence

from bot.core.errors import Unavailable
from bot.core.values import Scope
from bot.documents.values import Chunk
from bot.knowledge.index import Audience, DocumentIndex
from bot.ml.minilm import to_unit_length
from storage.engine import Engine
from storage.knowledge import documents
from storage.knowledge.documents import Document

HERE = Audience("T", "C", "T:C:1")
SCOPE = Scope("T", "C", "U1", "T:C:1", "answer")


def cut(texts: Sequence[str]) -> list[Chunk]:
    return [Chunk(n, text, "", n + 1, f"page {n + 1}", 0, len(text)) for n, text in enumerate(texts)]


def document(id: str, **what: str) -> Document:
    given = {"audience": "channel", "channel": "C", "name": f"{id}.pdf", "title": id} | what
    return Document(id, given.pop("team", "T"), added_at=1.0, **given)  # type: ignore[arg-type]


async def put(engine: Engine, index: DocumentIndex, given: Document, *texts: str) -> None:
    await engine.write(documents.add, given)
    await index.put(given.id, cut(texts))
    await index.publish(given.id, now=2.0)


async def ask(index: DocumentIndex, question: str, audience: Audience = HERE) -> list[tuple[str, int]]:
    """(document, page) of what is found, best first."""
    hits = await index.search(audience, [question], scope=SCOPE)
    return [(hit.passage.document, hit.passage.page) for hit in hits]


MEANS = {"canine": 0, "dog": 0, "dogs": 0, "deposit": 1, "surety": 1}


class WordEmbedder:
    """Words that mean the same have one dimension."""

    unrelated = 0.0

    def __init__(self, name: str) -> None:
        self.name = name
        self.fails = False
        self.passages = 0

    async def embed(
        self, texts: Sequence[str], scope: Scope, *, kept: bool = True, passages: bool = False
    ) -> list[list[float]]:
        if self.fails:
            raise Unavailable("away")
        self.passages += passages * len(texts)
        return [self.vector(text) for text in texts]

    def vector(self, text: str) -> list[float]:
        vector = [-0.01] * 16
        for word in text.lower().replace(".", "").replace("?", "").split():
            vector[MEANS.get(word, 2 + len(word) % 14)] += 1.0 if word in MEANS else 0.1
        return to_unit_length(vector)
