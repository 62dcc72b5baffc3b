"""Trains the shipped head (bot/ml/answerable.json) on tests/data/squad2: `python -m tests.ml.make_head`."""

from __future__ import annotations

from pathlib import Path

from bot.ml import answer_classifier
from bot.ml.answer_classifier import Pair
from bot.ml.answer_features import Collection
from tests.support.guard_rows import mixed, paragraphs


def main() -> None:
    pairs = [Pair(row.texts[0], row.texts[1], row.label) for row in mixed(paragraphs())]
    trained = answer_classifier.train(pairs, Collection(p.context for p in pairs))
    (Path(answer_classifier.__file__).parent / "answerable.json").write_bytes(
        answer_classifier.dump(trained.head)
    )


if __name__ == "__main__":
    main()
