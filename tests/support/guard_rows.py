"""Labelled rows for the guard's tests and benchmark; nothing is tested on what it was trained on."""

from __future__ import annotations

import json
import math
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bot.ml.labelled_files import LabelledRow
from bot.ml.stemming import COMMON, split_words, stem

FOLDER = Path(__file__).parents[1] / "data"
KINDS = ("random", "same article", "hard", "adversarial")
GENERIC = 250  # out-of-scope rows to train on; the others are for the test


@cache
def _clinc() -> tuple[dict[str, list[str]], list[str]]:
    """(topic → queries, queries that belong to none)."""
    by_topic: dict[str, list[str]] = defaultdict(list)
    for row in _lines("clinc150/train_20_per_intent.jsonl"):
        by_topic[row["topic"]].append(row["text"])
    return dict(by_topic), [row["text"] for row in _lines("clinc150/background_out_of_scope.jsonl")]


def _lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text("utf-8").splitlines()]


def topics() -> list[str]:
    return sorted(_clinc()[0])


@dataclass(frozen=True)
class TopicSplit:
    """k examples of a topic with negatives; to test: the rest of it, topics never seen, out-of-scope."""

    on: list[str]
    off: list[str]
    test_on: list[str]
    unseen: list[str]
    out_of_scope: list[str]

    @property
    def training(self) -> list[LabelledRow]:
        return [LabelledRow((t,), True) for t in self.on] + [LabelledRow((t,), False) for t in self.off]

    def test(self, kind: str) -> list[LabelledRow]:
        off = self.unseen if kind == "unseen" else self.out_of_scope
        return [LabelledRow((t,), True) for t in self.test_on] + [LabelledRow((t,), False) for t in off]


def topic_split(topic: str, k: int, seed: int) -> TopicSplit:
    """Negatives: 250 generic and 4 k (at most 400) of four other topics; tested against the five left."""
    by_topic, generic = _clinc()
    chance = random.Random(f"{topic}{seed}")
    on = by_topic[topic][:]
    chance.shuffle(on)
    others = [t for t in topics() if t != topic]
    chance.shuffle(others)
    near = [text for t in others[:4] for text in by_topic[t]]
    chance.shuffle(near)
    return TopicSplit(
        on[:k],
        generic[:GENERIC] + near[: min(4 * k, 400)],
        on[150:],
        [text for t in others[4:] for text in by_topic[t]],
        generic[GENERIC:],
    )


@cache
def paragraphs() -> list[dict[str, Any]]:
    return _lines("squad2/train_9_articles.jsonl")


def article_splits() -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """Three times six articles to train on and the other three to test."""
    titles = sorted({p["title"] for p in paragraphs()})
    for third in range(3):
        held = set(titles[third::3])
        yield (
            [p for p in paragraphs() if p["title"] not in held],
            [p for p in paragraphs() if p["title"] in held],
        )


def pairs(given: Sequence[dict[str, Any]], kind: str) -> list[LabelledRow]:
    """Answerable questions with their paragraph, and as many that cannot be answered, of one kind."""
    chance = random.Random(f"{kind}0")
    asked = [(i, q["q"]) for i, p in enumerate(given) for q in p["questions"] if q["answerable"]]
    rows = [LabelledRow((given[i]["context"], q), True, kind) for i, q in asked]
    if kind == "adversarial":
        lacking = [(p["context"], q["q"]) for p in given for q in p["questions"] if not q["answerable"]]
        chance.shuffle(lacking)
        return rows + [LabelledRow(pair, False, kind) for pair in lacking[: len(rows)]]
    nearest = _retriever(given)
    for i, question in asked:
        if kind == "hard":
            wrong = nearest(question, i)
        else:
            same = kind == "same article"
            others = [j for j, p in enumerate(given) if j != i and (p["title"] == given[i]["title"]) is same]
            wrong = chance.choice(others)
        rows.append(LabelledRow((given[wrong]["context"], question), False, kind))
    return rows


def _retriever(given: Sequence[dict[str, Any]]) -> Any:
    """(question, own paragraph) → the best other paragraph by BM25."""
    counts = [
        Counter(stem(w.lower()) for w in split_words(p["context"]) if w.lower() not in COMMON) for p in given
    ]
    documents = Counter(word for c in counts for word in c)
    average = sum(map(Counter.total, counts)) / len(counts)
    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for i, count in enumerate(counts):
        for word, n in count.items():
            idf = math.log(1 + len(given) / documents[word])
            found[word].append((i, idf * n * 2.2 / (n + 1.2 * (0.25 + 0.75 * count.total() / average))))

    def nearest(question: str, own: int) -> int:
        scores: dict[int, float] = defaultdict(float, {(own + 1) % len(given): 0.0})
        for word in {stem(w.lower()) for w in split_words(question)}:
            for i, score in found[word]:
                scores[i] += score
        scores.pop(own, None)
        return max(scores, key=lambda i: scores[i])

    return nearest


def mixed(given: Sequence[dict[str, Any]]) -> list[LabelledRow]:
    """Each answerable question once, and the negatives of all four kinds."""
    rows = pairs(given, KINDS[0])
    return rows + [row for kind in KINDS[1:] for row in pairs(given, kind) if not row.label]
