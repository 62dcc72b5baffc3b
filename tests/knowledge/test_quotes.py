"""Answers from passages: the nearest passage, and quotes that have to stand in it."""

from __future__ import annotations

import json

import pytest

from bot.knowledge import quotes
from bot.knowledge.answering import make_typed
from bot.knowledge.service import rank_typed

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
        ("The tower is 324 … it was", True),
        ("the tower is [...] metres tall.", True),
        ("The tower is 324 (…) in 1889 …", True),
        ("in 1889 … The tower is 324", False),
        ("The … tall", False),
        ("the tower is 324 … in 1890", False),
        ("…", False),
    ],
)
def test_a_quote_has_to_stand_in_its_passage_word_for_word(quote: str, found: bool) -> None:
    assert quotes.is_quoted(quote, PASSAGES[0]) is found


def test_an_answer_with_a_quote_from_elsewhere_is_refused() -> None:
    def said(passage: int, quote: str) -> str:
        return json.dumps({"answer": "324 metres.", "quotes": [{"passage": passage, "quote": quote}]})

    good = quotes.read_answer(said(1, "The tower is 324 metres tall"), PASSAGES, question="How tall is it?")
    assert (good.text, good.nearest, good.refused) == ("324 metres.", 0, False)
    for bad in (
        said(2, "The tower is 324 metres tall"),
        said(9, "The tower is 324"),
        '{"answer": "x", "quotes": []}',
    ):
        assert quotes.read_answer(bad, PASSAGES, question="How tall is it?").text == quotes.REFUSAL


SAID = json.dumps({"answer": "324 metres.", "quotes": [{"passage": 1, "quote": "The tower is 324 metres"}]})


@pytest.mark.parametrize(
    "written",
    [
        SAID,
        f"```json\n{SAID}\n```",
        f"```\n{SAID}```",
        f"Here you are:\n\n```json\n{SAID}\n```\nBye",
        f"Sure! {SAID}",
        f"<think>{{a}} or {{}}?</think>{SAID}\nI hope {{that}} helps",
        f"{SAID}\n{SAID}",
        SAID.replace('"passage": 1', '"passage": "[1]"'),
        SAID.replace("The tower", "**The tower**"),
    ],
)
def test_an_answer_is_read_in_a_fence_too(written: str) -> None:
    assert quotes.read_answer(written, PASSAGES, question="How tall is the tower?").text == "324 metres."


@pytest.mark.parametrize("written", ["[" * 100_000, '{"answer":' * 100_000, "{" * 5_000 + SAID])
def test_what_is_no_answer_however_deep_is_a_refusal(written: str) -> None:
    assert quotes.read_answer(written, PASSAGES, question="How tall is the tower?").refused


@pytest.mark.parametrize("answer", ["Lima.", "The capital of Peru is Lima.", "Yes.", f"{quotes.REFUSAL}."])
def test_a_real_quote_that_has_nothing_to_do_with_the_answer_is_no_support(answer: str) -> None:
    quote = {"passage": 2, "quote": PASSAGES[1]}
    said = json.dumps({"answer": answer, "quotes": [quote]})
    assert quotes.read_answer(said, PASSAGES, question="What is the capital of Peru?").refused


def test_a_quote_in_a_script_without_blanks_is_counted_by_its_letters() -> None:
    assert quotes.is_quoted("年間30日です", "有給休暇は年間30日です。")
    assert not quotes.is_quoted("です", "有給休暇は年間30日です。")


def test_the_nearest_passage_is_found() -> None:
    assert rank_typed(["How tall is the tower?"], make_typed(PASSAGES))[0].text == PASSAGES[0]
    assert rank_typed(["Anything?"], []) == []
