"""Runs in a limited process: tells what a file is and reads it with the reader of its kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO

from bot.core.limited_child import FileRefused, write_line
from bot.documents import other_formats, pdf, plain, slides, word, workbook
from bot.documents.delimited import looks_delimited, read_delimited
from bot.documents.encodings import decode
from bot.documents.file_types import OTHER_FORMATS, detect_type
from bot.documents.found_text import Enough, FoundText
from bot.documents.packages import DAMAGED, UNREADABLE, Package
from bot.documents.web import read_html


def main(orders: dict[str, Any], source: BinaryIO) -> None:
    read(orders, source, write_line)


def read(orders: dict[str, Any], source: BinaryIO, write: Callable[..., None]) -> None:
    """Says what it finds, in the end of what document it was. FileRefused."""
    found = FoundText(write, characters=orders["characters"])
    cut = False
    try:
        read_file(source, orders, found)
    except Enough:
        cut = True
    found.finish(cut=cut)


def read_file(source: BinaryIO, orders: dict[str, Any], found: FoundText) -> None:
    """FileRefused, Enough."""
    kind = found.kind = detect_type(source, orders["name"])
    if kind == "pdf":
        pdf.read_pdf(source, orders, found)
    elif kind in ("docx", "pptx", "xlsx"):
        _read_package(kind, source, orders, found)
    elif kind in OTHER_FORMATS:
        other_formats.read_other(kind, source, found)
    else:
        source.seek(0)
        _read_text(kind, decode(source.read()) or "", found)


def _read_package(kind: str, source: BinaryIO, orders: dict[str, Any], found: FoundText) -> None:
    try:
        package = Package(source, unpacked_bytes=orders["unpacked_bytes"])
        if kind == "docx":
            word.read_word(package, found)
        elif kind == "pptx":
            slides.read_slides(package, found, most=orders["pages"])
        else:
            workbook.read_workbook(package, found)
    except UNREADABLE as exc:
        raise FileRefused(DAMAGED) from exc


def _read_text(kind: str, text: str, found: FoundText) -> None:
    if kind == "text" and looks_delimited(text):
        kind = found.kind = "csv"
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if kind == "html":
        read_html(text, found)
    elif kind == "markdown":
        plain.read_markdown(text, found)
    elif kind == "csv":
        read_delimited(text, found)
    elif kind == "notebook":
        plain.read_notebook(text, found)
    elif kind == "code":
        plain.read_code(text, found)
    else:
        plain.read_text(text, found)
