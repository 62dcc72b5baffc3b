"""What a channel's own head is worth beside the shipped one, on questions that neither has seen.

Articles of SQuAD stand for channels, three at a time, with a head that was trained on the other six as the
shipped one: so many examples of half of an article's paragraphs are learned from, and the questions of the
other half are judged. On the invented companies the shipped head is the real one, and each question is held
out with all others of its passage.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.knowledge.example_pairs import make_pairs as make_example_pairs
from bot.knowledge.gate import load_head
from bot.ml import answer_classifier
from bot.ml.answer_adaptation import DescribedPair, adapt
from bot.ml.answer_classifier import AnswerHead, Pair, describe
from bot.ml.answer_features import Collection
from bot.ml.classification_report import auroc
from bot.ml.gain import Gain, measure_gain
from storage.place import Channel
from tests.bench.knowledge.shelf import CHANNEL, TEAM, Shelf, is_right
from tests.bench.knowledge.sources import NearMiss, PageQuestion
from tests.ml.squad_nearness import SquadNearness, make_pairs
from tests.support.guard_rows import article_splits, mixed, pairs

EXAMPLES = (50, 100, 200, 400)
KINDS = ("same article", "hard", "adversarial")
_ENOUGH = 0.9  # of the examples wanted; an article with fewer is left out


@dataclass(frozen=True, slots=True)
class ArticleChannel:
    """An article: the head that ships there, and pairs of its two halves."""

    shipped: AnswerHead
    known: list[DescribedPair]
    asked: list[DescribedPair]


@dataclass(frozen=True, slots=True)
class OwnGain:
    """Over all channels that have so many examples; AUROC is the mean of theirs."""

    examples: int
    channels: int
    gain: Gain
    shipped: float
    own: float


def open_channels(near: SquadNearness | None) -> list[ArticleChannel]:
    """The nine articles. Training takes half a minute for each three."""
    found = []
    for training, test in article_splits():
        taught = make_pairs(mixed(training), near)
        shipped = answer_classifier.train(taught, Collection(p.context for p in taught)).head
        for title in sorted({p["title"] for p in test}):
            article = [p for p in test if p["title"] == title]
            found.append(_open(shipped, article, near))
    return found


def _open(
    shipped: AnswerHead, article: Sequence[dict[str, Any]], near: SquadNearness | None
) -> ArticleChannel:
    contexts = [p["context"] for p in article]
    random.Random(0).shuffle(contexts)
    known = set(contexts[: len(contexts) // 2])
    halves: tuple[list[DescribedPair], list[DescribedPair]] = ([], [])
    for one in _describe(article, near):
        halves[one.group not in known].append(one)
    random.Random(1).shuffle(halves[0])
    return ArticleChannel(shipped, *halves)


def _describe(article: Sequence[dict[str, Any]], near: SquadNearness | None) -> Iterator[DescribedPair]:
    contexts = [p["context"] for p in article]
    collection = Collection(contexts)
    for kind in KINDS:
        for row in pairs(article, kind):
            context, question = row.texts
            if row.label and kind != KINDS[0]:
                continue  # each once
            pair = Pair(context, question, row.label)
            if near:
                behind = near.behind(question, context, contexts)
                pair = Pair(context, question, row.label, near.of(question, context), behind)
            yield DescribedPair(tuple(describe(pair, collection)), row.label, context)


def measure(channels: Sequence[ArticleChannel], examples: int) -> OwnGain | None:
    """None where no channel has so many."""
    labels, before, after, groups = list[bool](), list[float](), list[float](), list[str]()
    areas = list[tuple[float, float]]()
    for channel in channels:
        learned = channel.known[:examples]
        if len(learned) < _ENOUGH * examples:
            continue
        own = adapt(channel.shipped, learned).head
        asked = [pair.answerable for pair in channel.asked]
        first = [channel.shipped.judge(pair.features) for pair in channel.asked]
        second = [own.judge(pair.features) for pair in channel.asked]
        areas.append((auroc(asked, first) or 0.0, auroc(asked, second) or 0.0))
        labels += asked
        before, after = before + first, after + second
        groups += [pair.group for pair in channel.asked]
    if not areas:
        return None
    shipped, own_area = (sum(column) / len(areas) for column in zip(*areas, strict=True))
    return OwnGain(examples, len(areas), measure_gain(labels, before, after, groups), shipped, own_area)


async def measure_company(
    shelf: Shelf, questions: Sequence[PageQuestion], misses: Sequence[NearMiss]
) -> tuple[int, Gain]:
    """How many examples, and the gain on each when it is held out: as a training in the product sees it."""
    rows = [_row(shelf, question) for question in questions]
    rows += [_refused(miss.text) for miss in misses]
    judged = await make_example_pairs(shelf.index, Channel(TEAM, CHANNEL), [row for row in rows if row])
    names = [pair.embedder for pair in judged]
    embedder = max(sorted(set(names)), key=names.count)
    described = [pair.described for pair in judged if pair.embedder == embedder]
    adapted = adapt(load_head(embedder), described)
    labels, groups = [pair.answerable for pair in described], [pair.group for pair in described]
    return len(rows), measure_gain(labels, adapted.shipped, adapted.held_out, groups)


def _row(shelf: Shelf, question: PageQuestion) -> dict[str, Any]:
    right = next((p for p in shelf.passages if is_right(p, question)), None)
    if right is None:
        return {}
    return _refused(question.text) | {"answerable": 1, "document": right.document, "chunk": right.chunk}


def _refused(question: str) -> dict[str, Any]:
    nothing = {"answerable": 0, "document": "", "chunk": 0, "person": ""}
    return nothing | {"question": question, "source": "asked", "added_at": math.inf}
