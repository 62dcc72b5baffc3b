"""A vector is made of a chunk and of each of its sentences, under the heading they stand below."""

from __future__ import annotations

import math
from operator import mul

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge.vector_forms import FORMS, PLAIN, list_sentences
from bot.ml import e5, minilm

BY_SENTENCE = FORMS[minilm.NAME]


WELCOME = "Dogs are welcome in every room of the house."
ALONE = "Cats are never alone, and sleep at night!"


def test_sentences_stand_under_the_last_heading() -> None:
    assert BY_SENTENCE.list_parts("House › Dogs", f"{WELCOME} {ALONE}") == [
        f"House › Dogs\n{WELCOME} {ALONE}",
        f"Dogs: {WELCOME}",
        f"Dogs: {ALONE}",
    ]


def test_rows_of_tables_have_no_vectors_of_their_own() -> None:
    text = f"{WELCOME}\nRoom | Dogs\nBlue | 3 euros"
    assert BY_SENTENCE.list_parts("", text) == [text, WELCOME]


def test_short_sentences_go_with_the_next_and_the_last_with_the_one_before() -> None:
    assert list_sentences(f"No! {WELCOME} Never.") == [f"No! {WELCOME} Never."]


def test_one_sentence_is_the_whole_chunk_already() -> None:
    assert BY_SENTENCE.list_parts("", WELCOME) == [WELCOME]


def test_what_costs_money_is_embedded_whole_alone() -> None:
    assert PLAIN.list_parts("Dogs", "They are welcome. Cats are not.") == [
        "Dogs\nThey are welcome. Cats are not."
    ]


def test_sentences_of_japanese_and_chinese_end_without_a_blank() -> None:
    one, two = "下周在京都开会" * 6 + "。", "费用由公司承担" * 6 + "。"
    assert list_sentences(one + two) == [one, two]


@given(st.lists(st.sampled_from(["Dogs", "are", "welcome.", "No!", "京都。", "\n"])))
def test_every_word_of_running_text_is_in_a_sentence(words: list[str]) -> None:
    text = " ".join(words)
    assert "".join("".join(list_sentences(text)).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("question", "read"),
    [
        ("May I bring my dog?", True),
        ("Darf ich meinen Hund mitbringen?", False),
        ("可以带狗吗?", False),
        ("犬を連れて行けますか", False),
    ],
)
def test_an_english_model_is_asked_in_english_alone(question: str, read: bool) -> None:
    assert BY_SENTENCE.reads(question) is read
    assert FORMS[e5.NAME].reads(question)


def test_centred_vectors_are_of_length_1_and_tell_apart_what_was_alike() -> None:
    mean = e5.centre([0.0] * 384, passages=True)
    one = [-x + (0.3 if n == 0 else 0.0) for n, x in enumerate(mean)]
    other = [-x + (0.3 if n == 1 else 0.0) for n, x in enumerate(mean)]
    assert dot(one, other) / dot(one, one) > 0.85
    near = dot(e5.centre(one, passages=True), e5.centre(other, passages=True))
    assert near < 0.7
    assert math.isclose(dot(*[e5.centre(one, passages=True)] * 2), 1, rel_tol=1e-6)


def dot(one: list[float], other: list[float]) -> float:
    return sum(map(mul, one, other))
