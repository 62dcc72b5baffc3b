"""A follow-up is searched as the question that it is in its thread."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.values import Message
from bot.knowledge.follow_up import is_open, make_standalone
from bot.text.marks import mark_file, words_alone

GERMAN = "Wie viele Urlaubstage habe ich in "
TRIP = "京都の出張費の上限はいくらですか教えてください"
TRAVEL = "Who approves travel expenses?"
LEAVE = "How many days of leave do I get in Munich?"


def thread(*asked: str) -> list[Message]:
    said = []
    for text in asked:
        said += [Message("human", text), Message("assistant", "As the handbook says: thirty.")]
    return said[:-1]


@pytest.mark.parametrize(
    ("asked", "searched"),
    [
        ((LEAVE, "and in Berlin?"), "How many days of leave do I get in Berlin?"),
        ((LEAVE, "What about in New York?"), "How many days of leave do I get in New York?"),
        (
            ("Wie viele Urlaubstage habe ich in München?", "Und in Berlin?"),
            "Wie viele Urlaubstage habe ich in Berlin?",
        ),
        (("Combien de jours de congé à Paris ?", "et à Lyon ?"), "Combien de jours de congé à Lyon ?"),
        (("May I bring my dog to the office?", "what about cats?"), "May I bring my dog to the office? cats"),
        (
            ("Who approves travel expenses?", "How long does it take?"),
            "Who approves travel expenses? How long does it take",
        ),
        ((LEAVE, "and in Berlin?", "and in Hamburg?"), "How many days of leave do I get in Hamburg?"),
        (
            ("京都の出張費の上限はいくらですか教えてください", "大阪は?"),
            "京都の出張費の上限はいくらですか教えてください 大阪は",
        ),
    ],
)
def test_what_it_follows_is_part_of_it(asked: tuple[str, ...], searched: str) -> None:
    assert make_standalone(thread(*asked))[0] == searched


@pytest.mark.parametrize(
    "question",
    [
        "How is the parental leave policy different for contractors?",
        "Which insurance covers company bikes abroad?",
        "Wo finde ich das Formular für Reisekosten?",
    ],
)
def test_a_question_with_words_of_its_own_is_searched_as_it_is(question: str) -> None:
    assert make_standalone(thread(LEAVE, question)) == [question]


@pytest.mark.parametrize(
    "asked",
    [
        ("Which offices do we have?", "and the second one?"),
        ("Who runs the harbour office?", "When did she start?"),
        ("Welche Büros haben wir?", "und das zweite?"),
        ("hm", "and then?"),
    ],
)
def test_one_that_points_at_what_no_rule_finds_is_known_to_be_open(asked: tuple[str, ...]) -> None:
    assert is_open(thread(*asked))


@pytest.mark.parametrize(
    "asked",
    [
        (LEAVE, "and in Berlin?"),
        (LEAVE, "Who approves travel expenses abroad?"),
        (TRAVEL, "How long does it take?"),
        ("and the second one?",),
    ],
)
def test_one_that_stands_alone_or_was_made_whole_is_not_open(asked: tuple[str, ...]) -> None:
    assert not is_open(thread(*asked))


def test_the_first_question_is_searched_as_it_is() -> None:
    assert make_standalone(thread("and in Berlin?")) == ["and in Berlin?"]
    assert make_standalone([]) == []


def test_of_a_file_its_name_is_searched_and_not_its_mark() -> None:
    file = mark_file("prices.csv", 39, read=True)
    assert make_standalone(thread(f"What does a chair cost?\n\n{file}")) == [
        "What does a chair cost?\n\nprices.csv"
    ]
    assert make_standalone(thread(TRAVEL, "[a file, not read]"))[-1] == "[a file, not read]"


@given(st.lists(st.text(max_size=60), min_size=1, max_size=4))
def test_the_last_question_is_never_lost(asked: list[str]) -> None:
    said = [Message("human", text) for text in asked]
    questions = [words_alone(text).strip() or text.strip() for text in asked if text.strip()]
    if questions:
        assert questions[-1] in make_standalone(said)
