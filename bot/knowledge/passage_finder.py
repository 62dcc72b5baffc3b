"""Which passages may answer a question: all of them where they fit, else what comes nearest to it.

A follow-up is searched as the question that it is in its thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.core.values import Incoming
from bot.knowledge import answering, gate
from bot.knowledge.document_question import DocumentQuestion
from bot.knowledge.follow_up import is_open, make_standalone
from bot.knowledge.gate import Candidate
from bot.knowledge.index import Audience, DocumentIndex, Hit, Passage
from bot.knowledge.rewriting import Rewriting, rewrite
from bot.provider.json_form import ModelApi

MOST_FOUND = 12  # passages of about 250 tokens, where not all fit
MOST_LOOKED_UP = 60  # with those that are read when the first say nothing


@dataclass(frozen=True, slots=True)
class Searched:
    """What was found in the documents, by which ranks. `whole`: all of their passages, where they fit; None
    where they do not. `rewriting`: that of the question, where it had to be written out."""

    whole: Sequence[Passage] | None
    hits: Sequence[Hit]
    questions: Sequence[str]
    rewriting: Rewriting | None = None


@dataclass(frozen=True, slots=True)
class FoundPassages:
    """What may answer, best first where not all is read, and what is read only where the first passages say
    nothing."""

    searched: Searched
    passages: Sequence[Passage]
    behind: Sequence[Passage] = ()
    whole: bool = False

    @property
    def written_out(self) -> bool:
        """Whether a model made a question of a follow-up."""
        return bool(self.searched.rewriting and self.searched.rewriting.question)


class PassageFinder:
    """Finds what a question may be answered from, where it is asked."""

    def __init__(
        self,
        index: DocumentIndex,
        model_api: ModelApi,
        find_audience: Callable[[Incoming], Awaitable[Audience]],
        *,
        small_model: str,
    ) -> None:
        self._index, self._model_api = index, model_api
        self._find_audience = find_audience
        self._small_model = small_model  # makes questions of follow-ups

    async def find(self, asked: DocumentQuestion, typed: Sequence[Passage]) -> FoundPassages | None:
        """None where nothing may be found from there at all."""
        searched = await self._search(asked)
        if searched.whole == [] and not typed:
            return None
        ranked = await asyncio.to_thread(rank_typed, searched.questions, typed)
        nearest = [*ranked, *(hit.passage for hit in searched.hits)]
        if searched.whole is not None:
            everything = list(dict.fromkeys([*nearest, *searched.whole]))
            if await answering.fit(everything, asked.budget_tokens, model=asked.model):
                return FoundPassages(searched, everything, whole=True)
        first = len(ranked) + MOST_FOUND
        return FoundPassages(searched, nearest[:first], nearest[first:])

    async def _search(self, asked: DocumentQuestion) -> Searched:
        questions = make_standalone(asked.prompt.messages)
        if not await self._has_documents(asked.incoming):
            return Searched([], (), questions)
        audience, rewriting = await self._find_audience(asked.incoming), None
        whole = await self._index.whole(audience, most_tokens=asked.budget_tokens, model=asked.model)
        if whole is None and is_open(asked.prompt.messages):
            rewriting = await self._rewrite(asked)
        if rewriting and rewriting.question:
            questions = list(dict.fromkeys([rewriting.question, *questions]))
        hits = await self._index.search(audience, questions, scope=asked.scope, limit=MOST_LOOKED_UP)
        return Searched(whole, hits, questions, rewriting)

    async def _rewrite(self, asked: DocumentQuestion) -> Rewriting | None:
        return await rewrite(self._model_api, asked.prompt.messages, asked.scope, model=self._small_model)

    async def _has_documents(self, incoming: Incoming) -> bool:
        """Whether anything might be found: where nothing is, nobody has to be looked up for it."""
        where = incoming.conversation
        everything = Audience(where.team, where.channel, where.key, person=incoming.user)
        return await self._index.whole(everything, most_tokens=0, model="") != []


def rank_typed(questions: Sequence[str], typed: Sequence[Passage]) -> list[Passage]:
    """What the owner typed, the likeliest to answer first."""
    judged = gate.judge(questions, [Candidate(one.text) for one in typed])
    order = sorted(range(len(typed)), key=lambda at: -judged.probabilities[at])
    return [typed[at] for at in order]
