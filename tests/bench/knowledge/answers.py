"""From a question to what a person reads: how often a right answer is refused, and a near miss answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.core.values import Conversation, Incoming, Message, Prompt
from bot.knowledge.document_question import DocumentAnswer, DocumentQuestion
from bot.knowledge.index import Audience
from bot.knowledge.service import Knowledge
from tests.bench.knowledge.scripted_readers import RightReader
from tests.bench.knowledge.shelf import CHANNEL, HERE, SCOPE, TEAM, Shelf
from tests.bench.knowledge.sources import NearMiss, PageQuestion

WHOLE_TOKENS, FOUND_TOKENS = 100_000, 5_000  # everything fits; a dozen passages do


@dataclass(frozen=True, slots=True)
class AnsweredAll:
    """What became of questions: those refused though their answer stands there, near misses answered, and
    near misses that the gate refused before a model was asked; characters read for a question."""

    refused: list[PageQuestion]
    why: list[str]
    answered: list[NearMiss]
    spared: list[NearMiss]
    wrongly_spared: list[PageQuestion]
    characters: float


async def ask(knowledge: Knowledge, text: str, *, budget_tokens: int) -> DocumentAnswer:
    where = Conversation(TEAM, CHANNEL, "1.0")
    incoming = Incoming("1", where, "U1", "1.0", text, datetime(2026, 11, 30, tzinfo=UTC))
    prompt = Prompt("", (Message("human", text),))
    found = await knowledge.answer(DocumentQuestion(incoming, prompt, SCOPE, budget_tokens))
    assert found is not None
    return found


async def answer_all(
    shelf: Shelf,
    questions: Sequence[PageQuestion],
    misses: Sequence[NearMiss],
    *,
    budget_tokens: int,
) -> AnsweredAll:
    reader = RightReader({question.text: question for question in questions})
    knowledge = Knowledge(shelf.index, reader, _from_here)
    refused, why = [], []
    for question in questions:
        found = await ask(knowledge, question.text, budget_tokens=budget_tokens)
        if found.refused:
            refused.append(question)
            why.append(found.search.refused)
    answered = [
        miss for miss in misses if not (await ask(knowledge, miss.text, budget_tokens=budget_tokens)).refused
    ]
    spared = [miss for miss in misses if miss.text not in reader.asked]
    wrongly = [question for question in questions if question.text not in reader.asked]
    characters = reader.characters / (len(questions) + len(misses))
    return AnsweredAll(refused, why, answered, spared, wrongly, characters)


async def share_unasked(shelf: Shelf, questions: Sequence[str], *, budget_tokens: int) -> float:
    """Of questions that no document answers, those refused without asking a model."""
    reader = RightReader({})
    knowledge = Knowledge(shelf.index, reader, _from_here)
    for question in questions:
        await ask(knowledge, question, budget_tokens=budget_tokens)
    return 1 - len(set(reader.asked)) / len(questions)


async def _from_here(_: Incoming) -> Audience:
    return HERE
