"""The lines of a PDF page with their place, size and weight: what PDFium says of letters, gathered.

A line comes in the order in which the page was drawn, which for columns is the order of reading. Where it has
a gap wider than any between words it is several fragments: cells of a table, or columns drawn line by line.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

Box = tuple[float, float, float, float]  # left, bottom, right, top
MOST_BOXES = 1_000
WIDE_GAP = 1.15  # of the size of the letters
LEADER = " … "
_LEADER = re.compile(r"\s*(?:\.\s?){5,}\s*")
_WORD = re.compile(r"\S+")
_RAISED = re.compile(r"(?:[^\W\d_]{3}|\d|[^\W\d_][.,;:!?)])\d{1,3}(?!\w)")
SMALL = 0.88  # of the size of the letters before it
RAISED = 0.33  # of that size; a letter that reaches below the line is 0.2 lower
# What PDFium writes for a hyphen at a line's end; the next line follows without a break.
DIVIDED = "\ufffe"
_LINE = re.compile(rf"[^\r\n{DIVIDED}]+{DIVIDED}?")
_BOLD = re.compile(rb"bold|black|heavy|semibold|demi", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fragment:
    """Text on one line without a wide gap; the page's lower left corner is (0, 0)."""

    text: str
    left: float
    bottom: float
    right: float
    top: float
    size: float
    bold: bool

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


@dataclass(frozen=True, slots=True)
class PageFrame:
    """How a page is turned and where it begins."""

    rotation: int
    width: float  # as the page is seen
    height: float
    left: float
    bottom: float

    @classmethod
    def of(cls, page: pdfium.PdfPage) -> PageFrame:
        return cls(page.get_rotation(), *page.get_size(), *page.get_mediabox()[:2])

    def seen(self, left: float, bottom: float, right: float, top: float) -> Box:
        """The place as the page is seen."""
        x0, y0, x1, y1 = left - self.left, bottom - self.bottom, right - self.left, top - self.bottom
        if self.rotation == 90:
            return y0, self.height - x1, y1, self.height - x0
        if self.rotation == 180:
            return self.width - x1, self.height - y1, self.width - x0, self.height - y0
        if self.rotation == 270:
            return self.width - y1, x0, self.width - y0, x1
        return x0, y0, x1, y1


def read_fragments(page: pdfium.PdfPage) -> list[Fragment]:
    """In the order of reading as far as the page tells it."""
    text_page = page.get_textpage()
    try:
        text = text_page.get_text_range().replace("\x02", DIVIDED)
        if len(text) != text_page.count_chars():
            return _without_places(text)
        letters = _Letters(text_page, page)
        return [fragment for line in _lines(text) for fragment in letters.split(text, *line)]
    finally:
        text_page.close()


def _lines(text: str) -> Iterator[tuple[int, int]]:
    for match in _LINE.finditer(text):
        yield match.start(), match.end()


def _without_places(text: str) -> list[Fragment]:
    """Where letters and places cannot be matched: lines of one size, one under the other."""
    lines = [line.strip() for line in re.split(r"[\r\n]+", text)]
    return [
        Fragment(line, 0, -12.0 * at, 6.0 * len(line), 10 - 12.0 * at, 10, False)
        for at, line in enumerate(lines)
        if line
    ]


class _Letters:
    """Asks PDFium for boxes and fonts."""

    def __init__(self, text_page: pdfium.PdfTextPage, page: pdfium.PdfPage) -> None:
        self._page = text_page.raw
        self._seen = PageFrame.of(page).seen
        self._box = tuple(ctypes.c_double() for _ in range(4))

    def split(self, text: str, start: int, end: int) -> Iterator[Fragment]:
        """The fragments of a line. Most lines are one, and that is seen without looking at every word."""
        words = text[start:end].split()
        if not words:
            return
        first = text.index(words[0], start)
        size = pdfium_c.FPDFText_GetFontSize(self._page, first)
        boxes = self._boxes(start, end)
        if size <= 2 or not boxes or _has_gap(boxes, size, end - start):
            yield from self._split_words(text, start, end)
            return
        left, bottom, right, top = zip(*boxes, strict=True)
        box = (min(left), min(bottom), max(right), max(top))
        said = self._with_raised(text, start, end)
        yield Fragment(_shorten(" ".join(said.split())), *box, size, self._is_bold(first))

    def _with_raised(self, text: str, start: int, end: int) -> str:
        """Numbers in small letters apart: "leave¹" is no word and 10⁶ is not 106."""
        said = text[start:end]
        for match in reversed(list(_RAISED.finditer(said))):
            at = match.end()
            while at > match.start() + 1 and self._is_raised(start + at - 1, start + match.start()):
                at -= 1
            if at < match.end():
                said = said[:at] + _raise(said[at - 1], said[at : match.end()]) + said[match.end() :]
        return said

    def _is_raised(self, letter: int, before: int) -> bool:
        size, usual = (pdfium_c.FPDFText_GetFontSize(self._page, at) for at in (letter, before))
        higher = self._place(letter)[1] - self._place(before)[1]
        return bool(size < SMALL * usual or higher > RAISED * usual)

    def _boxes(self, start: int, end: int) -> list[Box]:
        """One around each stretch of a line that was drawn at once."""
        left, top, right, bottom = self._box
        found = []
        for at in range(min(pdfium_c.FPDFText_CountRects(self._page, start, end - start), MOST_BOXES)):
            pdfium_c.FPDFText_GetRect(self._page, at, left, top, right, bottom)
            found.append(self._seen(left.value, bottom.value, right.value, top.value))
        return found

    def _split_words(self, text: str, start: int, end: int) -> Iterator[Fragment]:
        words = [(match.start() + start, match.end() + start) for match in _WORD.finditer(text[start:end])]
        size = pdfium_c.FPDFText_GetFontSize(self._page, words[0][0]) if words else 0.0
        held: list[Fragment] = []
        begin = start
        for first, last in words:
            word = self._word(self._with_raised(text, first, last), first, last - 1, size)
            if held and word.left - held[-1].right > WIDE_GAP * word.size:
                yield _join(held, self._is_bold(begin))
                held = []
            begin = begin if held else first
            held.append(word)
        if held:
            yield _join(held, self._is_bold(begin))

    def _word(self, text: str, first: int, last: int, size: float) -> Fragment:
        left, bottom, right, top = self._place(first)
        if last > first:
            _, low, right, high = self._place(last)
            bottom, top = min(bottom, low), max(top, high)
        # The size of the font says nothing where the page is drawn to another scale.
        size = size if size > 2 else max(top - bottom, 1.0) * 1.3
        return Fragment(text, left, bottom, right, top, size, False)

    def _place(self, letter: int) -> Box:
        left, right, bottom, top = self._box
        pdfium_c.FPDFText_GetCharBox(self._page, letter, left, right, bottom, top)
        return self._seen(left.value, bottom.value, right.value, top.value)

    def _is_bold(self, letter: int) -> bool:
        name, flags = ctypes.create_string_buffer(100), ctypes.c_int()
        pdfium_c.FPDFText_GetFontInfo(self._page, letter, name, 100, flags)
        return bool(_BOLD.search(name.value))


def _raise(before: str, number: str) -> str:
    """A power behind a digit, the mark of a footnote behind a word."""
    return f"^{number}" if before.isdigit() else f" ({number})"


def _has_gap(boxes: list[Box], size: float, letters: int) -> bool:
    """Whether there is a wide gap between two boxes; or within one, which is then wide for its letters."""
    ordered = sorted(boxes)
    if any(after[0] - box[2] > WIDE_GAP * size for box, after in pairwise(ordered)):
        return True
    return ordered[-1][2] - ordered[0][0] > 0.75 * size * letters


def _shorten(text: str) -> str:
    """Without the dots that lead the eye to a page number."""
    return _LEADER.sub(LEADER, text) if "..." in text or ". ." in text else text


def _join(words: list[Fragment], bold: bool) -> Fragment:
    return replace(
        words[0],
        text=_shorten(" ".join(word.text for word in words)),
        right=max(word.right for word in words),
        bottom=min(word.bottom for word in words),
        top=max(word.top for word in words),
        bold=bold,
    )
