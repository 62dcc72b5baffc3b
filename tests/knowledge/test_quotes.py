"""Answers from passages: the nearest passage, and quotes that have to stand in it."""

from __future__ import annotations

import json

import pytest

from bot.core.values import Message
from bot.knowledge import quotes
from bot.knowledge.answering import rank_passages

PASSAGES = ["The tower is 324 metres tall. It was “finished” in 1889.", "Lasagne bakes for forty minutes."]


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("the tower is 324 metres tall", True),
        ('it was "finished"  in 1889.', True),
        ("the tower is 32", False),
        ("tower 324 metres", False),
        ("is tall", False),
        ("", False),
    ],
)
def test_a_quote_has_to_stand_in_its_passage_word_for_word(quote: str, found: bool) -> None:
    assert quotes.is_quoted(quote, PASSAGES[0]) is found


def test_an_answer_with_a_quote_from_elsewhere_is_refused() -> None:
    def said(passage: int, quote: str) -> str:
        return json.dumps({"answer": "324 metres.", "quotes": [{"passage": passage, "quote": quote}]})

    good = quotes.read_answer(said(1, "The tower is 324 metres tall"), PASSAGES)
    assert (good.text, good.nearest, good.refused) == ("324 metres.", 0, False)
    for bad in (
        said(2, "The tower is 324 metres tall"),
        said(9, "The tower is 324"),
        '{"answer": "x", "quotes": []}',
    ):
        assert quotes.read_answer(bad, PASSAGES).text == "No sufficient context for answering the question"


def test_the_nearest_passage_is_found_and_a_hopeless_question_is_known() -> None:
    def nearest(question: str) -> tuple[float, str]:
        return rank_passages([Message("human", question)], PASSAGES)[0]

    found, passage = nearest("How tall is the tower?")
    assert passage == PASSAGES[0]
    assert not quotes.is_hopeless(found)
    assert quotes.is_hopeless(nearest("Who won the cricket match?")[0])
    assert rank_passages([Message("human", "Anything?")], []) == []
