"""A server with the extension `vector` finds what a process finds that compares signs itself."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.core.values import Scope
from bot.knowledge import vectors
from bot.knowledge.index import Audience, DocumentIndex
from bot.knowledge.vectors import NearnessSearch
from bot.ml.minilm import to_unit_length
from storage.database import open_engine
from tests.support.engines import POSTGRESQL, database_url
from tests.support.indexed import HERE, SCOPE, document, put
from tests.support.rows import read_rows

pytestmark = [
    pytest.mark.parametrize("database_engine", [POSTGRESQL], indirect=True),
    pytest.mark.usefixtures("database_engine"),
]
ELSEWHERE = Audience("T", "C2", "T:C2:1")
QUESTIONS = [f"unheard of {n}" for n in range(4)]
SIGNS = "select count(*) from document_signs"
# A connection keeps what was ever asked on it: another question is to use the same statements.
OF_ONE_QUESTION = r"select statement from pg_prepared_statements where statement ~ 'in \([0-9]'"
VECTORS = "select count(*) from document_vectors"


class ArbitraryEmbedder:
    """Each text has a direction of its own; `nearness` to one direction that all have in common."""

    unrelated = 0.0

    def __init__(self, name: str, dimensions: int, *, nearness: float = 0.0) -> None:
        self.name, self._dimensions, self._nearness = name, dimensions, nearness

    async def embed(
        self, texts: Sequence[str], scope: Scope, *, kept: bool = True, passages: bool = False
    ) -> list[list[float]]:
        return [self._vector(text) for text in texts]

    def _vector(self, text: str) -> list[float]:
        draw = random.Random(text)
        return to_unit_length([draw.gauss(self._nearness, 1) for _ in range(self._dimensions)])


async def ask_all(index: DocumentIndex) -> list[list[tuple[str, int, float]]]:
    """(document, page, nearness) of what each question finds, from two channels."""
    return [
        [
            (hit.passage.document, hit.passage.page, round(hit.nearness or 0, 5))
            for hit in await index.search(audience, [question], scope=SCOPE, limit=3)
        ]
        for audience in (HERE, ELSEWHERE)
        for question in QUESTIONS
    ]


def has_codes(near: NearnessSearch) -> bool:
    return bool(near._codes)


async def test_a_server_finds_what_a_process_finds_and_then_no_process_holds_signs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "RESCORED", 30)
    url = database_url(tmp_path / "parley.db")
    old = ArbitraryEmbedder("old", 128)
    new = ArbitraryEmbedder("new", 256, nearness=1.0)  # most of its signs are alike
    async with open_engine(url) as engine:
        for id, channel, embedder in (("b", "C2", old), ("c", "C3", new), ("a", "C", new)):
            index = DocumentIndex(engine, embedder, earlier={"old": old}.get)
            await put(engine, index, document(id, channel=channel), *(f"{id} {n}." for n in range(40)))
            await index.embed(id, scope=SCOPE)
        by_server = await ask_all(index)
        assert {document for found in by_server[:4] for document, _, _ in found} == {"a"}
        assert {document for found in by_server[4:] for document, _, _ in found} == {"b"}
        assert not has_codes(index._near)
        assert await engine.read(lambda tx: tx.all(OF_ONE_QUESTION)) == []

    read_rows(url, "drop extension vector cascade")
    async with open_engine(url, read_only=True) as engine:  # which makes nothing
        index = DocumentIndex(engine, new, earlier={"old": old}.get)
        assert await ask_all(index) == by_server
        assert has_codes(index._near)


async def test_signs_are_those_of_the_vectors_that_are_there(tmp_path: Path) -> None:
    url = database_url(tmp_path / "parley.db")
    async with open_engine(url) as engine:
        index = DocumentIndex(engine, ArbitraryEmbedder("one", 64))
        for id in ("stays", "goes"):
            await put(engine, index, document(id), "First.", "Second.")
            await index.embed(id, scope=SCOPE)
        both = read_rows(url, SIGNS)
        assert both == read_rows(url, VECTORS)
        await index.remove(["goes"], now=3.0)
        assert read_rows(url, SIGNS) == read_rows(url, VECTORS) != both

    read_rows(url, "drop trigger document_signs_added on document_vectors")
    read_rows(url, "delete from document_signs")
    async with open_engine(url):  # as where the extension came after the documents
        assert read_rows(url, SIGNS) == read_rows(url, VECTORS)
