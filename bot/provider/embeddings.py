"""Sentence embeddings: from the model API or from a small model on this machine (local_embeddings.py).

Vectors have length 1 and are kept by the hash of their text, so that each text is embedded once.
"""

from __future__ import annotations

import hashlib
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bot.core.errors import SetupError
from bot.core.values import Scope
from bot.ml import e5, minilm
from bot.ml.minilm import to_unit_length
from bot.provider.local_embeddings import LocalEmbedder
from storage.engine import Engine
from storage.provider import vectors as stored_vectors

if TYPE_CHECKING:
    from bot.provider.service import Provider

# Short texts; the API's own limits are 2,048 texts and 300,000 tokens.
# Source: https://platform.openai.com/docs/api-reference/embeddings/create
_PER_REQUEST = 256
# What PARLEY_EMBEDDINGS calls the models on this machine.
LOCAL = {"local": minilm.NAME, "local:multilingual": e5.NAME}
_DIMENSIONS = 384  # asked of the API's models that can choose; more make training slow and little better


class Embedder(Protocol):
    """Turns texts into vectors of length 1, all of the same number of dimensions."""

    name: str  # of the model; vectors of different names are never compared
    unrelated: float  # about the cosine of two texts that have nothing to do with each other

    async def embed(
        self, texts: Sequence[str], scope: Scope, *, kept: bool = True, passages: bool = False
    ) -> list[list[float]]:
        """`scope`: who pays, where it costs anything; `kept` False: nothing is stored of these texts.
        `passages`: texts that questions are compared with, which some models want to know."""
        ...


class ProviderEmbedder:
    """Embeddings from the model API."""

    unrelated = 0.1

    def __init__(self, provider: Provider, model: str) -> None:
        self.name = model
        self._provider = provider

    async def embed(
        self, texts: Sequence[str], scope: Scope, *, kept: bool = True, passages: bool = False
    ) -> list[list[float]]:
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
        self.name, self.unrelated = embedder.name, embedder.unrelated
        self._embedder, self._engine, self._clock = embedder, engine, clock

    async def embed(
        self, texts: Sequence[str], scope: Scope, *, kept: bool = True, passages: bool = False
    ) -> list[list[float]]:
        mark = "passage\0" if passages else ""
        digests = [hashlib.sha256(f"{mark}{text}".encode()).hexdigest() for text in texts]
        known = await self._engine.read(stored_vectors.find, self.name, digests)
        new = {d: t for d, t in zip(digests, texts, strict=True) if d not in known}
        if new:
            made = await self._embedder.embed(list(new.values()), scope, passages=passages)
            packed = {d: array("f", v).tobytes() for d, v in zip(new, made, strict=True)}
            if kept:
                await self._engine.write(stored_vectors.add, self.name, packed, now=self._clock())
            known |= packed
        return [array("f", known[d]).tolist() for d in digests]


def embedder_for(choice: str, provider: Provider, engine: Engine) -> Embedder | None:
    """What PARLEY_EMBEDDINGS chooses. SetupError names what is not installed for it."""
    if not choice:
        return None
    if choice not in LOCAL:
        return CachedEmbedder(ProviderEmbedder(provider, choice), engine)
    return CachedEmbedder(LocalEmbedder(LOCAL[choice]), engine)


def find_embedder(name: str, provider: Provider, engine: Engine) -> Embedder | None:
    """The embedder that vectors of that name were made by; None when it is not installed any more."""
    choice = next((choice for choice, local in LOCAL.items() if local == name), name)
    try:
        return embedder_for(choice, provider, engine)
    except SetupError:
        return None
