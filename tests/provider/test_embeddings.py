"""Sentence embeddings: each text is embedded once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from bot.core.values import Scope
from bot.provider.embeddings import CachedEmbedder
from storage.database import open_engine
from storage.provider import vectors
from tests.support.engines import database_url

SCOPE = Scope("T1", "C1", "U1", "T1:C1:1.0", "guard")


async def test_a_text_is_embedded_once(tmp_path: Path) -> None:
    class Counting:
        name, unrelated = "counting", 0.0

        def __init__(self) -> None:
            self.texts: list[str] = []

        async def embed(
            self, texts: Sequence[str], scope: Scope, *, kept: bool = True, passages: bool = False
        ) -> list[list[float]]:
            self.texts += texts
            return [[1.0, 0.0] for _ in texts]

    counting = Counting()
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        cached = CachedEmbedder(counting, engine)
        for _ in range(2):
            assert await cached.embed(["not to be kept"], SCOPE, kept=False) == [[1.0, 0.0]]
        assert counting.texts == ["not to be kept"] * 2
        counting.texts.clear()
        assert await cached.embed(["a", "b", "a"], SCOPE) == [[1.0, 0.0]] * 3
        assert await cached.embed(["b", "c"], SCOPE) == [[1.0, 0.0]] * 2
        assert counting.texts == ["a", "b", "c"]
        assert await engine.write(vectors.tidy, now=time.time()) == 0
        assert await engine.write(vectors.tidy, now=time.time() + vectors.KEPT_S) == 3
