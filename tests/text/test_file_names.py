"""Names of files show every character that is in them, in one line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.file_names import escape_unseen, show_name

FAMILY = "\U0001f468\u200d\U0001f469"
PERSIAN = "می\u200cخواهم"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("report.mp3", "report.mp3"),
        ("Überraschung 今日.m4a", "Überraschung 今日.m4a"),
        ("invoice\u202efdp.exe", "invoice\\u202efdp.exe"),
        ("a\u2066b\u2069c\u200f\u061c", "a\\u2066b\\u2069c\\u200f\\u061c"),
        ("two\nlines\r\n", "two\\nlines\\r\\n"),
        ("\x1b[2Jgone\x07\x00", "\\x1b[2Jgone\\x07\\x00"),
        ("tab\there", "tab\\there"),
        ("zero\u200bwidth\ufeff\u2060", "zero\\u200bwidth\\ufeff\\u2060"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("half \ud83d", "half \\ud83d"),
        ("line\u2028separator\u2029", "line\\u2028separator\\u2029"),
        ("Screenshot at 9.41\u202fAM\xa0x.png", "Screenshot at 9.41 AM x.png"),
        (f"{FAMILY} {PERSIAN}.m4a", f"{FAMILY} {PERSIAN}.m4a"),
        ("a\u200db", "a\\u200db"),
        ("invoice.pdf\u3164\u115f\u2800.exe", "invoice.pdf\\u3164\\u115f\\u2800.exe"),
    ],
)
def test_what_is_not_seen_in_a_name_is_written_out(name: str, shown: str) -> None:
    assert show_name(name) == shown


def test_a_name_is_no_longer_than_names_are() -> None:
    assert show_name("a" * 255) == "a" * 255
    assert show_name("a" * 10_000) == "a" * 255 + "…"


@given(st.text(max_size=60))
def test_any_name_is_one_line_in_which_nothing_is_hidden(name: str) -> None:
    shown = escape_unseen(name)
    assert shown.replace("\u200c", "").replace("\u200d", "").isprintable()
    assert escape_unseen(shown) == shown
