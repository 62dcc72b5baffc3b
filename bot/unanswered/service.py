"""What a channel's documents could not answer, as its owner sees it: grouped by meaning, and closed.

Questions are written down with their refusal (bot/conversation/records.py) and grouped when somebody looks.
What is done about them is repair.py's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.core.errors import BudgetExceeded, ProviderError
from bot.core.values import Scope
from bot.knowledge.refused_examples import make_refused_example
from bot.knowledge.vector_forms import in_present_form
from bot.provider.embeddings import Embedder
from bot.unanswered import grouping
from storage.engine import Engine, Tx
from storage.knowledge import answer_examples
from storage.place import Channel
from storage.unanswered import questions
from storage.unanswered.questions import OpenQuestion

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Topic:
    """Questions that mean the same. `question`: the wording that is most typical of them."""

    id: int
    question: str
    times: int
    people: int
    wanted: bool  # somebody said that it should be answered
    first_at: float  # unix seconds
    last_at: float
    nearest: str  # the nearest thing known, as the last refusal told it
    questions: tuple[OpenQuestion, ...]  # oldest first

    @property
    def meant(self) -> str:
        """The question, understood without the conversation it was asked in."""
        return next(one.meant for one in self.questions if one.question == self.question)


class UnansweredQuestions:
    """One for the whole process."""

    def __init__(self, engine: Engine, embedder: Embedder | None, *, clock: Callable[[], float]) -> None:
        """`clock` gives unix seconds."""
        self._engine, self._clock = engine, clock
        self._embedder = in_present_form(embedder) if embedder else None

    async def list_topics(self, at: Channel) -> list[Topic]:
        """What is open in a channel: what somebody wants answered first, then what is asked most."""
        return await asyncio.to_thread(make_topics, await self._list_grouped(at))

    async def find_topic(self, at: Channel, question: int) -> int:
        """The group of an open question; 0 where it is not open any more."""
        found = await self._list_grouped(at)
        return next((one.topic for one in found if one.id == question), 0)

    async def count(self, at: Channel) -> int:
        """How many questions are open in a channel."""
        return await self._engine.read(questions.count_open, at)

    async def close_as_not_ours(
        self, at: Channel, topic: int, *, by: str, shared: bool
    ) -> list[OpenQuestion]:
        """The channel is not there to answer this; the questions that are closed by it. Where the channel is
        `shared` with another company nothing is learned from that."""
        found = await self._engine.read(questions.list_of_topic, at, topic)
        return await self._engine.write(_close, at, found, by=by, teaches=not shared, now=self._clock())

    async def _list_grouped(self, at: Channel) -> list[OpenQuestion]:
        """Open questions, each in its group."""
        found = await self._engine.read(questions.list_open, at)
        if all(one.topic for one in found):
            return found
        vectors = await self._embed(at, found)
        unrelated = self._embedder.unrelated if self._embedder else 0.0
        new = await asyncio.to_thread(grouping.group, found, vectors, unrelated=unrelated)
        for id, topic in new.items():
            await self._engine.write(questions.set_topic, at, [id], topic)
        return await self._engine.read(questions.list_open, at)

    async def _embed(self, at: Channel, found: Sequence[OpenQuestion]) -> grouping.Vectors:
        """Their vectors; none where no model makes some, or the money is spent."""
        if self._embedder is None:
            return {}
        scope = Scope(at.team, at.channel, "", "", "embedding")
        read = [one for one in found if self._embedder.form.reads(one.meant)]
        try:
            vectors = await self._embedder.embed_questions([one.meant for one in read], scope, kept=True)
        except (ProviderError, BudgetExceeded) as exc:
            log.warning("unanswered questions are grouped by words alone: %s", type(exc).__name__)
            return {}
        return {one.id: vector for one, vector in zip(read, vectors, strict=True)}


def make_topics(found: Sequence[OpenQuestion]) -> list[Topic]:
    groups = dict[int, list[OpenQuestion]]()
    for one in sorted(found, key=lambda one: one.id):
        if one.topic:
            groups.setdefault(one.topic, []).append(one)
    topics = [_make_topic(id, members) for id, members in groups.items()]
    return sorted(topics, key=lambda topic: (topic.wanted, topic.times, topic.last_at), reverse=True)


def _make_topic(id: int, members: Sequence[OpenQuestion]) -> Topic:
    return Topic(
        id,
        grouping.choose_typical(members).question,
        len(members),
        len({one.person for one in members}),
        any(one.wanted for one in members),
        members[0].asked_at,
        members[-1].asked_at,
        members[-1].nearest,
        tuple(members),
    )


def _close(
    tx: Tx, at: Channel, found: Sequence[OpenQuestion], *, by: str, teaches: bool, now: float
) -> list[OpenQuestion]:
    closed = questions.close(tx, at, [one.id for one in found], "not ours", by=by, now=now)
    done = [one for one in found if one.id in closed]
    for one in done if teaches else ():
        answer_examples.add(tx, make_refused_example(at, one, "not ours", now=now))
    return done
