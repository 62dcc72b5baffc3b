"""Trains the shipped heads (bot/ml/answerable*.json) on tests/data/squad2: `python -m tests.ml.make_head`.

Those of an embedder that is not installed are left as they are. It takes some minutes for each embedder.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from bot.core.errors import SetupError
from bot.ml import answer_classifier, e5, minilm
from bot.ml.answer_features import Collection
from bot.provider.local_embeddings import CHECKS
from tests.ml.squad_nearness import make_pairs, measure_nearness
from tests.support.guard_rows import mixed, paragraphs

FILES = {"": "answerable.json", minilm.NAME: "answerable_minilm.json", e5.NAME: "answerable_e5.json"}


def make_head(embedder: str) -> bytes:
    near = asyncio.run(measure_nearness(embedder, paragraphs())) if embedder else None
    pairs = make_pairs(mixed(paragraphs()), near)
    kept_under = near.name if near else ""
    trained = answer_classifier.train(pairs, Collection(p.context for p in pairs), embedder=kept_under)
    return answer_classifier.dump(trained.head)


def main() -> None:
    for embedder, name in FILES.items():
        try:
            CHECKS.get(embedder, lambda: None)()
        except SetupError as error:
            print(f"{name} is left as it is: {error}")
        else:
            (Path(answer_classifier.__file__).parent / name).write_bytes(make_head(embedder))


if __name__ == "__main__":
    main()
