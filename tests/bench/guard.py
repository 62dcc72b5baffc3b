"""The guard's figures on labelled data, beside baselines of the same run: `make bench-guard`.

First the table of mistakes by rung (tests/support/guard_table.py).

Protocol of the classifier's figures: each of ten topics is "the channel's" in turn; trained on k examples of
it, 250 generic negatives and 4 k (at most 400) messages of four other topics; tested on the rest of the topic
against five topics never seen and against out-of-scope queries. Answerability: three times six articles to
train on, three others to test. Times are CPU. `--seeds N` for more draws, `--embeddings` to add local
sentence embeddings. The verdict of a model alone, without a discriminator, is the rehearsal model's: what it
costs in time, not in wit.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean

from bot.core.errors import Refused
from bot.core.values import Scope
from bot.guard.model_judge import ModelJudge, UnreadableVerdict
from bot.guard.policy import Policy
from bot.ml.answer_classifier import Pair
from bot.ml.answer_classifier import train as train_head
from bot.ml.answer_features import Collection
from bot.ml.classification_report import auroc, calibration_error, fpr_at_tpr
from bot.ml.discriminator import Example, Vector, train
from bot.ml.features import normalise
from bot.ml.minilm import MiniLM
from tests.support.guard_rows import KINDS, TopicSplit, article_splits, mixed, pairs, topic_split, topics
from tests.support.guard_table import print_table
from tests.support.model_api import open_bench

Score = Callable[[str], float]
MARGINS = "  {:<34} {:>4}  {:>13}  {:>13}"


def figures(score: Score, split: TopicSplit) -> list[float]:
    """AUROC unseen, out-of-scope; false positives at 95 % TPR unseen, out-of-scope."""
    found: list[float] = []
    of_text = {t: score(t) for t in [*split.test_on, *split.unseen, *split.out_of_scope]}
    for measure in (auroc, lambda y, s: fpr_at_tpr(y, s, 0.95)):
        for kind in ("unseen", "out of scope"):
            rows = split.test(kind)
            found.append(measure([r.label for r in rows], [of_text[r.texts[0]] for r in rows]) or 0.0)
    return found


def nearest_example(split: TopicSplit) -> Score:
    """Share of words in common with the nearest on-topic example: no training, no negatives."""
    known = [set(normalise(text).split()) for text in split.on]

    def score(text: str) -> float:
        words = set(normalise(text).split())
        return max(len(words & other) / (len(words | other) or 1) for other in known)

    return score


def splits(k: int, seeds: int) -> Iterator[TopicSplit]:
    return (topic_split(topic, k, seed) for topic in topics() for seed in range(seeds))


def show(name: str, k: int, rows: Sequence[Sequence[float]]) -> None:
    a, b, c, d = (mean(column) for column in zip(*rows, strict=True))
    print(MARGINS.format(name, k, f"{a:.3f} / {b:.3f}", f"{c:.3f} / {d:.3f}"), flush=True)


def baselines(k: int, seeds: int) -> None:
    always: list[list[float]] = []
    nearest: list[list[float]] = []
    for split in splits(k, seeds):
        always.append(figures(lambda _: 1.0, split))
        nearest.append(figures(nearest_example(split), split))
    show("always allow", k, always)
    show("nearest example, shared words", k, nearest)


ASKED = 60  # messages of each kind and topic that the model alone is asked about
REHEARSAL = "gpt-6-luna"


async def model_alone() -> None:
    """The model's verdict with the same first examples in its prompt, and no discriminator."""
    rows: list[list[float]] = []
    asked, started = 0, time.monotonic()
    for split, topic in zip(splits(150, 1), topics(), strict=True):
        few = replace(
            split,
            test_on=split.test_on[:ASKED],
            unseen=split.unseen[:: len(split.unseen) // ASKED][:ASKED],
            out_of_scope=split.out_of_scope[:ASKED],
        )
        rules = Policy(topic.replace("_", " "), tuple(split.on[:20]), tuple(split.off[:20]))
        with tempfile.TemporaryDirectory() as folder:
            async with open_bench(Path(folder)) as bench:
                judge = ModelJudge(bench.provider, REHEARSAL)
                texts = [*few.test_on, *few.unseen, *few.out_of_scope]
                said = {text: await _verdict(judge, rules, text) for text in texts}
        rows.append(figures(said.__getitem__, few))
        asked += len(texts)
    show("model alone (rehearsal model)", 20, rows)
    ms = (time.monotonic() - started) / asked * 1000
    print(f"    {ms:.1f} ms a message on this machine, without a network and without thinking")


async def _verdict(judge: ModelJudge, rules: Policy, text: str) -> float:
    try:
        return (await judge.opinion(rules, text, [], Scope("", "", "", "bench", "guard"))).probability
    except (UnreadableVerdict, Refused):
        return 0.0  # it fails closed


class Tally:
    """What the trained discriminators of one table row did, averaged at its end."""

    def __init__(self) -> None:
        self.figures: list[list[float]] = []
        self.tpr: list[float] = []
        self.unsure: list[tuple[float, float]] = []
        self.calibration: list[float] = []
        self.train_s: list[float] = []
        self.ms: list[float] = []

    def add(self, split: TopicSplit, vectors: dict[str, Vector]) -> None:
        examples = [Example(r.texts[0], r.label, vectors.get(r.texts[0], ())) for r in split.training]
        started = time.process_time()
        model = train(examples).discriminator
        self.train_s.append(time.process_time() - started)
        texts = [*split.test_on, *split.unseen, *split.out_of_scope]
        started = time.process_time()
        p = {text: model.probability(text, vectors.get(text, ())) for text in texts}
        self.ms.append((time.process_time() - started) / len(texts) * 1000)
        self.figures.append(figures(p.__getitem__, split))
        lines = model.lines
        self.tpr.append(mean(p[t] >= lines.threshold for t in split.test_on))
        off = [*split.unseen, *split.out_of_scope]
        self.unsure.append((_between(p, split.test_on), _between(p, off, on=split.test_on)))
        labels = [True] * len(split.test_on) + [False] * len(off)
        self.calibration.append(calibration_error(labels, [p[t] for t in [*split.test_on, *off]]))

    def show(self, name: str, k: int) -> None:
        show(name, k, self.figures)
        by_topic = [mean(part) for part in _parts(self.tpr, len(topics()))]
        on, off = (mean(share) for share in zip(*self.unsure, strict=True))
        print(
            f"    threshold: {mean(self.tpr):.3f} of on-topic pass (topics {min(by_topic):.3f} to "
            f"{max(by_topic):.3f}); calibration error {mean(self.calibration):.3f}; "
            f"train {mean(self.train_s):.2f} s, {mean(self.ms):.2f} ms a message\n"
            f"    between the lines of 2 % error each: {on:.3f} of on-topic, {off:.3f} of off-topic messages"
        )


def _parts(values: Sequence[float], count: int) -> list[Sequence[float]]:
    size = len(values) // count
    return [values[at : at + size] for at in range(0, len(values), size)]


def _between(p: dict[str, float], texts: Sequence[str], *, on: Sequence[str] = ()) -> float:
    """Share of `texts` between the lines that lose 2 % of on-topic and let 2 % of off-topic in."""
    positives = sorted(p[t] for t in (on or texts))
    negatives = sorted(v for t, v in p.items() if t not in set(on or texts))
    low, high = positives[int(0.02 * len(positives))], negatives[int(0.98 * len(negatives))]
    return mean(low <= p[t] <= high for t in texts)


def topic_table(seeds: int, vectors: dict[str, Vector]) -> None:
    print("On topic? AUROC unseen topics / out of scope, then false positives at 95 % TPR")
    for k in (15, 45, 150):
        baselines(k, 1)
        for name, known in (("words, standard library", {}), ("with local embeddings", vectors)):
            if name.startswith("with") and not known:
                continue
            tally = Tally()
            for split in splits(k, seeds):
                tally.add(split, known)
            tally.show(name, k)


def answerable_table() -> None:
    print("\nAnswerable from the passage? AUROC per kind of negatives; trained on the kind, and on all four")
    own: dict[str, list[float]] = {kind: [] for kind in KINDS}
    cosine: dict[str, list[float]] = {kind: [] for kind in KINDS}
    together: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for training, test in article_splits():
        taught, asked = (Collection(p["context"] for p in part) for part in (training, test))
        one = train_head([Pair(r.texts[0], r.texts[1], r.label) for r in mixed(training)], taught).head
        for kind in KINDS:
            learned = train_head(
                [Pair(r.texts[0], r.texts[1], r.label) for r in pairs(training, kind)], taught
            )
            rows = pairs(test, kind)
            labels = [r.label for r in rows]
            for head, into in ((learned.head, own), (one, together)):
                stated = [head.probability(r.texts[1], r.texts[0], asked) for r in rows]
                into[kind].append(auroc(labels, stated) or 0.0)
            shared = [_shared(r.texts[1], r.texts[0]) for r in rows]
            cosine[kind].append(auroc(labels, shared) or 0.0)
    for kind in KINDS:
        print(
            f"  {kind:<14} shared words {mean(cosine[kind]):.3f}   own kind {mean(own[kind]):.3f}   "
            f"all four {mean(together[kind]):.3f}",
            flush=True,
        )


def _shared(question: str, context: str) -> float:
    words = set(normalise(question).split())
    return len(words & set(normalise(context).split())) / (len(words) or 1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-guard")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--embeddings", action="store_true")
    args = parser.parse_args()
    vectors: dict[str, Vector] = {}
    if args.embeddings:
        splits_of = [topic_split(topic, 150, 0) for topic in topics()]
        texts = sorted(
            {t for s in splits_of for t in [*s.on, *s.off, *s.test_on, *s.unseen, *s.out_of_scope]}
        )
        vectors = dict(zip(texts, MiniLM.load().embed(texts), strict=True))
    asyncio.run(print_table())
    print()
    topic_table(args.seeds, vectors)
    asyncio.run(model_alone())
    answerable_table()


if __name__ == "__main__":
    main()
