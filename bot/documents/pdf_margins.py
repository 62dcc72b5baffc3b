"""What most pages of a PDF have in common: the size of their letters, and what stands in their margins."""

from __future__ import annotations

import re
from collections import Counter
from itertools import islice

import pypdfium2 as pdfium

from bot.documents.found_text import PAGE_NUMBER, FoundText
from bot.documents.pdf_lines import Fragment, read_fragments

SAMPLE_PAGES = 8
MARGIN = 0.12  # of the page's height
APART = 1.1  # of the size of the letters: between a margin and the text; rows of a table stand closer
_NUMBER = re.compile(r"\d{1,4}")
MOST_NUMBERS = 6  # in a margin
_WORDS = re.compile(r"[^\W\d_]{2}.*[^\W\d_]{2}")


class UsualPage:
    """Learned from some pages all over the document."""

    def __init__(self, document: pdfium.PdfDocument, left_out: list[int], found: FoundText) -> None:
        sizes: Counter[float] = Counter()
        edges: Counter[str] = Counter()
        sampled = range(0, len(document), max(len(document) // SAMPLE_PAGES, 1))[:SAMPLE_PAGES]
        for index in sampled:
            if index + 1 in left_out:
                continue
            found.begin_page(index + 1, len(document))
            fragments, height = _sample(document, index)
            for one in fragments:
                sizes[round(one.size, 1)] += len(one.text)
            margins = [one for one in _in_margins(fragments, height) if _WORDS.search(one.text)]
            edges.update({key for one in margins for key in _edge_keys(one, index + 1)})
        self.size = sizes.most_common(1)[0][0] if sizes else 10.0
        least = max(2, (len(sampled) + 1) // 2)
        self._edges = {key for key, times in edges.items() if times >= least}
        self._told: set[str] = set()

    def without_margins(self, fragments: list[Fragment], height: float, number: int) -> list[Fragment]:
        """Without page numbers; what stands in the margins of most pages comes once, behind the text."""
        usual = [one for one in _in_margins(fragments, height) if self._keys_of(one, number)]
        others = [one for one in fragments if one not in usual]
        dropped = {id(one) for one in usual if self._is_told(one, number)}
        dropped |= {
            id(one)
            for one in _in_margins(others, height)
            if PAGE_NUMBER.fullmatch(one.text) and _is_alone(one, others)
        }
        told = [one for one in usual if id(one) not in dropped]
        return [one for one in others if id(one) not in dropped] + told

    def _is_told(self, margin: Fragment, number: int) -> bool:
        keys = self._keys_of(margin, number)
        told = not self._told.isdisjoint(keys)
        self._told.update(keys)
        return told

    def _keys_of(self, margin: Fragment, number: int) -> list[str]:
        """What it has in common with the margins of other pages."""
        literal, *numbered = _edge_keys(margin, number)
        # "Section 3" in large letters on page 3 is a heading, however regularly they come.
        keys = [literal] if margin.size > self.size * 1.12 else [literal, *numbered]
        return [key for key in keys if key in self._edges]


def _sample(document: pdfium.PdfDocument, index: int) -> tuple[list[Fragment], float]:
    """What stands on a page, and its height."""
    try:
        page = document[index]
        try:
            return read_fragments(page), page.get_height()
        finally:
            page.close()
    except pdfium.PdfiumError:
        return [], 0.0


def _in_margins(fragments: list[Fragment], height: float) -> list[Fragment]:
    """What stands at the top or bottom, apart from the text."""
    margin = height * MARGIN
    low = [one for one in fragments if one.middle < margin]
    high = [one for one in fragments if one.middle > height - margin]
    return [
        *(one for one in low if all(_gap(other, one) > APART * one.size for other in fragments)),
        *(one for one in high if all(_gap(one, other) > APART * one.size for other in fragments)),
    ]


def _gap(upper: Fragment, lower: Fragment) -> float:
    """Between one line and a lower one; as large as can be where it is not lower."""
    below = lower.middle < upper.middle - upper.size * 0.3
    return upper.bottom - lower.top if below else float("inf")


def _edge_keys(fragment: Fragment, number: int) -> list[str]:
    """The text as it stands; and for each number in it, with that as how far it is from the page's."""
    text, at = fragment.text, f"@{round(fragment.middle / 4)}"
    return [
        text + at,
        *(
            f"{text[: one.start()]}#{int(one[0]) - number}{text[one.end() :]}{at}"
            for one in islice(_NUMBER.finditer(text), MOST_NUMBERS)
        ),
    ]


def _is_alone(fragment: Fragment, fragments: list[Fragment]) -> bool:
    """Whether it is the lowest or the highest of a page, with nothing beside it."""
    others = [one for one in fragments if one is not fragment]
    lowest = all(one.bottom > fragment.top for one in others)
    return bool(others) and (lowest or all(one.top < fragment.bottom for one in others))
