"""Where something stands in a piece: a quote found again, word for word, and the value inside of it.

Spacing, case and kinds of quotation marks do not matter; a number is found as a whole number only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from bot.fields.labels import Label, find_label, find_line
from bot.fields.pieces import DocumentPiece, PageText

_BLANKS = str.maketrans(dict.fromkeys("|€$£¥", " "))
_BETWEEN = r"[\s|€$£¥]+"  # a model may leave the sign of a currency out
MOST_PLACES = 20  # of one value that are looked at: the line that is quoted stands somewhere once
_MARKS = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "−": "-"})


@dataclass(frozen=True, slots=True)
class FoundPlace:
    """Where a value stands: from `start` to `end` of a page's text."""

    page: PageText
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.page.text[self.start : self.end].strip()

    @property
    def line(self) -> str:
        return find_line(self.page.text, self.start)[1].strip(" |")

    @property
    def label(self) -> Label:
        return find_label(self.page.text, self.start, self.end)


def find_places(piece: DocumentPiece, text: str, quote: str, *, first: int = 0) -> list[FoundPlace]:
    """Where a value stands within its quote, on the page that was named first."""
    pages = sorted(piece.pages, key=lambda page: page.page != first)
    for page in pages:
        found = [
            FoundPlace(page, start + left, start + right)
            for start, end in find_spans(page.text, quote)
            for left, right in find_spans(page.text[start:end], text)
            if _is_whole(page.text, start + left, start + right)
        ]
        if found:
            return found[:MOST_PLACES]
    return []


def find_spans(text: str, words: str) -> Iterator[tuple[int, int]]:
    """Where words stand in a text, as whole words."""
    tokens = _plain(words).translate(_BLANKS).split()
    if not tokens:
        return
    wanted = _BETWEEN.join(re.escape(token) for token in tokens)
    for match in re.finditer(rf"(?<!\w){wanted}(?!\w)", _plain(text)):
        yield match.span()


@lru_cache(maxsize=128)
def _plain(text: str) -> str:
    """The same letters small, one for one, so that positions stay what they are."""
    small = "".join(_small(letter) for letter in text)
    return small.translate(_MARKS)


def _small(letter: str) -> str:
    plain = unicodedata.normalize("NFKC", letter).casefold()
    return plain if len(plain) == 1 else letter


def _is_whole(text: str, start: int, end: int) -> bool:
    """Whether it is no part of a longer number or mark: 100.00 is none of 1.100.00, A-1 none of A-1-2."""
    before, behind = text[max(0, start - 2) : start], text[end : end + 2]
    inside_before = re.fullmatch(r"[\w][.,/-]", before) and text[start : start + 1].isalnum()
    inside_behind = re.fullmatch(r"[.,/-][\w]", behind) and text[end - 1 : end].isalnum()
    return not inside_before and not inside_behind
