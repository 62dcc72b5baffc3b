"""The head of a channel's own, where it has one in use: as the gate asks for it, and how one is fitted.

Its examples are questions with passages (storage/knowledge/answer_examples.py). For each, what a search finds
today is judged as the gate does it: the passage that was quoted answers, the nearest others do not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Any

from bot.core.errors import BotError
from bot.knowledge.example_pairs import JudgedPair, make_pairs
from bot.knowledge.gate import load_head
from bot.knowledge.index import DocumentIndex
from bot.learning.examples import ExampleStore
from bot.learning.head import Fit
from bot.learning.versions import ModelStore
from bot.ml.answer_adaptation import Adaptation, DescribedPair, adapt
from bot.ml.answer_classifier import AnswerHead, dump, load
from bot.ml.calibration import FEW
from bot.ml.classification_report import auroc
from bot.ml.gain import Gain, measure_gain, measure_rate
from storage.engine import Engine
from storage.knowledge import answer_examples, answer_models
from storage.place import Channel

PARTS = (0.25, 0.5, 1.0)  # of the learning curve
MOST_LEARNED = 600  # examples, the newest: more of them told hardly more, and take seconds
_EVEN = 0.5  # above it a pair counts as answerable, in the report


class OwnHeads:
    """Heads of channels in use, kept in memory until they change."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known = dict[Channel, AnswerHead | None]()

    async def find(self, at: Channel) -> AnswerHead | None:
        """None where the shipped one judges."""
        if at not in self._known:
            row = await self._engine.read(answer_models.read_model, at)
            self._known[at] = load(row["model"]) if row else None
        return self._known[at]

    def reload(self, at: Channel) -> None:
        """Another one is in use from now on."""
        self._known.pop(at, None)

    async def reread(self) -> None:
        """Any may be another one."""
        self._known.clear()


class AnswerHeadFitting:
    """Fits heads of channels on what people asked there (bot/learning/head.py)."""

    name = "answers"
    examples: ExampleStore = answer_examples
    models: ModelStore = answer_models

    def __init__(
        self, index: DocumentIndex, heads: OwnHeads, is_outsider: Callable[[str], Awaitable[bool]]
    ) -> None:
        """`is_outsider` says whether somebody is a guest or of another company: they teach nothing."""
        self._index, self._heads, self._is_outsider = index, heads, is_outsider

    async def fit(self, at: Channel, stored: Sequence[dict[str, Any]]) -> Fit | None:
        """None where too little can be told apart by it."""
        taught = [row for row in stored[-MOST_LEARNED:] if await self._may_teach(row["person"])]
        pairs = await make_pairs(self._index, at, taught)
        embedder = _choose_embedder(pairs)
        described = [pair.described for pair in pairs if pair.embedder == embedder]
        asked = [pair.answerable for pair in described if not pair.written]
        if min(sum(asked), len(asked) - sum(asked)) < FEW:
            return None
        return await asyncio.to_thread(fit_pairs, load_head(embedder), described)

    async def _may_teach(self, person: str) -> bool:
        if not person:
            return True  # written by a model
        try:
            return not await self._is_outsider(person)
        except BotError:
            return False  # nobody knows

    async def is_usable(self, at: Channel) -> bool:
        """A channel without one is judged by the shipped head."""
        return True

    def reload(self, at: Channel) -> None:
        self._heads.reload(at)


def _choose_embedder(pairs: Sequence[JudgedPair]) -> str:
    """By whose vectors most pairs are compared; heads of different ones do not mix."""
    names = [pair.embedder for pair in pairs]
    return max(sorted(set(names)), key=names.count, default="")


def fit_pairs(shipped: AnswerHead, pairs: Sequence[DescribedPair]) -> Fit:
    """A channel's head from its pairs, and whether it is surely better than the shipped one for what people
    asked."""
    adapted = adapt(shipped, pairs)
    gain, asked = _measure(pairs, adapted), _list_asked(pairs)
    labels = [pairs[n].answerable for n in asked]
    held_out, before = ([column[n] for n in asked] for column in (adapted.held_out, adapted.shipped))
    figures = {
        "gain": asdict(gain) | {"sure": gain.is_sure},
        "own": _report_rates(labels, held_out),
        "shipped": _report_rates(labels, before),
        "curve": [_report_part(shipped, pairs, adapted, part) for part in PARTS],
    }
    return Fit(
        dump(adapted.head),
        labels,
        held_out,
        _EVEN,
        shipped.embedder,
        better=gain.is_sure,
        figures=figures,
    )


def _list_asked(pairs: Sequence[DescribedPair]) -> list[int]:
    """The pairs of what people asked: a model that writes questions must not say how good a head is."""
    return [n for n, pair in enumerate(pairs) if not pair.written]


def _measure(pairs: Sequence[DescribedPair], adapted: Adaptation) -> Gain:
    asked = _list_asked(pairs)
    before, after = ([column[n] for n in asked] for column in (adapted.shipped, adapted.held_out))
    return measure_gain([pairs[n].answerable for n in asked], before, after, [pairs[n].group for n in asked])


def _report_rates(labels: Sequence[bool], stated: Sequence[float]) -> dict[str, Any]:
    """Both errors: refused although answerable, and answered although not."""
    refused = [p < _EVEN for p, label in zip(stated, labels, strict=True) if label]
    answered = [p >= _EVEN for p, label in zip(stated, labels, strict=True) if not label]
    return {
        "refused": asdict(measure_rate(sum(refused), len(refused))),
        "answered": asdict(measure_rate(sum(answered), len(answered))),
        "auroc": auroc(labels, stated),
    }


def _report_part(
    shipped: AnswerHead, pairs: Sequence[DescribedPair], whole: Adaptation, part: float
) -> dict[str, Any]:
    """A point of the learning curve: what a head that learned from a part is worth on all that was asked."""
    gain = _measure(pairs, whole if part == 1.0 else adapt(shipped, pairs, share=part))
    return {"share": part, "gain": gain.mean, "low": gain.low, "high": gain.high}
