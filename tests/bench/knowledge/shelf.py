"""The bench's documents, taken in as the product does it: read in the limited process, cut, embedded."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.core.values import Scope
from bot.documents.chunks import cut_into_chunks
from bot.documents.reading import read_document
from bot.documents.values import ReadingLimits
from bot.knowledge.index import Audience, DocumentIndex, Hit, Passage
from bot.provider.embeddings import Embedder
from storage.database import open_engine
from storage.knowledge import documents as stored
from storage.knowledge.documents import Document
from tests.bench.knowledge.sources import PageQuestion, find_evidence

TEAM, CHANNEL = "T1", "C1"
SCOPE = Scope(TEAM, CHANNEL, "U1", f"{TEAM}:{CHANNEL}:1.0", "embedding")
HERE = Audience(TEAM, CHANNEL, f"{TEAM}:{CHANNEL}:1.0")


@dataclass
class Shelf:
    """Documents of one channel. The id of each is its file's name."""

    index: DocumentIndex
    passages: Sequence[Passage] = ()

    async def search(self, question: str, *, limit: int = 10) -> list[Hit]:
        return await self.index.search(HERE, [question], scope=SCOPE, limit=limit)


@asynccontextmanager
async def open_shelf(
    folder: Path, files: Sequence[Path], embedder: Embedder | None = None
) -> AsyncIterator[Shelf]:
    async with open_engine(f"sqlite:///{folder}/parley.db") as engine:
        shelf = Shelf(DocumentIndex(engine, embedder))
        for path in files:
            text = await read_document(path, path.name, ReadingLimits())
            row = Document(
                path.name, TEAM, "channel", path.name, time.time(), channel=CHANNEL, title=text.title
            )
            await engine.write(stored.add, row)
            await shelf.index.put(path.name, cut_into_chunks(text))
            await shelf.index.publish(path.name, now=time.time())
            await shelf.index.embed(path.name, scope=SCOPE)
        shelf.passages = await shelf.index.whole(HERE, most_tokens=1_000_000, model="") or ()
        yield shelf


def is_right(passage: Passage, question: PageQuestion) -> bool:
    """Of the question's document and page, and with its evidence."""
    placed = passage.page in (0, question.page)
    return passage.document == question.document and placed and holds_evidence(passage.text, question)


def holds_evidence(text: str, question: PageQuestion) -> bool:
    return bool(find_evidence(text, question.evidence))
