"""Reads PDF: text in reading order under its headings, tables as rows, page by page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, BinaryIO

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from bot.core.limited_child import FileRefused
from bot.documents.found_text import FoundText, honest_title
from bot.documents.outline import Outline
from bot.documents.packages import DAMAGED, LOCKED
from bot.documents.pdf_fields import with_fields
from bot.documents.pdf_layout import LayoutBlock, lay_out
from bot.documents.pdf_lines import read_fragments
from bot.documents.pdf_margins import UsualPage
from bot.documents.scans import Recogniser
from bot.documents.tables import header_depth, join_headers

LEAST_TEXT = 20  # characters; a page of fewer that holds a picture is a scan
# At the end of a bold line: what a bill comes to is no heading of what stands below, or on the next page.
_SUM = re.compile(r"(?:[€$£]|\b[A-Z]{3})\s?-?[\d.,'’]*\d[.,]\d\d$|\d[.,]\d\d\s?(?:[€$£]|[A-Z]{3})$")
MOST_OF_SCAN = 80  # characters of a stamp on a page that is one picture


def read_pdf(source: BinaryIO, orders: dict[str, Any], found: FoundText) -> None:
    """Pages from `orders["first_page"]` on, each said as soon as it is read."""
    document = _open(source)
    found.pages = len(document)
    found.title = honest_title(document.get_metadata_value("Title"))
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
        document.init_forms()
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
        self._usual = UsualPage(document, orders["left_out"], found)
        self.outline = Outline(found)
        self._header: tuple[str, ...] = ()  # of the table that the last page ended with

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
        fragments = with_fields(page, read_fragments(page))
        fragments = self._usual.without_margins(fragments, page.get_height(), number)
        own = " ".join(one.text for one in fragments)
        if len(own) < MOST_OF_SCAN and self._recogniser.is_picture(page, whole=len(own) >= LEAST_TEXT):
            text, problem = self._recogniser.read(page)
            self.outline.hold(own if not _holds(text, own) else "")
            self.outline.hold(text)
            if problem:
                self.outline.found.skip(number, problem)
            return
        self._add(list(lay_out(fragments, self._usual.size)))

    def _add(self, blocks: list[LayoutBlock]) -> None:
        before, self._header = self._header, ()
        for at, block in enumerate(blocks):
            if block.rows:
                self._header = self._add_table(block.rows, before if at == 0 else ())
                continue
            self._header = ()
            if block.level and not _SUM.search(block.text):
                self.outline.enter(block.level, block.text)
            else:
                self.outline.hold(block.text, joined=block.joined)

    def _add_table(self, rows: Sequence[tuple[str, ...]], before: tuple[str, ...]) -> tuple[str, ...]:
        """Its header; one that goes on from the page before has that one's."""
        depth = header_depth(rows)
        header = tuple(join_headers(rows[:depth])) if depth else ()
        if not depth and len(before) == max(map(len, rows)):
            header = before
        self.outline.add_table(rows[depth:], header=header or None)
        return header


def _holds(text: str, own: str) -> bool:
    """Whether nearly all words of a short text were recognised too."""
    words, found = own.lower().split(), set(text.lower().split())
    return sum(word in found for word in words) >= 0.7 * len(words)


def _place(document: pdfium.PdfDocument, number: int) -> str:
    """As the reader of the file sees it, and as the page itself is numbered where that differs."""
    label = (document.get_page_label(number - 1) or "").strip()[:20]
    return f"page {number} (numbered {label})" if label and label != str(number) else f"page {number}"
