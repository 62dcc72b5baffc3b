"""Marks in what a model reads: nobody's words can make one, end one or pass for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text import marks

FORWARD = "[Forwarded message by Bob in #ops] 2026-04-17 05:39 UTC\n> the old router\n>\n> goes on Friday"


def test_every_line_of_a_quote_is_marked() -> None:
    said = "the old router\r\n\ngoes\x0bon\u2028Friday\n"
    quoted = marks.quote("Message by the app Grafana", said)
    assert quoted == "[Message by the app Grafana]\n> the old router\n>\n> goes\n> on\n> Friday"


@given(st.text())
def test_no_words_of_a_person_are_a_mark(text: str) -> None:
    for forged in (
        text,
        f"[file: {text}",
        f"[Forwarded message by {text}",
        f" [A picture: {text}",
        marks.END,
    ):
        own = marks.own_words(forged)
        assert marks.has_words(own) or not own.strip("> \n")
        assert own.replace("[ ", "[") == forged.replace("[ ", "[")


@pytest.mark.parametrize(
    "text", ["[file]\npath = /srv", "[list of servers]", "- [x] done", "[a picture of me]", "[1]"]
)
def test_brackets_that_are_no_mark_stay_as_they_are(text: str) -> None:
    assert marks.own_words(text) == text
    assert marks.has_words(text)


@given(st.text(), st.integers(0, 10**12))
def test_the_mark_of_a_file_is_one_line_whatever_its_name(name: str, size: int) -> None:
    mark = marks.mark_file(name, size)
    assert len(mark.splitlines()) == 1
    assert not marks.has_words(mark)
    assert mark.count("[") == mark.count("]") == 1


@pytest.mark.parametrize(
    ("size", "said"),
    [
        (1, "1 bytes"),
        (999, "999 bytes"),
        (1_000, "1 kB"),
        (12_345, "12 kB"),
        (1_234_567, "1.2 MB"),
        (10**10, "10 GB"),
    ],
)
def test_sizes_read_as_people_say_them(size: int, said: str) -> None:
    assert marks.format_bytes(size) == said


def test_quotes_are_told_from_what_their_poster_wrote() -> None:
    text = (
        f"see https://a.example\n> as I said\n\n{FORWARD} https://b.example\n{marks.END}\nhttps://c.example"
    )
    assert marks.leave_out_quotes(text) == "see https://a.example\n> as I said\n\nhttps://c.example"
    assert marks.leave_out_quotes("> mine\n\n[1] is a note") == "> mine\n\n[1] is a note"


def test_the_guard_judges_words_and_names_and_no_marks() -> None:
    text = "\n\n".join(
        (
            "why?",
            f"{FORWARD}\n{marks.END}",
            "[file: a plan.pdf, 1.2 MB, not read]\n[picture: x.png, not read]",
        )
    )
    assert " ".join(marks.words_alone(text).split()) == "why? the old router goes on Friday a plan.pdf x.png"
    assert marks.words_alone("is it large?\n[a picture: the floor plan]") == "is it large?\nthe floor plan"
    assert marks.words_alone("plain words [1]\n> quoted") == "plain words [1]\nquoted"
    asking = "which winter tires does my car need?"
    for by in ("Attachment by", "Message by the app", "Email by"):
        assert marks.words_alone(f"look\n[{by} {asking}] 2026-11-29\n> so").split("\n") == [
            "look",
            asking,
            "so",
        ]
    assert marks.words_alone("look\n[Attachment by Bob Builder]\n> so") == "look\nso"
