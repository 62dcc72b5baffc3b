"""What measures documents measures rightly: the scripted model, the liars, and what counts as right."""

from __future__ import annotations

import json
from collections import Counter

from bot.core.values import Message, Prompt
from bot.knowledge.answering import write_passages
from bot.knowledge.index import Passage
from bot.knowledge.quotes import REFUSAL
from tests.bench.knowledge.quote_attacks import make_all
from tests.bench.knowledge.scripted_readers import RightReader
from tests.bench.knowledge.shelf import is_right
from tests.bench.knowledge.sources import PageQuestion

WIND = PageQuestion(
    "number", "wind.pdf", 2, ("stops at 25 metres",), "When does the crane stop?", "At 25 metres."
)


def passage(text: str, *, document: str = "wind.pdf", page: int = 2) -> Passage:
    return Passage(document, document, "", "pdf", 0.0, 0, "", page, "", text, "channel")


RIGHT = passage("The crane stops at 25 metres a second. Nobody climbs it then. The horn sounds first.")
OTHERS = [passage(f"Lunch number {n} is served with bread.", document=f"{n}.pdf") for n in range(6)]


async def said(*given: Passage) -> dict[str, object]:
    prompt = Prompt("", (Message("human", WIND.text),), context=write_passages(given))
    completion = await RightReader({WIND.text: WIND}).complete(prompt)
    return dict(json.loads(completion.text))


async def test_the_scripted_model_quotes_the_sentence_with_the_evidence() -> None:
    quote = {"passage": 2, "quote": "The crane stops at 25 metres a second"}
    assert await said(OTHERS[0], RIGHT) == {"answer": WIND.answer, "quotes": [quote]}


async def test_it_refuses_when_the_right_passage_is_not_among_those_given() -> None:
    assert await said(*OTHERS) == {"answer": REFUSAL, "quotes": []}


def test_a_passage_of_another_page_or_document_is_not_right() -> None:
    assert is_right(RIGHT, WIND)
    assert is_right(passage(RIGHT.text, page=0), WIND)
    assert not is_right(passage(RIGHT.text, page=3), WIND)
    assert not is_right(passage(RIGHT.text, document="rain.pdf"), WIND)


def test_each_kind_of_lie_is_made_and_only_the_honest_answer_is_accepted() -> None:
    told = make_all([WIND], [RIGHT, *OTHERS])
    assert Counter(one.kind for one in told) == {
        "honest": 1,
        "fabricated": 2,
        "misattributed": 1,
        "unrelated": 1,
        "unsupporting": 2,
    }
    assert [one.kind for one in told if one.accepted] == ["honest"]
