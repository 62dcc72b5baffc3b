"""What the model reads of a channel's passages, and what becomes of its answer."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import ContextTooLong
from bot.core.values import Completion, Message, Prompt, Usage
from bot.knowledge.answering import ABOUT_US, Found, answer, make_typed, write_origin
from bot.knowledge.index import Passage
from bot.knowledge.passage_finder import rank_typed
from bot.knowledge.quotes import REFUSAL
from bot.knowledge.support import supports
from tests.support.handbook_questions import (
    ELSEWHERE,
    HANDBOOK,
    OTHER_HANDBOOKS,
    QUESTIONS,
    NaturalQuestion,
)
from tests.support.model_api import SCOPE, open_bench

BUDGET = 24_000


class Reader:
    """A model that says what it is told to, and notes what it read; its context holds so many characters."""

    def __init__(self, said: str = "", *, holds: int = 1_000_000) -> None:
        self.read: list[Prompt] = []
        self._said, self._holds = said, holds

    async def complete(self, prompt: Prompt, *_: Any, **__: Any) -> Completion:
        self.read.append(prompt)
        if len(prompt.context) + sum(len(m.text) for m in prompt.messages) > self._holds:
            raise ContextTooLong("too long")
        return Completion(self._said, "stop", "m", Usage())

    async def decide(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


async def asked(
    reader: Reader, question: str, passages: list[str], *before: str, budget: int = BUDGET
) -> Found:
    messages = tuple(Message("human", text) for text in (*before, question))
    ranked = rank_typed([question], make_typed(passages))
    return await answer(reader, Prompt("", messages), ranked, SCOPE, budget_tokens=budget)


def without_marks(found: Found) -> str:
    return re.sub(r" ?\[1\]", "", found.completion.text)


def answered(question: NaturalQuestion) -> str:
    """As a model that understands everything answers; the passages stand in the order of their likeness."""
    ranked = [one.text for one in rank_typed([question.text], make_typed(HANDBOOK))]
    number = ranked.index(HANDBOOK[question.passage - 1]) + 1
    quote = {"passage": number, "quote": question.quote}
    return json.dumps({"answer": question.answer, "quotes": [quote]})


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.text)
async def test_what_the_handbook_answers_in_other_words_is_answered(question: NaturalQuestion) -> None:
    reader = Reader(answered(question))
    found = await asked(reader, question.text, HANDBOOK)
    assert all(passage in reader.read[0].context for passage in HANDBOOK)
    assert without_marks(found) == question.answer
    assert [source.quote for source in found.sources] == [question.quote]


def test_of_other_quotes_few_support_an_answer() -> None:
    english = QUESTIONS[:20]
    pairs = [(one, other) for one in english for other in english if one.passage != other.passage]
    wrong = [(a.answer, b.quote) for a, b in pairs if supports(b.quote, question=a.text, answer=a.answer)]
    assert len(wrong) <= len(pairs) / 6, wrong


@pytest.mark.parametrize("rows", OTHER_HANDBOOKS.values(), ids=OTHER_HANDBOOKS)
def test_in_other_languages_its_own_quote_supports_an_answer_and_few_others_do(rows: list[Any]) -> None:
    own = [row for row in rows if not supports(row[2], question=row[0], answer=row[1])]
    pairs = [(one, other) for one in rows for other in rows if one[2] != other[2]]
    wrong = [(a[1], b[2]) for a, b in pairs if supports(b[2], question=a[0], answer=a[1])]
    assert not own
    assert len(wrong) <= len(pairs) / 4, wrong


@pytest.mark.parametrize(
    ("question", "answer", "quote"),
    [
        ("How many days of holiday do I have?", "You have 30 days of holiday.", "a Sunday or a holiday"),
        ("Wie viele Urlaubstage habe ich?", "Du hast 30 Tage Urlaub.", "Das Gehalt kommt am 25. des Monats."),
        ("Was ist die Hauptstadt von Peru?", "Lima.", "Die Firma zahlt 6,50 Euro je Mahlzeit"),
        ("卵のゆで方は？", "7分ゆでます。", "パスワードは14文字以上とします"),
    ],
)
def test_a_quote_without_the_numbers_or_the_words_of_an_answer_is_no_support(
    question: str, answer: str, quote: str
) -> None:
    assert not supports(quote, question=question, answer=answer)


@pytest.mark.parametrize("count", [3, 8, 20])
async def test_all_passages_are_read_whatever_is_asked_as_long_as_they_fit(count: int) -> None:
    passages = [f"Rule {n}: " + " ".join(f"word{n}x{m}" for m in range(40)) for n in range(count)]
    for question in ("I am sick, what do I do?", *ELSEWHERE):
        reader = Reader("{}")
        found = await asked(reader, question, passages)
        assert all(passage in reader.read[0].context for passage in passages)
        assert found.completion.text == REFUSAL


async def test_where_not_all_fit_the_nearest_do() -> None:
    passages = [*(f"Rule {n} is about something else entirely, number {n}." for n in range(20)), *HANDBOOK]
    reader = Reader("{}")
    await asked(reader, "Where do my receipts go after a journey?", passages, budget=120)
    assert HANDBOOK[2] in reader.read[0].context
    assert len(reader.read[0].context) < 2_000


async def test_a_small_context_gets_less_until_it_fits() -> None:
    reader = Reader("{}", holds=1_400)
    passages = [f"{n} " + "something else " * 20 for n in range(8)] + [HANDBOOK[2]]
    await asked(reader, "Where do my receipts go after a journey?", passages, "earlier " * 50)
    assert HANDBOOK[2] in reader.read[-1].context
    with pytest.raises(ContextTooLong):
        await asked(Reader("{}", holds=10), "Where do my receipts go?", passages)


async def test_what_is_asked_about_the_assistant_is_answered_from_a_passage_of_ours() -> None:
    quote = {"passage": len(HANDBOOK) + 1, "quote": "I am a bot, a computer program"}
    reader = Reader(json.dumps({"answer": "Ja, ich bin ein Bot.", "quotes": [quote]}))
    found = await asked(reader, "Bist du ein Roboter?", HANDBOOK)
    assert found.completion.text == "Ja, ich bin ein Bot."
    nearest = (await asked(Reader("{}"), "Bist du ein Roboter?", HANDBOOK)).nearest
    assert nearest is not None
    assert nearest.text != ABOUT_US


async def test_no_passage_is_no_request() -> None:
    reader = Reader()
    assert (await asked(reader, "Anything?", [])).completion.text == REFUSAL
    assert reader.read == []


async def test_the_rehearsal_model_finds_most_of_it_and_invents_nothing(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:

        async def said(text: str) -> str:
            prompt, given = Prompt("", (Message("human", text),)), make_typed(HANDBOOK)
            return without_marks(await answer(bench.provider, prompt, given, SCOPE, budget_tokens=BUDGET))

        right = [q.text for q in QUESTIONS if await said(q.text) in HANDBOOK[q.passage - 1]]
        assert len(right) >= 12, right
        assert [await said(text) for text in ELSEWHERE] == [REFUSAL] * len(ELSEWHERE)
        assert "Parley" in await said("Who are you?")


@pytest.mark.parametrize(
    ("heading", "said"),
    [
        ("Moving to Ghent", "Moving to Ghent, slide 1"),
        ("Moving to Ghent › Who pays", "Moving to Ghent, slide 1, Who pays"),
        (
            "Who pays › Moving to Ghent by train",
            "Moving to Ghent, slide 1, Who pays › Moving to Ghent by train",
        ),
    ],
)
def test_where_a_passage_stands_says_its_title_once(heading: str, said: str) -> None:
    where = Passage("d", "Moving  to Ghent", "", "pptx", 0.0, 1, heading, 1, "slide 1", "text", "channel")
    assert write_origin(where) == said
