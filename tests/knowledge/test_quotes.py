"""Answers from passages: the nearest passage, and quotes that have to stand in it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge import quotes
from bot.knowledge.answering import make_typed
from bot.knowledge.passage_finder import rank_typed

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


def test_a_whole_passage_may_be_quoted_however_short_it_is_and_a_part_may_not() -> None:
    assert quotes.is_quoted("4711", "4711.")
    assert not quotes.is_quoted("4711", "4711, and the chip opens it too")


def test_a_quote_in_a_script_without_blanks_is_counted_by_its_letters() -> None:
    assert quotes.is_quoted("年間30日です", "有給休暇は年間30日です。")
    assert not quotes.is_quoted("です", "有給休暇は年間30日です。")


def test_the_nearest_passage_is_found() -> None:
    assert rank_typed(["How tall is the tower?"], make_typed(PASSAGES))[0].text == PASSAGES[0]
    assert rank_typed(["Anything?"], []) == []


GUIDE = (
    "Porto, Ghent and Oslo. Receipts go to Carol within a month. Hotels cost up to 1,200 euros a week.\n"
    "Die Miete ist am 25. März fällig. Frau Aydin prüft die Rauchmelder. 早班六点开始。"
)


@pytest.mark.parametrize(
    ("question", "right", "wrong", "quote"),
    [
        (
            "Who gets receipts?",
            "Carol, within a month.",
            "Bob, within a month.",
            "Receipts go to Carol within",
        ),
        ("How dear is a room?", "1200 euros a week.", "1300 euros a week.", "Hotels cost up to 1,200 euros"),
        ("How dear is a room?", "€1.200 a week.", "€1.20 a week.", "Hotels cost up to 1,200 euros a week"),
        ("Where are we?", "In 3 places: Porto, Ghent and Oslo.", "In 4 places.", "Porto, Ghent and Oslo"),
        ("Wann ist Miete fällig?", "Am 25. März.", "Am 25. Mai.", "Die Miete ist am 25. März fällig"),
        ("Wann ist Miete fällig?", "Am 25.3.", "Am 26.3.", "Die Miete ist am 25. März fällig"),
        ("Wer prüft?", "Frau Aydin prüft sie.", "Frau Kolbe prüft sie.", "Frau Aydin prüft die Rauchmelder"),
        ("几点开始？", "早班6点开始。", "早班7点开始。", "早班六点开始"),
    ],
)
def test_numbers_dates_and_names_of_an_answer_stand_in_its_quotes(
    question: str, right: str, wrong: str, quote: str
) -> None:
    def read(answer: str) -> str:
        said = json.dumps({"answer": answer, "quotes": [{"passage": 1, "quote": quote}]})
        return quotes.read_answer(said, [GUIDE], question=question).text

    assert (read(right), read(wrong)) == (right, quotes.REFUSAL)


def test_a_row_of_a_table_is_read_with_its_header_and_a_sentence_whole() -> None:
    table = "Prices\nPart | Price in euros | Stock\nA-1 | 30 | 7\nB-2 | 50 | 9"
    assert quotes.list_quoted_sentences("B-2 | 50 | 9", table) == [
        "Part | Price in euros | Stock",
        "B-2 | 50 | 9",
    ]
    assert quotes.list_quoted_sentences("to Carol within", GUIDE) == ["Receipts go to Carol within a month."]


@given(st.text(max_size=200), st.integers(0, 200), st.integers(1, 200))
def test_whatever_stands_in_a_text_is_found_in_it_and_its_sentences_hold_it(
    text: str, start: int, length: int
) -> None:
    quote = text[start : start + length]
    if quotes.is_quoted(quote, quote):
        assert quotes.list_quoted_sentences(quote, quote)


@given(st.text(max_size=60), st.text(max_size=60), st.lists(st.text(max_size=40), max_size=3))
def test_no_text_breaks_the_check(answer: str, question: str, passages: list[str]) -> None:
    quoted = [{"passage": number, "quote": text} for number, text in enumerate(passages, 1)]
    said = json.dumps({"answer": answer, "quotes": quoted})
    found = quotes.read_answer(said, passages, question=question)
    assert found.refused or all(quotes.is_quoted(q.text, passages[q.passage]) for q in found.quotes)
