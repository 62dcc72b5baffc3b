"""Reads PDF: text in reading order under its headings, tables as rows, page by page."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, BinaryIO

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from bot.core.limited_child import FileRefused
from bot.documents.found_text import FoundText
from bot.documents.outline import Outline
from bot.documents.packages import DAMAGED, LOCKED
from bot.documents.pdf_layout import lay_out
from bot.documents.pdf_lines import Fragment, read_fragments
from bot.documents.scans import Recogniser

SAMPLE_PAGES = 8
MARGIN = 0.065  # of the page's height
LEAST_TEXT = 20  # characters; a page of fewer that holds a picture is a scan
_DIGITS = re.compile(r"\d+")
_PAGE_NUMBER = re.compile(
    r"\W*(page|seite|p\.|s\.)?\W*\d{1,4}(\W*(of|von|/|de|sur)\W*\d{1,4})?\W*", re.IGNORECASE
)


def read_pdf(source: BinaryIO, orders: dict[str, Any], found: FoundText) -> None:
    """Pages from `orders["first_page"]` on, each said as soon as it is read."""
    document = _open(source)
    found.pages = len(document)
    found.title = document.get_metadata_value("Title")
    last = min(len(document), orders["pages"])
    reader = _Reader(document, orders, found)
    for number in range(orders["first_page"], last + 1):
        if number not in orders["left_out"]:
            found.begin_page(number, len(document))
            reader.read(number)
        found.progress(number, len(document))
    reader.outline.finish()
    if last < len(document):
        found.skip(last + 1, f"I read {last} pages at most")


def _open(source: BinaryIO) -> pdfium.PdfDocument:
    try:
        document = pdfium.PdfDocument(source)
        if not len(document):
            raise FileRefused("there is no page in it")
    except pdfium.PdfiumError as exc:
        locked = exc.err_code in (pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY)
        raise FileRefused(LOCKED if locked else DAMAGED) from exc
    return document


class _Reader:
    """Reads one page after the other."""

    def __init__(self, document: pdfium.PdfDocument, orders: dict[str, Any], found: FoundText) -> None:
        self._document = document
        self._recogniser = Recogniser(orders)
        self._usual = Usual(document, orders["left_out"], found)
        self.outline = Outline(found)

    def read(self, number: int) -> None:
        self.outline.move(page=number, place=_place(self._document, number))
        try:
            page = self._document[number - 1]
            try:
                self._read(page, number)
            finally:
                page.close()
        except pdfium.PdfiumError:
            self.outline.found.skip(number, DAMAGED)
        self.outline.flush()

    def _read(self, page: pdfium.PdfPage, number: int) -> None:
        fragments = self._usual.without_edges(read_fragments(page), page.get_height())
        if sum(map(len, (one.text for one in fragments))) < LEAST_TEXT and self._recogniser.is_picture(page):
            text, problem = self._recogniser.read(page)
            self.outline.hold(text)
            if problem:
                self.outline.found.skip(number, problem)
            return
        for block in lay_out(fragments, self._usual.size):
            if block.rows:
                self.outline.add_table(block.rows)
            elif block.level:
                self.outline.enter(block.level, block.text)
            else:
                self.outline.hold(block.text, joined=block.joined)


def _place(document: pdfium.PdfDocument, number: int) -> str:
    """As the reader of the file sees it, and as the page itself is numbered where that differs."""
    label = (document.get_page_label(number - 1) or "").strip()[:20]
    return f"page {number} (numbered {label})" if label and label != str(number) else f"page {number}"


class Usual:
    """What most pages have in common: the size of their letters, and what stands at their edges."""

    def __init__(self, document: pdfium.PdfDocument, left_out: list[int], found: FoundText) -> None:
        sizes: Counter[float] = Counter()
        edges: Counter[str] = Counter()
        step = max(len(document) // SAMPLE_PAGES, 1)
        sampled = range(0, len(document), step)[:SAMPLE_PAGES]
        for index in sampled:
            if index + 1 in left_out:
                continue
            found.begin_page(index + 1, len(document))
            fragments, height = _sample(document, index)
            for one in fragments:
                sizes[round(one.size, 1)] += len(one.text)
            edges.update(set(map(_edge_key, _at_edges(fragments, height))))
        self.size = sizes.most_common(1)[0][0] if sizes else 10.0
        least = max(3, (len(sampled) + 1) // 2)
        self._edges = {key for key, times in edges.items() if times >= least}

    def without_edges(self, fragments: list[Fragment], height: float) -> list[Fragment]:
        """Without headers, footers and page numbers."""
        dropped = {
            id(one)
            for one in _at_edges(fragments, height)
            if _edge_key(one) in self._edges
            or (_PAGE_NUMBER.fullmatch(one.text) and _is_alone(one, fragments))
        }
        return [one for one in fragments if id(one) not in dropped]


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


def _at_edges(fragments: list[Fragment], height: float) -> list[Fragment]:
    """What stands in the margins at the top and the bottom."""
    margin = height * MARGIN
    return [one for one in fragments if not margin < one.middle < height - margin]


def _edge_key(fragment: Fragment) -> str:
    return f"{_DIGITS.sub('#', fragment.text)}@{round(fragment.middle / 4)}"


def _is_alone(fragment: Fragment, fragments: list[Fragment]) -> bool:
    """Nothing stands beside it, and it is the lowest or the highest on the page."""
    others = [one for one in fragments if one is not fragment]
    below = all(one.bottom > fragment.top for one in others)
    return bool(others) and (below or all(one.top < fragment.bottom for one in others))
