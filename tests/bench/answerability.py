"""Does a passage answer a question? `python -m tests.bench.answerability`: AUROC on SQuAD articles held out.

Three times six of the nine articles of tests/data are trained on, with four kinds of negatives together, and
the other three asked of: the head of words alone, and one for each embedder of this machine that is
installed, beside tf-idf and nearness in meaning, which need no training. A head with an embedder judges a
passage as the gate does: it is told how much nearer another passage is of those that could have been found.
Of the questions, one in `--every` is taken; all paragraphs are kept: a wrong one that is retrieved is as near
as ever. Some ten minutes of two cores, most of them for vectors.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
from collections.abc import Callable, Iterator, Sequence
from statistics import mean
from typing import Any

from bot.core.errors import SetupError
from bot.ml import answer_classifier
from bot.ml.answer_features import Collection, parse
from bot.ml.classification_report import auroc
from bot.provider.embeddings import LOCAL
from bot.provider.local_embeddings import CHECKS
from tests.ml.squad_nearness import SquadNearness, make_pairs, measure_nearness
from tests.support.guard_rows import KINDS, article_splits, mixed, pairs, paragraphs

GOALS = {"random": 0.998, "same article": 0.975, "hard": 0.92, "adversarial": 0.70}
NAMES = {"hard": "retrieved"}
LINE = "  {:<40}" + " {:>13}" * len(KINDS)
Part = Sequence[dict[str, Any]]
Score = Callable[[str, str], float]  # of a question and a passage
Trained = Callable[[Part, Part], Score]  # from articles, and those that are asked of


def list_splits(every: int) -> Iterator[tuple[Part, Part]]:
    for training, test in article_splits():
        yield take(training, every), take(test, every)


def take(given: Part, every: int) -> Part:
    """All paragraphs, each with one question in `every`."""
    return [p | {"questions": p["questions"][len(p["context"]) % every :: every]} for p in given]


def measure(learn: Trained, every: int) -> dict[str, float]:
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for training, test in list_splits(every):
        score = learn(training, test)
        for kind in KINDS:
            rows = pairs(test, kind)
            stated = [score(row.texts[1], row.texts[0]) for row in rows]
            found[kind].append(auroc([row.label for row in rows], stated) or 0.0)
    return {kind: mean(each) for kind, each in found.items()}


def show(name: str, found: dict[str, float], *, judged: bool = False) -> None:
    met = {kind: found[kind] >= GOALS[kind] for kind in KINDS}
    cells = (f"{found[kind]:.3f}" + ("" if not judged or met[kind] else " NOT MET") for kind in KINDS)
    print(LINE.format(name, *cells), flush=True)


# What is compared


def by_tf_idf(training: Part, asked: Part) -> Score:
    """The cosine of a question's and a passage's words, the rarer the heavier."""
    collection = Collection(p["context"] for p in asked)

    def weigh(text: str) -> dict[str, float]:
        counts = parse(text).counts
        weights = {word: (1 + math.log(n)) * collection.rarity(word) for word, n in counts.items()}
        length = math.sqrt(sum(x * x for x in weights.values())) or 1.0
        return {word: x / length for word, x in weights.items()}

    def score(question: str, context: str) -> float:
        passage = weigh(context)
        return sum(x * passage.get(word, 0.0) for word, x in weigh(question).items())

    return score


def by_nearness(near: SquadNearness) -> Trained:
    return lambda training, asked: lambda question, context: near.of(question, context)


def by_head(near: SquadNearness | None) -> Trained:
    """As the gate judges: beside the other passages that could have been found."""

    def learn(training: Part, asked: Part) -> Score:
        taught = Collection(p["context"] for p in training)
        head = answer_classifier.train(make_pairs(mixed(training), near), taught).head
        contexts = [p["context"] for p in asked]
        collection = Collection(contexts)

        def score(question: str, context: str) -> float:
            if near is None:
                return head.probability(question, context, collection)
            nearness, behind = near.of(question, context), near.behind(question, context, contexts)
            return head.probability(question, context, collection, nearness=nearness, behind=behind)

        return score

    return learn


def list_installed() -> Iterator[tuple[str, str]]:
    """(what PARLEY_EMBEDDINGS calls it, its name)"""
    for choice, name in LOCAL.items():
        try:
            CHECKS[name]()
        except SetupError as error:
            print(f"  ({choice}: {error})")
        else:
            yield choice, name


async def measure_installed(given: Part) -> list[tuple[str, SquadNearness]]:
    """All embedders at the same time, each in a process of its own."""
    installed = dict(list_installed())
    measured = await asyncio.gather(*(measure_nearness(name, given) for name in installed.values()))
    return list(zip(installed, measured, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.answerability")
    parser.add_argument("--every", type=int, default=1)
    every = parser.parse_args().every
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    print("\nDoes the passage answer the question? AUROC by kind of those that do not")
    print(LINE.format("", *(NAMES.get(kind, kind) for kind in KINDS)))
    show("goal, with local embeddings", GOALS)
    show("tf-idf cosine", measure(by_tf_idf, every))
    show("trained head, words alone", measure(by_head(None), every))
    for choice, near in asyncio.run(measure_installed(take(paragraphs(), every))):
        show(f"{choice}, nearness of the passage", measure(by_nearness(near), every))
        show(f"{choice}, trained head", measure(by_head(near), every), judged=True)


if __name__ == "__main__":
    main()
