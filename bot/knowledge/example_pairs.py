"""What examples say of passages: pairs of a question and a passage, described as the gate does it.

Of a question with an answer: the quoted passage answers it; the two nearest others and one more of the same
document do not. Of a question that nothing answers: the nearest do not. Of one that a model wrote for a
passage: that passage does not. What was added after a question was asked is not known to be wrong for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from bot.core.values import Scope
from bot.knowledge import gate
from bot.knowledge.gate import Candidate
from bot.knowledge.index import Audience, DocumentIndex, Hit
from bot.ml.answer_adaptation import DescribedPair
from bot.ml.answer_features import Collection
from bot.provider.fair_share import in_background
from storage.place import Channel

_FOUND = 30  # passages among which the quoted one has to be
_NEAREST = 2  # wrong ones that are learned from, for a question with an answer
_WITHOUT = 3  # for one without


@dataclass(frozen=True, slots=True)
class JudgedPair:
    """A pair, and by whose vectors it is compared; "" by words alone."""

    described: DescribedPair
    embedder: str


async def make_pairs(index: DocumentIndex, at: Channel, stored: Sequence[dict[str, Any]]) -> list[JudgedPair]:
    """Of all examples of a channel, as its members find passages there today."""
    pairs = list[JudgedPair]()
    for question, rows in _group(stored).items():
        person = next((row["person"] for row in rows if row["person"]), "")
        here = Audience(at.team, at.channel, "", person=person if at.channel.startswith("D") else "")
        scope = Scope(at.team, at.channel, "", f"answers:{at.channel}", "embedding")
        with in_background():
            hits = await index.search(here, [question], scope=scope, limit=_FOUND)
        pairs += await asyncio.to_thread(_judge, question, rows, hits)
    return pairs


def _group(stored: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """What people say of a question holds, whatever a model wrote of it."""
    found = dict[str, list[dict[str, Any]]]()
    for row in sorted(stored, key=_is_written):
        rows = found.setdefault(row["question"], [])
        if not rows or _is_written(rows[0]) == _is_written(row):
            rows.append(row)
    return found


def _is_written(row: Mapping[str, Any]) -> bool:
    return bool(row["source"] == "near miss")


def _judge(question: str, rows: Sequence[Mapping[str, Any]], hits: Sequence[Hit]) -> list[JudgedPair]:
    right = {(row["document"], row["chunk"]) for row in rows if row["answerable"]}
    wrong = {(row["document"], row["chunk"]) for row in rows if row["document"] and not row["answerable"]}
    known = [hit for hit in hits if hit.passage.added_at <= max(row["added_at"] for row in rows)]
    looked_at = [_candidate(hit) for hit in hits[: gate.LOOKED_AT]]
    collection = Collection([one.text for one in looked_at])
    taken = [(hit, True) for hit in hits if _key(hit) in right]
    taken += [(hit, False) for hit in _list_wrong(known, right, wrong, answered=bool(right))]
    group = _name_group(question, rows)
    written = _is_written(rows[0])
    return [
        _describe(question, hit, looked_at, collection, answerable=answerable, group=group, written=written)
        for hit, answerable in taken
    ]


def _list_wrong(
    hits: Sequence[Hit], right: set[tuple[str, int]], wrong: set[tuple[str, int]], *, answered: bool
) -> Iterator[Hit]:
    said = {hit.passage.text for hit in hits if _key(hit) in right}  # a copy of the right one answers too
    others = [hit for hit in hits if _key(hit) not in right and hit.passage.text not in said]
    if wrong:
        yield from (hit for hit in others if _key(hit) in wrong)
    elif not answered:
        yield from others[:_WITHOUT]
    else:
        yield from others[:_NEAREST]
        documents = {document for document, _ in right}
        yield from islice((hit for hit in others[_NEAREST:] if hit.passage.document in documents), 1)


def _key(hit: Hit) -> tuple[str, int]:
    return hit.passage.document, hit.passage.chunk


def _candidate(hit: Hit) -> Candidate:
    return Candidate(hit.passage.text, hit.nearness, hit.embedder)


def _name_group(question: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Questions of one passage are alike, so they are held out together."""
    about = min(((row["document"], row["chunk"]) for row in rows if row["document"]), default=None)
    return f"{about[0]} {about[1]}" if about else question


def _describe(
    question: str,
    hit: Hit,
    looked_at: Sequence[Candidate],
    collection: Collection,
    *,
    answerable: bool,
    group: str,
    written: bool,
) -> JudgedPair:
    one = _candidate(hit)
    among = looked_at if one in looked_at else [*looked_at, one]
    row = gate.describe_candidate(question, one, among, collection)
    embedder = gate.find_shipped(one).embedder
    return JudgedPair(DescribedPair(tuple(row), answerable, group, written), embedder)
