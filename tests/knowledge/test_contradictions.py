"""Which statements contradict each other."""

from __future__ import annotations

import pytest

from bot.knowledge.contradictions import contradict_in_numbers, contradict_in_words
from bot.knowledge.disagreements import find_disagreement
from bot.knowledge.passages import Passage
from bot.knowledge.quotes import Quote


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the release is on Fridays", "The release is on Thursdays."),
        ("Lunch is at 12", "Lunch is at 13"),
        ("das Release ist freitags", "Das Release ist donnerstags"),
        ("发布在周五", "发布在周四"),
        ("The release manager is Alice", "The release manager is Bob"),
        ("Der Ansprechpartner ist Frau Meier", "Der Ansprechpartner ist Herr Schulz"),
        ("We deploy on Fridays", "We do not deploy on Fridays"),
        ("the key is in the vault", "The key is in the safe"),
    ],
)
def test_the_same_said_of_another_day_number_or_name_is_a_contradiction(one: str, other: str) -> None:
    for pair in ((one, other), (other, one)):
        assert contradict_in_numbers(*pair) or contradict_in_words(*pair)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the release is on Fridays", "the release is on Friday"),
        ("The release manager is Alice", "The test manager is Alice"),
        ("Invoices for Acme go to Bob", "Invoices for Beta go to Bob"),
        ("The Wi-Fi password is fish", "The guest Wi-Fi password is cat"),
        ("the office is in Berlin", "The office has a kitchen"),
        ("Lunch is at 12", "Dinner is at 19"),
        ("the code word is fish", "The code word is fish"),
    ],
)
def test_something_said_of_another_thing_is_none(one: str, other: str) -> None:
    assert not contradict_in_numbers(one, other)
    assert not contradict_in_words(one, other)


def passage(document: str, kind: str, text: str, *, at: float, place: str = "") -> Passage:
    return Passage(document, document, "", kind, at, 0, "", 0, place, text, "channel")


def test_an_answer_from_a_newer_note_tells_what_an_older_one_said_and_names_differ_in_notes_alone() -> None:
    newer = passage("New", "note", "The release manager is Bob", at=2)
    older = passage("Old", "note", "The release manager is Alice", at=1, place="note by Carol, 1 May 2026")
    quotes = [Quote(0, "The release manager is Bob")]
    (told,) = find_disagreement(quotes, [newer, older])
    assert "The note by Carol, 1 May 2026" in told
    assert "“The release manager is Alice”" in told
    documents = [passage("New", "pdf", newer.text, at=2), passage("Old", "pdf", older.text, at=1)]
    assert find_disagreement(quotes, documents) == ()
