"""Train bot/answerable.json, the shipped head, on all of tests/data/squad2: `python -m tests.make_head`."""

from __future__ import annotations

from pathlib import Path

from bot import answerable
from bot.answerability import Collection
from bot.answerable import Pair
from tests.guard_rows import mixed, paragraphs


def main() -> None:
    pairs = [Pair(row.texts[0], row.texts[1], row.label) for row in mixed(paragraphs())]
    trained = answerable.train(pairs, Collection(p.context for p in pairs))
    (Path(answerable.__file__).parent / "answerable.json").write_bytes(answerable.dump(trained.head))


if __name__ == "__main__":
    main()
