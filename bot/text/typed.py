"""What people type, brought into one form before it is read: one kind of blank, digit, quote and dash.

Only for understanding. What is shown, kept or given to a model is what was typed.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Sequence

from bot.text.invisible import HIDDEN

# Letters and digits that are another only in looks: full width, mathematical, ligatures. A raised ² is not 2.
_SAME = frozenset({"<wide>", "<narrow>", "<noBreak>", "<compat>", "<font>", "<small>"})
_MARKS = {
    **dict.fromkeys("‘’‚‛′´`", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("‐‑‒–—―−﹘", "-"),
    "⁄": "/",
    "٫": ".",
    "٬": ",",
}
_SEPARATING = "\u200b\u180e"  # seen as nothing, and put between words
_PUNCTUATION = " .,:!?\"'*_()[]{}"
NEAR = 0.7  # of difflib's ratio; below it a suggestion is a riddle


def tidy(text: str) -> str:
    """The text in one line with single plain blanks, plain digits, quotes and dashes, and nothing hidden."""
    return " ".join(HIDDEN.sub("", "".join(map(_plain, text))).split())


def _plain(letter: str) -> str:
    if letter.isspace() or letter in _SEPARATING:
        return " "
    if letter in _MARKS:
        return _MARKS[letter]
    if letter.isascii():
        return letter
    if letter.isdecimal():
        return str(unicodedata.decimal(letter))
    form = unicodedata.decomposition(letter).partition(" ")[0]
    if form == "<fraction>":
        return f" {unicodedata.normalize('NFKC', letter).replace('⁄', '/')}"
    if form in _SAME:
        return unicodedata.normalize("NFKC", letter)
    return letter


def read_keyword(text: str) -> str:
    """Words that are to be one of a few: tidy, in small letters, without quotes and punctuation around."""
    return tidy(text).strip(_PUNCTUATION).casefold()


def split_first(text: str) -> tuple[str, str]:
    """The first word and the rest as it was typed, whatever kind of blank stands between them."""
    found = re.match(rf"[\s{_SEPARATING}\ufeff\u2060]*([^\s{_SEPARATING}]*)", text)
    assert found is not None  # both parts may be empty
    return found[1], text[found.end() :].strip(f"{_SEPARATING}\ufeff\u2060 \t\r\n").strip()


def find_nearest(word: str, known: Iterable[str], *, most: int = 1) -> Sequence[str]:
    """The known names that a misspelt one is probably meant to be, the likeliest first; none where all are
    far from it."""
    by_form = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), by_form, n=most, cutoff=NEAR)
    return [by_form[form] for form in found]
