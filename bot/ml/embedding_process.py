"""The process in which models on this machine make vectors: python -m bot.ml.embedding_process MODEL.

Each line of its input is an order, each line of its output the answer: {"texts": […], "passages": true} →
{"vectors": […]}, floats of 32 bits in base64. It ends with its input. `bot/provider/local_embeddings.py`
starts it.
"""

from __future__ import annotations

import json
import os
import sys
from array import array
from base64 import b64encode
from collections.abc import Callable, Sequence

from bot.ml import e5, minilm

Embed = Callable[[Sequence[str], bool], list[list[float]]]


def load(name: str) -> Embed:
    """What makes vectors by the model of that name."""
    if name == e5.NAME:
        model = e5.MultilingualE5.load()
        return lambda texts, passages: model.embed(texts, passages=passages)
    english = minilm.MiniLM.load()
    return lambda texts, passages: english.embed(texts)


def main(name: str) -> None:
    os.nice(5)  # answering comes before what can wait
    embed = load(name)
    for line in sys.stdin:
        order = json.loads(line)
        vectors = embed(order["texts"], order["passages"])
        packed = [b64encode(array("f", vector).tobytes()).decode() for vector in vectors]
        sys.stdout.write(json.dumps({"vectors": packed}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
