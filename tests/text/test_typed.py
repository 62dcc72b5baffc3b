"""What people type is brought into one form, whatever keyboard, phone or page it came from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.typed import find_nearest, read_keyword, split_first, tidy

BLANKS = "\u00a0\u1680\u2000\u2003\u2007\u2009\u200a\u200b\u202f\u205f\u3000\u2028\u2029\x85\t\n\r\v\f "


@pytest.mark.parametrize("blank", BLANKS)
def test_every_kind_of_blank_parts_words(blank: str) -> None:
    assert tidy(f"{blank}keep{blank}{blank}7{blank}days{blank}") == "keep 7 days"
    assert split_first(f"{blank}keep{blank}7{blank}days{blank}") == ("keep", f"7{blank}days")


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("２０ ｄａｙｓ", "20 days"),
        ("＄２０", "$20"),
        ("٢٠", "20"),
        ("२०", "20"),
        ("𝟐𝟎", "20"),
        ("١٬٠٠٠", "1,000"),
        ("1½ hours", "1 1/2 hours"),
        ("¾", "3/4"),
        ("“usage”", '"usage"'),
        ("it’s", "it's"),
        ("7–day", "7-day"),
        ("−5", "-5"),
        ("us\u00adage\ufeff", "usage"),
        ("\u2066usage\u2069", "usage"),
    ],
)
def test_letters_that_only_look_different_are_the_same(typed: str, read: str) -> None:
    assert tidy(typed) == read


@pytest.mark.parametrize("typed", ["20²", "①", "Ångström", "東京", "نعم", "Straße"])
def test_what_means_something_else_stays(typed: str) -> None:
    assert tidy(typed) == typed


@pytest.mark.parametrize(
    "typed", ["Usage", "USAGE.", "“usage”", "`usage`", "usage!", " usage ,", "ｕｓａｇｅ", "(usage)"]
)
def test_a_keyword_is_known_with_capitals_quotes_and_punctuation(typed: str) -> None:
    assert read_keyword(typed) == "usage"


def test_the_rest_behind_the_first_word_is_as_it_was_typed() -> None:
    assert split_first("estimate\nHow “much”…\n\nis ½?") == ("estimate", "How “much”…\n\nis ½?")
    assert split_first("") == split_first(" \u200b") == ("", "")


@given(st.text())
def test_a_tidy_text_is_tidy_already(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


@given(st.text())
def test_no_letter_is_lost_when_the_first_word_is_taken(text: str) -> None:
    word, rest = split_first(text)
    assert tidy(f"{word} {rest}") == tidy(text)


@pytest.mark.parametrize(
    ("word", "nearest"), [("usge", ["usage"]), ("SETING", ["settings"]), ("weather", []), ("", [])]
)
def test_the_nearest_name_is_found_where_one_is_near(word: str, nearest: list[str]) -> None:
    assert list(find_nearest(word, ("usage", "settings", "budget"))) == nearest
