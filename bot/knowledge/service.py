"""Documents as a turn asks them: what can be said to a question from what may be read where it is asked.

`Knowledge.answer` is the one way, for documents and for passages that a channel's owner typed alike. All of
them are read where they fit; else what comes nearest is found first. What was attached to a thread is read by
`read_attached`, for answers that are not from documents alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from bot.core.values import Completion, Incoming, Prompt, Scope, Source
from bot.knowledge import answering, gate
from bot.knowledge.answering import Found
from bot.knowledge.disagreements import find_disagreement
from bot.knowledge.follow_up import is_open, make_standalone
from bot.knowledge.gate import Candidate, Judged
from bot.knowledge.index import Audience, DocumentIndex, Hit, Passage
from bot.knowledge.quotes import Refused, find_span
from bot.knowledge.rewriting import Rewriting, rewrite
from bot.provider.json_form import ModelApi

# only: from documents or not at all · first: else from what the model knows · off: documents are not asked
DocumentMode = Literal["only", "first", "off"]
MOST_FOUND = 12  # passages of about 250 tokens, where not all fit
MOST_LOOKED_UP = 60  # with those that are read when the first say nothing


@dataclass(frozen=True, slots=True)
class DocumentQuestion:
    """A question, and how a model is asked it there.

    `typed`: passages that the channel's owner wrote into its settings; `about_us`: it may be about the
    assistant, of which no document says anything.
    """

    incoming: Incoming
    prompt: Prompt
    scope: Scope
    budget_tokens: int
    typed: tuple[str, ...] = ()
    model: str = ""
    style: str = ""
    about_us: bool = False


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A passage that was looked at: which, found by which ranks, how likely it answers; `quoted`: from where
    to where in its text the answer stands. Numbers alone: what is erased is told no more."""

    document: str
    chunk: int
    word_rank: int | None = None
    vector_rank: int | None = None
    probability: float | None = None
    quoted: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Search:
    """How documents were asked, for whoever wants to know why. `whole`: all of them were read."""

    whole: bool = False
    passages: tuple[LookedAt, ...] = ()
    refused: Refused = ""


@dataclass(frozen=True, slots=True)
class DocumentAnswer:
    """What documents say to a question; `completion.text` is the refusal where that is nothing.

    `nearest` is what came closest then, as a person is told it; `notes` stand under an answer; `rewriting`:
    the question as a model wrote it to be searched with.
    """

    completion: Completion
    sources: tuple[Source, ...] = ()
    nearest: str = ""
    notes: tuple[str, ...] = ()
    refused: bool = False
    search: Search = field(default_factory=Search)
    rewriting: Rewriting | None = None


class AsksDocuments(Protocol):
    """What a turn asks of documents."""

    async def answer(self, asked: DocumentQuestion) -> DocumentAnswer | None:
        """From documents; None where there are none to ask."""

    async def read_attached(self, asked: DocumentQuestion) -> str:
        """What was attached in this thread, for a prompt's context: whole where it fits, else what is nearest
        to the last message; "" for nothing."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What may answer, best first where not all is read, what was found by which ranks, and what is read
    only where the first passages say nothing. `questions`: what was searched with."""

    passages: Sequence[Passage]
    hits: Sequence[Hit]
    whole: bool
    questions: Sequence[str]
    behind: Sequence[Passage] = ()
    rewriting: Rewriting | None = None


class Knowledge:
    """One for the whole process."""

    def __init__(
        self,
        index: DocumentIndex,
        model_api: ModelApi,
        find_audience: Callable[[Incoming], Awaitable[Audience]],
        *,
        small_model: str = "",
    ) -> None:
        self._index, self._model_api = index, model_api
        self._find_audience = find_audience
        self._small_model = small_model  # makes questions of follow-ups

    async def answer(self, asked: DocumentQuestion) -> DocumentAnswer | None:
        """From documents and typed passages; None where there are none.

        ProviderError or BudgetExceeded come out of it.
        """
        typed = answering.make_typed(asked.typed)
        found = await self._find(asked, typed)
        if found is None:
            return None
        looked_at = _list_nearest(found, typed)
        candidates = [Candidate(hit.passage.text, hit.nearness, hit.embedder) for hit in looked_at]
        judged = await asyncio.to_thread(gate.judge, found.questions, candidates)
        nearest = _order(looked_at, judged)
        sure = judged.nothing and not asked.about_us and not _is_unclear(asked, found)
        if not found.passages or sure:
            answered = replace(answering.refuse(found.passages), nearest=nearest)
        else:
            answered = await self._ask(asked, found)
        search = _describe_search(found, looked_at, judged, answered)
        if answered.refused:
            near = _name_nearest(nearest or answered.nearest)
            answer = DocumentAnswer(answered.completion, nearest=near, refused=True, search=search)
        else:
            notes = find_disagreement(answered.quotes, answered.shown)
            answer = DocumentAnswer(answered.completion, answered.sources, notes=notes, search=search)
        return replace(answer, rewriting=found.rewriting)

    async def _ask(self, asked: DocumentQuestion, found: _Found) -> Found:
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

    async def _find(self, asked: DocumentQuestion, typed: Sequence[Passage]) -> _Found | None:
        """None where nothing may be found from there at all."""
        there = await self._has_documents(asked.incoming)
        if not there and not typed:
            return None
        questions, rewriting = make_standalone(asked.prompt.messages), None
        whole: list[Passage] | None = []
        hits: Sequence[Hit] = ()
        if there:
            audience = await self._find_audience(asked.incoming)
            whole = await self._index.whole(audience, most_tokens=asked.budget_tokens, model=asked.model)
            if whole is None:
                rewriting = await self._rewrite(asked)
                questions = _put_first(rewriting, questions)
            hits = await self._index.search(audience, questions, scope=asked.scope, limit=MOST_LOOKED_UP)
        if whole == [] and not typed:
            return None
        ranked = await asyncio.to_thread(rank_typed, questions, typed)
        nearest = [*ranked, *(hit.passage for hit in hits)]
        if whole is not None:
            everything = list(dict.fromkeys([*nearest, *whole]))
            if await answering.fit(everything, asked.budget_tokens, model=asked.model):
                return _Found(everything, hits, True, questions)
        first = len(ranked) + MOST_FOUND
        return _Found(nearest[:first], hits, False, questions, nearest[first:], rewriting)

    async def _rewrite(self, asked: DocumentQuestion) -> Rewriting | None:
        """The last message as a question of its own, where no rule makes one of it."""
        messages = asked.prompt.messages
        if not is_open(messages):
            return None
        return await rewrite(self._model_api, messages, asked.scope, model=self._small_model)

    async def _has_documents(self, incoming: Incoming) -> bool:
        """Whether anything might be found: where nothing is, nobody has to be looked up for it."""
        where = incoming.conversation
        everything = Audience(where.team, where.channel, where.key, person=incoming.user)
        return await self._index.whole(everything, most_tokens=0, model="") != []


def _put_first(rewriting: Rewriting | None, questions: Sequence[str]) -> list[str]:
    written = [rewriting.question] if rewriting and rewriting.question else []
    return list(dict.fromkeys([*written, *questions]))


def _is_unclear(asked: DocumentQuestion, found: _Found) -> bool:
    """Whether it is not known what is asked, so that no passage can be known to be far from it."""
    return is_open(asked.prompt.messages) and not (found.rewriting and found.rewriting.question)


def rank_typed(questions: Sequence[str], typed: Sequence[Passage]) -> list[Passage]:
    """What the owner typed, the likeliest to answer first."""
    judged = gate.judge(questions, [Candidate(one.text) for one in typed])
    order = sorted(range(len(typed)), key=lambda at: -judged.probabilities[at])
    return [typed[at] for at in order]


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


def _list_nearest(found: _Found, typed: Sequence[Passage]) -> list[Hit]:
    """The passages that the gate looks at: the first that were found, and what the owner typed."""
    return [*found.hits[: gate.LOOKED_AT], *(Hit(one, 0.0) for one in typed)]


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


def _describe_search(found: _Found, looked_at: Sequence[Hit], judged: Judged, answered: Found) -> Search:
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
        (hit.passage.document, hit.passage.chunk): (hit.word_rank, hit.vector_rank) for hit in found.hits
    }
    passages += [
        LookedAt(*which, *ranks.get(which, (None, None)), quoted=tuple(spans))
        for which, spans in quoted.items()
    ]
    return Search(found.whole, tuple(passages), answered.why)
