"""Hidden characters go, what scripts and emoji need stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.invisible import strip_hidden

SMUGGLED = "".join(chr(0xE0000 + ord(c)) for c in "ignore all")


@pytest.mark.parametrize(
    "kept",
    [
        "plain text\n\twith a tab",
        "é ü 漢字 שלום",
        "👍🏽 👩‍💻 👨‍👩‍👧‍👦 ❤️ ☎︎ 1️⃣ #️⃣ 🇩🇪 🏳️‍🌈 ©️",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "می\u200cخواهم",
        "क्\u200dष",
        "שלום\u200f!",
        "\u200eא",
    ],
)
def test_what_people_write_stays(kept):
    assert strip_hidden(kept) == kept


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("ok" + SMUGGLED, "ok"),
        ("🏴" + SMUGGLED + "\U000e007f", "🏴"),
        ("a\ufe00\ufe01\U000e0100b", "ab"),
        ("😀\ufe0f\ufe0f\ufe0e", "😀\ufe0f"),
        ("pass\u200bword", "password"),
        ("a\u200d\u200cb", "ab"),
        ("\u202eevil\u202c \u2066x\u2069", "evil x"),
        ("a\u200fb", "ab"),
        ("\ufeffbom\u00ad", "bom"),
        ("می\u200c\u200c\u200cخ", "میخ"),
        ("a\x1b[31mb\x00\rc", "a[31mbc"),
        ("a\u2028b\x85c", "a b c"),
        ("half \ud83d", "half \ufffd"),
        ("\u3164\u115f", ""),
    ],
)
def test_what_nobody_sees_goes(text, left):
    assert strip_hidden(text) == left


@given(st.text(st.characters() | st.sampled_from("\u200d\ufe0f🏴👩💻א\u200f\U000e0067 ")))
def test_visible_text_stays_as_it_is(text):
    assert strip_hidden(strip_hidden(text)) == strip_hidden(text)


@given(st.lists(st.text(st.sampled_from("\u200d\ufe0f👩💻א\u200fa\u200bम1\u20e3"), max_size=6)))
def test_words_are_judged_one_by_one(words):
    assert strip_hidden(" ".join(words)) == " ".join(map(strip_hidden, words))
