"""Documents as a turn asks them: what can be said to a question from what may be read where it is asked.

`Knowledge.answer` is the one way, for documents and for passages that a channel's owner typed alike. All of
them are read where they fit; else what comes nearest is found first. What was attached to a thread is read by
`read_attached`, for answers that are not from documents alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Protocol

from bot.core.values import Completion, Incoming, Usage
from bot.knowledge import answering, gate
from bot.knowledge.across import AcrossDocuments
from bot.knowledge.answering import Found
from bot.knowledge.disagreements import find_disagreement
from bot.knowledge.document_question import DocumentAnswer, DocumentQuestion, LookedAt, Search
from bot.knowledge.follow_up import is_open, make_standalone
from bot.knowledge.gate import Candidate, Judged
from bot.knowledge.index import Audience, DocumentIndex, Hit, Passage
from bot.knowledge.own_head import OwnHeads
from bot.knowledge.passage_finder import MOST_FOUND, FoundPassages, PassageFinder
from bot.knowledge.quotes import find_span
from bot.provider.json_form import ModelApi
from storage.place import Channel


class AsksDocuments(Protocol):
    """What a turn asks of documents."""

    async def answer(self, asked: DocumentQuestion) -> DocumentAnswer | None:
        """From documents; None where there are none to ask."""

    async def read_attached(self, asked: DocumentQuestion) -> str:
        """What was attached in this thread, for a prompt's context: whole where it fits, else what is nearest
        to the last message; "" for nothing."""


class Knowledge:
    """One for the whole process."""

    def __init__(
        self,
        index: DocumentIndex,
        model_api: ModelApi,
        find_audience: Callable[[Incoming], Awaitable[Audience]],
        *,
        small_model: str = "",
        price: Callable[[str, Usage], Decimal | None] = lambda model, usage: None,
        heads: OwnHeads | None = None,
    ) -> None:
        """`heads`: those of channels, where they have one of their own."""
        self._index, self._model_api, self._heads = index, model_api, heads
        self._across = AcrossDocuments(index, model_api, find_audience, price=price)
        self._finder = PassageFinder(index, model_api, find_audience, small_model=small_model)

    async def answer(self, asked: DocumentQuestion) -> DocumentAnswer | None:
        """From documents and typed passages; None where there are none.

        ProviderError or BudgetExceeded come out of it.
        """
        if across := await self._across.answer(asked):
            return across
        typed = answering.make_typed(asked.typed)
        found = await self._finder.find(asked, typed)
        if found is None:
            return None
        looked_at = _list_nearest(found, typed)
        candidates = [Candidate(hit.passage.text, hit.nearness, hit.embedder) for hit in looked_at]
        where = asked.incoming.conversation
        own = await self._heads.find(Channel(where.team, where.channel)) if self._heads else None
        judged = await asyncio.to_thread(gate.judge, found.searched.questions, candidates, own)
        nearest = _order(looked_at, judged)
        if not found.passages or (judged.nothing and _is_clear(asked, found)):
            answered = replace(answering.refuse(found.passages), nearest=nearest)
        else:
            answered = await self._ask(asked, found)
        search = _describe_search(found, looked_at, judged, answered)
        if answered.refused:
            near = nearest or answered.nearest
            answer = DocumentAnswer(
                answered.completion,
                nearest=_name_nearest(near),
                nearest_document=near.document if near else "",
                refused=True,
                search=search,
            )
        else:
            notes = find_disagreement(answered.quotes, answered.shown)
            answer = DocumentAnswer(answered.completion, answered.sources, notes=notes, search=search)
        question = found.searched.questions[0] if _is_clear(asked, found) else ""
        return replace(answer, rewriting=found.searched.rewriting, question=question)

    async def _ask(self, asked: DocumentQuestion, found: FoundPassages) -> Found:
        """The answer from the nearest passages; where the model finds none in them, from those behind them:
        what is said in other words is found, but seldom first."""
        answered = await self._read(asked, found.passages)
        if answered.why != "nothing found" or not found.behind:
            return answered
        again = await self._read(asked, found.behind)
        return replace(again, completion=_add(answered.completion, again.completion))

    async def _read(self, asked: DocumentQuestion, passages: Sequence[Passage]) -> Found:
        return await answering.answer(
            self._model_api,
            asked.prompt,
            passages,
            asked.scope,
            budget_tokens=asked.budget_tokens,
            model=asked.model,
            style=asked.style,
        )

    async def read_attached(self, asked: DocumentQuestion) -> str:
        """What was attached in this thread, for a prompt's context: whole where it fits, else what is nearest
        to the last message; "" for nothing."""
        where = asked.incoming.conversation
        here = Audience(where.team, "", where.key, workspace=False)
        passages: Sequence[Passage] | None
        passages = await self._index.whole(here, most_tokens=asked.budget_tokens, model=asked.model)
        if passages is None:
            questions = make_standalone(asked.prompt.messages)
            hits = await self._index.search(here, questions, scope=asked.scope, limit=MOST_FOUND)
            passages = [hit.passage for hit in hits]
        return answering.write_passages(passages)


def _is_clear(asked: DocumentQuestion, found: FoundPassages) -> bool:
    """Whether it is known what is asked: else no passage is known to be far from it."""
    return not asked.about_us and (found.written_out or not is_open(asked.prompt.messages))


def _add(first: Completion, last: Completion) -> Completion:
    """The last of two requests, with what both took."""
    spent = None
    if first.cost_usd is not None and last.cost_usd is not None:
        spent = first.cost_usd + last.cost_usd
    usage = replace(
        last.usage,
        input_tokens=first.usage.input_tokens + last.usage.input_tokens,
        cached_tokens=first.usage.cached_tokens + last.usage.cached_tokens,
        output_tokens=first.usage.output_tokens + last.usage.output_tokens,
        requests=first.usage.requests + last.usage.requests,
        estimated=first.usage.estimated or last.usage.estimated,
    )
    return replace(last, usage=usage, cost_usd=spent)


def _list_nearest(found: FoundPassages, typed: Sequence[Passage]) -> list[Hit]:
    """The passages that the gate looks at: the first that were found, and what the owner typed."""
    return [*found.searched.hits[: gate.LOOKED_AT], *(Hit(one, 0.0) for one in typed)]


def _order(looked_at: Sequence[Hit], judged: Judged) -> Passage | None:
    """The passage that comes nearest: as it was found, unless one is likelier by far."""
    if not looked_at:
        return None
    best = max(range(len(looked_at)), key=lambda at: (judged.probabilities[at], -at))
    return looked_at[best].passage


def _name_nearest(passage: Passage | None) -> str:
    """What is told of it: where it stands; of what the owner typed, its words."""
    if passage is None:
        return ""
    return answering.write_origin(passage) or passage.text


def _describe_search(
    found: FoundPassages, looked_at: Sequence[Hit], judged: Judged, answered: Found
) -> Search:
    quoted = dict[tuple[str, int], list[tuple[int, int]]]()
    for quote in answered.quotes:
        if quote.passage < len(answered.shown):
            passage = answered.shown[quote.passage]
            span = find_span(quote.text, passage.text)
            quoted.setdefault((passage.document, passage.chunk), []).append(span)
    passages = [
        LookedAt(
            hit.passage.document,
            hit.passage.chunk,
            hit.word_rank,
            hit.vector_rank,
            round(probability, 3),
            tuple(quoted.pop((hit.passage.document, hit.passage.chunk), ())),
        )
        for hit, probability in zip(looked_at, judged.probabilities, strict=True)
    ]
    ranks = {
        (hit.passage.document, hit.passage.chunk): (hit.word_rank, hit.vector_rank)
        for hit in found.searched.hits
    }
    passages += [
        LookedAt(*which, *ranks.get(which, (None, None)), quoted=tuple(spans))
        for which, spans in quoted.items()
    ]
    return Search(found.whole, tuple(passages), answered.why)
