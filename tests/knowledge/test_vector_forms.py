"""A vector is made of a chunk and of each of its sentences, under the heading they stand below."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge.vector_forms import FORMS, MOST_SENTENCES, PLAIN, list_sentences
from bot.ml import minilm

BY_SENTENCE = FORMS[minilm.NAME]


def test_sentences_stand_under_the_last_heading() -> None:
    parts = BY_SENTENCE.list_parts("House › Dogs", "Dogs are welcome. Cats are not!\nBirds | 3 euros")
    assert parts == [
        "House › Dogs\nDogs are welcome. Cats are not!\nBirds | 3 euros",
        "Dogs: Dogs are welcome.",
        "Dogs: Cats are not!",
        "Dogs: Birds | 3 euros",
    ]


def test_one_sentence_is_the_whole_chunk_already() -> None:
    assert BY_SENTENCE.list_parts("", "Dogs are welcome.") == ["Dogs are welcome."]


def test_what_costs_money_is_embedded_whole_alone() -> None:
    assert PLAIN.list_parts("Dogs", "They are welcome. Cats are not.") == [
        "Dogs\nThey are welcome. Cats are not."
    ]


def test_sentences_of_japanese_and_chinese_end_without_a_blank() -> None:
    assert list_sentences("下周在京都开会。费用由公司承担。") == ["下周在京都开会。", "费用由公司承担。"]


@given(st.text(alphabet="ab .!\n。", max_size=2_000))
def test_no_more_vectors_are_made_of_a_chunk_than_that(text: str) -> None:
    assert len(list_sentences(text)) <= MOST_SENTENCES
