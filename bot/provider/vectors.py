"""Texts to vectors, from the model API. Keeping them, and the model on this machine, are embeddings.py's."""

from __future__ import annotations

import base64
import sys
from array import array
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from bot.core.values import Scope, Usage
from bot.provider.client import ModelClient, count_text
from bot.text import tokens


async def embed(
    client: ModelClient, texts: Sequence[str], *, scope: Scope, model: str, parameters: Mapping[str, Any]
) -> list[list[float]]:
    """The vector of each text, in order."""
    joined = "\n".join(texts)
    vectors, _ = await client.ask(
        "/embeddings",
        {"input": list(texts), "encoding_format": "base64", **parameters},
        scope=scope,
        model=model,
        read=read_vectors,
        bound=Usage(input_tokens=tokens.at_most(joined)),
        count=partial(count_text, joined, model),
    )
    return vectors


def read_vectors(answer: Any) -> list[list[float]]:
    rows = sorted(answer["data"], key=lambda row: int(row["index"]))
    return [_read_vector(row["embedding"]) for row in rows]


def _read_vector(embedding: str | list[float]) -> list[float]:
    """Floats, or little-endian 32-bit floats in base64."""
    if not isinstance(embedding, str):
        return embedding
    floats = array("f", base64.b64decode(embedding))
    if sys.byteorder == "big":
        floats.byteswap()
    return floats.tolist()
