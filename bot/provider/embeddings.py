"""Sentence embeddings: from the model API or from a small model on this machine (bot/ml/minilm.py).

Vectors have length 1 and are kept by the hash of their text, so that each text is embedded once.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bot.core.values import Scope
from bot.ml.minilm import NAME, MiniLM, check_installed, to_unit_length
from storage.engine import Engine
from storage.provider import vectors as stored_vectors

if TYPE_CHECKING:
    from bot.provider.service import Provider

# Short texts; the API's own limits are 2,048 texts and 300,000 tokens.
# Source: https://platform.openai.com/docs/api-reference/embeddings/create
_PER_REQUEST = 256
_DIMENSIONS = 384  # asked of the API's models that can choose; more make training slow and little better


class Embedder(Protocol):
    """Turns texts into vectors of length 1, all of the same number of dimensions."""

    name: str  # of the model; vectors of different names are never compared

    async def embed(self, texts: Sequence[str], scope: Scope, *, kept: bool = True) -> list[list[float]]:
        """`scope`: who pays, where it costs anything; `kept` False: nothing is stored of these texts."""
        ...


class ProviderEmbedder:
    """Embeddings from the model API."""

    def __init__(self, provider: Provider, model: str) -> None:
        self.name = model
        self._provider = provider

    async def embed(self, texts: Sequence[str], scope: Scope, *, kept: bool = True) -> list[list[float]]:
        vectors: list[list[float]] = []
        paying = replace(scope, kind="embedding")
        for at in range(0, len(texts), _PER_REQUEST):
            batch = texts[at : at + _PER_REQUEST]
            found = await self._provider.embed(batch, paying, model=self.name, dimensions=_DIMENSIONS)
            vectors += map(to_unit_length, found)
        return vectors


class CachedEmbedder:
    """An embedder that asks for each text once and keeps the vector under the text's hash."""

    def __init__(self, embedder: Embedder, engine: Engine, clock: Callable[[], float] = time.time) -> None:
        self.name = embedder.name
        self._embedder, self._engine, self._clock = embedder, engine, clock

    async def embed(self, texts: Sequence[str], scope: Scope, *, kept: bool = True) -> list[list[float]]:
        digests = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
        known = await self._engine.read(stored_vectors.find, self.name, digests)
        new = {d: t for d, t in zip(digests, texts, strict=True) if d not in known}
        if new:
            made = await self._embedder.embed(list(new.values()), scope)
            packed = {d: array("f", v).tobytes() for d, v in zip(new, made, strict=True)}
            if kept:
                await self._engine.write(stored_vectors.add, self.name, packed, now=self._clock())
            known |= packed
        return [array("f", known[d]).tolist() for d in digests]


class LocalEmbedder:
    """Embeddings on this machine, about 20 ms each; in a thread, so that the loop goes on."""

    name = NAME

    async def embed(self, texts: Sequence[str], scope: Scope, *, kept: bool = True) -> list[list[float]]:
        return await asyncio.to_thread(lambda: MiniLM.load().embed(texts))


def embedder_for(choice: str, provider: Provider, engine: Engine) -> Embedder | None:
    """What PARLEY_EMBEDDINGS chooses. SetupError names what is not installed for it."""
    if not choice:
        return None
    if choice != "local":
        return CachedEmbedder(ProviderEmbedder(provider, choice), engine)
    check_installed()
    return CachedEmbedder(LocalEmbedder(), engine)
