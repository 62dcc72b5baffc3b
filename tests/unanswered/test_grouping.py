"""Unanswered questions are grouped by what they mean: by vectors where there are some, else by words."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.unanswered.grouping import choose_typical, compare_words, group
from storage.unanswered.questions import OpenQuestion

WORDINGS = Path(__file__).with_name("wordings.txt")


def question(id: int, text: str, *, topic: int = 0, searched: str = "") -> OpenQuestion:
    return OpenQuestion(
        id, "C", "c", "U1", text, searched, "", str(id), "", topic, False, "", float(id), None, None
    )


def read_wordings() -> list[tuple[int, str]]:
    """(number of its topic, question) of all of them."""
    blocks = WORDINGS.read_text("utf-8").split("\n\n")[1:]
    return [(number, line) for number, block in enumerate(blocks) for line in block.split("\n") if line]


def test_most_wordings_of_a_question_are_found_by_words_alone_and_few_of_another() -> None:
    told = read_wordings()
    asked = [question(id, text) for id, (_, text) in enumerate(told, 1)]
    found = group(asked, {})
    topics = {id: topic for id, (topic, _) in enumerate(told, 1)}
    same, wrong = 0, 0
    for one, other in combinations(found, 2):
        together = found[one] == found[other]
        same += together and topics[one] == topics[other]
        wrong += together and topics[one] != topics[other]
    pairs = sum(topics[one] == topics[other] for one, other in combinations(topics, 2))
    assert same / pairs >= 0.55
    assert wrong <= 12, "of 1,800 pairs"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What does error code E25 mean?", "What does error code E26 mean?"),
        ("How much leave do apprentices get in Leeds?", "How much leave do apprentices get in Porto?"),
        ("When is the summer party?", "Where is the summer party?"),
        ("What was the revenue in 2024?", "What was the revenue in 2025?"),
    ],
)  # fmt: skip
def test_questions_about_other_things_are_two_however_near_their_vectors(one: str, other: str) -> None:
    vectors = {1: [1.0, 0.0], 2: [1.0, 0.0]}
    assert group([question(1, one), question(2, other)], vectors) == {1: 1, 2: 2}


def test_vectors_join_what_has_no_word_in_common() -> None:
    asked = [question(1, "Are dogs allowed?"), question(2, "May I bring my spaniel along?")]
    near, far = [0.9, math.sqrt(1 - 0.81)], [0.1, math.sqrt(1 - 0.01)]
    assert group(asked, {1: [1.0, 0.0], 2: near}) == {1: 1, 2: 1}
    assert group(asked, {1: [1.0, 0.0], 2: far}) == {1: 1, 2: 2}


def test_a_follow_up_is_grouped_as_it_was_written_out() -> None:
    first = question(1, "Is the office in Porto open on Sundays?")
    follow_up = question(2, "and there?", searched="Is the office in Porto open on Sundays?")
    assert group([first, follow_up], {}) == {1: 1, 2: 1}


def test_what_is_in_a_group_stays_there_and_new_ones_join_it_by_its_number() -> None:
    """The question that a group began with may be gone: its number stays."""
    asked = [
        question(5, "Is the canteen open at night?", topic=3),
        question(9, "is the canteen open at night"),
    ]
    assert group(asked, {}) == {9: 3}


def test_the_wording_that_is_most_like_the_others_stands_for_them() -> None:
    asked = [
        question(1, "hi there, quick one, the dog, can it come to the office with me on Monday perhaps?"),
        question(2, "Can I bring my dog to the office?"),
        question(3, "can I bring a dog to the office"),
    ]
    assert choose_typical(asked).id in (2, 3)


@settings(max_examples=40)
@given(st.text(max_size=60), st.text(max_size=60))
def test_words_are_compared_both_ways_alike_whatever_is_asked(one: str, other: str) -> None:
    nearness = compare_words(one, other)
    assert 0 <= nearness <= 1.0001
    assert nearness == compare_words(other, one)
    assert group([question(1, one), question(2, other)], {})[1] == 1
