"""A question to every document: "what do our contracts say about notice periods?".

Each document that may be found from there is searched for itself, asked in portions, and told in one line
with its page; then which say nothing, and which could not be read. Before many are gone through, what that
takes is told and asked for. Which questions these are: across_question.py; how an answer is worded:
across_answer.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal

from bot.core.errors import BotError, BudgetExceeded, ProviderError
from bot.core.values import Completion, Incoming, Usage
from bot.knowledge import across_answer, gate
from bot.knowledge.across_question import AcrossQuestion, find_across
from bot.knowledge.across_reading import divide, estimate_tokens, read_documents
from bot.knowledge.across_values import AskedDocument, ChosenDocuments, DocumentLine
from bot.knowledge.document_kinds import is_of_kind
from bot.knowledge.document_question import DocumentAnswer, DocumentQuestion
from bot.knowledge.gate import Candidate
from bot.knowledge.index import Audience, DocumentIndex
from bot.provider.json_form import ModelApi
from storage.knowledge.documents import Document

AGREED = "across"  # the button that says: go through all of them
MANY = 40  # documents; so many are gone through only when somebody wants that
LARGE_USD = Decimal("0.05")
PASSAGES = 5  # of each document
_INSTRUCTIONS_TOKENS = 500  # of each request
_LINE_TOKENS = 80  # written for each document


class AcrossDocuments:
    """Puts a question to each document for itself. `price`: what a model's usage costs, None where nobody
    knows."""

    def __init__(
        self,
        index: DocumentIndex,
        model_api: ModelApi,
        find_audience: Callable[[Incoming], Awaitable[Audience]],
        *,
        price: Callable[[str, Usage], Decimal | None],
    ) -> None:
        self._index, self._model_api = index, model_api
        self._find_audience, self._price = find_audience, price

    async def answer(self, asked: DocumentQuestion) -> DocumentAnswer | None:
        """One line for each document; None where the question is no such question, or there are not several
        documents. ProviderError or BudgetExceeded where nothing was learned before them."""
        agreed = asked.incoming.follow_up == AGREED
        question = find_across(asked.prompt.messages, agreed=agreed)
        if question is None:
            return None
        audience = await self._find_audience(asked.incoming)
        chosen = choose_documents(await self._index.list_documents(audience), question)
        if chosen is None:
            return None
        documents = await self._search(asked, question, audience, chosen.documents)
        if not agreed and (offer := self._offer(asked, chosen, documents)):
            return offer
        lines, spent, ended = await self._go_through(asked, question, documents)
        return across_answer.write(chosen, lines, spent, ended)

    async def _search(
        self,
        asked: DocumentQuestion,
        question: AcrossQuestion,
        audience: Audience,
        documents: Sequence[Document],
    ) -> list[AskedDocument]:
        ids = [one.id for one in documents]
        found = await self._index.search_within(
            audience, ids, [question.text], scope=asked.scope, limit=PASSAGES
        )
        return [AskedDocument(one, found[one.id]) for one in documents if found[one.id]]

    def _offer(
        self, asked: DocumentQuestion, chosen: ChosenDocuments, documents: Sequence[AskedDocument]
    ) -> DocumentAnswer | None:
        """What it would take, where that is much."""
        requests = len(divide(documents, asked.budget_tokens))
        used = Usage(
            input_tokens=sum(map(estimate_tokens, documents)) + requests * _INSTRUCTIONS_TOKENS,
            output_tokens=len(documents) * _LINE_TOKENS,
            requests=requests,
        )
        usd = self._price(asked.model, used)
        if len(documents) < MANY and (usd or 0) < LARGE_USD:
            return None
        return across_answer.offer(chosen, requests, usd, button=AGREED)

    async def _go_through(
        self, asked: DocumentQuestion, question: AcrossQuestion, documents: Sequence[AskedDocument]
    ) -> tuple[list[DocumentLine], list[Completion], BotError | None]:
        """What each says, the requests it took, and what ended it before all were asked."""
        near = await asyncio.to_thread(_find_near, question.text, documents)
        found = {one.document.id: DocumentLine(one, "open" if one in near else "silent") for one in documents}
        spent = list[Completion]()
        try:
            await self._ask_all(asked, question, near, found, spent)
            unclear = [line.asked for line in found.values() if line.outcome == "unclear"]
            await self._ask_all(asked, question, unclear, found, spent)
        except (ProviderError, BudgetExceeded) as error:
            if not any(line.outcome == "says" for line in found.values()):
                raise
            return list(found.values()), spent, error
        return list(found.values()), spent, None

    async def _ask_all(
        self,
        asked: DocumentQuestion,
        question: AcrossQuestion,
        documents: Sequence[AskedDocument],
        found: dict[str, DocumentLine],
        spent: list[Completion],
    ) -> None:
        """Asks portion by portion, and puts what each document says in the place of what is `found`."""
        for portion in divide(documents, asked.budget_tokens):
            if asked.progress:
                done = sum(line.outcome != "open" for line in found.values())
                asked.progress(done, len(found))
            lines, requests = await read_documents(self._model_api, asked, question.text, portion)
            found |= {line.asked.document.id: line for line in lines}
            spent += requests


def _find_near(question: str, documents: Sequence[AskedDocument]) -> list[AskedDocument]:
    """Those of which it is not sure that they say nothing to it."""
    return [
        one
        for one in documents
        if not gate.judge(
            [question], [Candidate(hit.passage.text, hit.nearness, hit.embedder) for hit in one.hits]
        ).nothing
    ]


def choose_documents(known: Sequence[Document], question: AcrossQuestion) -> ChosenDocuments | None:
    """The documents to ask, by title; None where there are not several, so that it is an ordinary
    question."""
    called = [
        one
        for one in known
        if is_of_kind(question.kind, title=one.title or one.name, kind=one.kind, source=one.source)
    ]
    narrowed = len(_list_searchable(called)) > 1
    if not (narrowed or question.sure):
        return None
    chosen = called if narrowed else known
    searchable = _list_searchable(chosen)
    if len(searchable) < 2:
        return None
    names = {(one.audience, one.name) for one in searchable}
    unread = [one for one in chosen if one not in searchable and (one.audience, one.name) not in names]
    return ChosenDocuments(tuple(searchable), tuple(unread), narrowed and len(called) < len(known))


def _list_searchable(documents: Sequence[Document]) -> list[Document]:
    return sorted(
        (one for one in documents if one.state == "searchable"),
        key=lambda one: (one.title or one.name).casefold(),
    )
