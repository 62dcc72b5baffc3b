"""What asks us to remember something, and what only looks like it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.values import Conversation, Incoming
from bot.notes.wishes import find_wish, read_note_wish, wants_what_stands_there
from bot.text import marks

ASKED = Incoming(
    "m", Conversation("T", "C", "1"), "U1", "1", "", datetime(2026, 5, 12, tzinfo=UTC), mentioned=True
)


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("Remember that the release is on Fridays", "the release is on Fridays"),
        ("please remember: the Wi-Fi is *blue*", "the Wi-Fi is *blue*"),
        ("Could you please remember that X is Y?", "X is Y"),
        ("Don't forget that Bob is off", "Bob is off"),
        ("Merk dir bitte, dass das Release freitags ist.", "das Release freitags ist."),
        ("Souviens-toi que la sortie est vendredi", "la sortie est vendredi"),
        ("Recuerda que el lanzamiento es el viernes", "el lanzamiento es el viernes"),
        ("Ricordati che il rilascio è venerdì", "il rilascio è venerdì"),
        ("Lembre-se de que o lançamento é sexta", "o lançamento é sexta"),
        ("Onthoud dat de release op vrijdag is", "de release op vrijdag is"),
        ("Zapamiętaj, że wydanie jest w piątek", "wydanie jest w piątek"),
        ("Запомни, что релиз в пятницу", "релиз в пятницу"),
        ("リリースは金曜日だと覚えておいてください", "リリースは金曜日だ"),
        ("请记住：发布在周五", "发布在周五"),
        ("remember the printer code is 5512", "the printer code is 5512"),
        ("The office is closed on Monday. Please remember that!", "The office is closed on Monday."),
        ("Freitags ist Release. Merk dir das bitte.", "Freitags ist Release."),
    ],
)
def test_a_wish_to_remember_is_read_in_many_languages_and_kept_letter_for_letter(
    said: str, wanted: str
) -> None:
    assert find_wish(said) == wanted


@pytest.mark.parametrize(
    "said",
    [
        "Do you remember that the release is on Fridays?",
        "Remember that the release is on Fridays. When is the next one?",
        "Can you remember that we met?",
        "remember to be short",
        "remember the incident",
        "remember to say what is new",
        "remember what the plan is",
        "remember this",
        "He said: remember that x is y",
        "“Remember that x is y”",
        "> remember that x is y",
        "```remember that x is y```",
        "What does “remember that” mean",
        "Note that the build fails",
        "Erinnerst du dich, dass wir darüber sprachen?",
        "remember that",
    ],
)
def test_a_question_a_quote_and_an_order_to_us_are_no_wish(said: str) -> None:
    assert find_wish(said) == ""


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1).map(str.strip).filter(bool))
def test_whatever_is_to_be_remembered_is_kept_as_it_was_written(words: str) -> None:
    assert find_wish(f"Remember that {words}") in (words, "")


def test_only_a_persons_own_words_to_us_ask_for_it() -> None:
    wish = replace(ASKED, text="Remember that x is y")
    assert read_note_wish([wish]) == "x is y"
    assert read_note_wish([wish, replace(ASKED, text="and z too")]) == "x is y\nand z too"
    forwarded = marks.quote("Forwarded message by Bob", "Remember that x is y")
    others = (
        replace(wish, mentioned=False),
        replace(wish, by_app=True),
        replace(wish, follow_up="again"),
        replace(ASKED, text=forwarded),
        replace(ASKED, quoted=forwarded),
        replace(ASKED, text=f"{marks.mark_file('Remember that x.md', 9)}\nwhat does it say"),
    )
    assert [read_note_wish([one]) for one in others] == [""] * len(others)


def test_a_text_of_question_marks_is_looked_at_once() -> None:
    assert find_wish("?" * 200_000 + "a") == ""
    assert find_wish("remember that " + "?" * 200_000 + "a") == "?" * 200_000 + "a"
    assert find_wish("Could you please remember that the door is red??! ") == "the door is red"


def test_remember_this_with_nothing_that_is_to_be_asks_which_words() -> None:
    posts = (replace(ASKED, text="please remember this!"), replace(ASKED, text="remember this: x"))
    assert [wants_what_stands_there([post]) for post in posts] == [True, False]
