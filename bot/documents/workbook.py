"""Reads XLSX: each sheet's rows with the header they stand under, values as they are shown.

Formulas are not computed: what was shown when the file was saved is read. A merged cell's text is in every
row that it covers. Hidden sheets are read like others and say so in their places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, groupby
from xml.etree.ElementTree import Element

from bot.core.limited_child import FileRefused
from bot.documents.found_text import FoundText, honest_title
from bot.documents.number_formats import BUILT_IN, show_number
from bot.documents.packages import DAMAGED, Package, child, local
from bot.documents.sheet_extras import (
    CELL,
    Area,
    add_text_boxes,
    column_of,
    look_through,
    plain_text,
    read_comments,
)
from bot.documents.tables import (
    NumberedRow,
    Row,
    line_of,
    numbered_sections,
    rows_place,
    take_header,
)
from bot.documents.values import UNDER, Section

MAIN = "xl/workbook.xml"
MOST_COLUMNS = 1_000
MOST_STRINGS = 40_000_000  # characters of all that cells share
LONGEST_HEADING = 120
MOST_TITLES = 10  # rows of one cell above a table
REPORT_ROWS = 5_000
UNSAVED = "formulas were saved without their values; open and save it in a spreadsheet program, then share it"
_CELL = re.compile(r"([A-Z]{1,3})([1-9]\d{0,6})")


def read_workbook(package: Package, found: FoundText) -> None:
    if MAIN not in package.names:
        raise FileRefused(DAMAGED)
    found.title = honest_title(package.title())
    book = _Book.open(package)
    sheets = list(_sheets(package))
    for number, (name, part, hidden) in enumerate(sheets, 1):
        if hidden:
            found.note(f"its sheet “{name}” is hidden; it was read too")
        _read_sheet(package, part, f"{name} (hidden sheet)" if hidden else name, book, found)
        found.progress(number, len(sheets))


def _sheets(package: Package) -> Iterator[tuple[str, str, bool]]:
    """Name, part, and whether it is hidden."""
    relations = package.relations(MAIN)
    for sheet in package.elements(MAIN, frozenset({"sheet"})):
        kind, part = relations.get(next((v for k, v in sheet.items() if k.endswith("}id")), ""), ("", ""))
        if kind == "worksheet" and part in package.names:
            yield sheet.get("name", ""), part, sheet.get("state", "visible") != "visible"


@dataclass(frozen=True, slots=True)
class _Book:
    """What the cells of all sheets refer to."""

    strings: list[str]
    formats: list[str]  # of each style
    from_1904: bool
    comments: Mapping[str, str] = field(default_factory=dict)  # of the sheet that is read, by cell

    @classmethod
    def open(cls, package: Package) -> _Book:
        old = any(
            one.get("date1904") in ("1", "true") for one in package.elements(MAIN, frozenset({"workbookPr"}))
        )
        return cls(list(_strings(package)), _formats(package), old)

    def show(self, cell: Element) -> str:
        """The text of a cell, as a person sees it."""
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            return plain_text(child(cell, "is"))[:CELL]
        value = (found.text or "") if (found := child(cell, "v")) is not None else ""
        if kind == "s":
            return self.strings[int(value)] if value.isdigit() and int(value) < len(self.strings) else ""
        if kind == "b":
            return "TRUE" if value == "1" else "FALSE"
        if kind in ("str", "e", "d") or not value:
            return value[:CELL]
        style = cell.get("s", "0")
        code = self.formats[int(style)] if style.isdigit() and int(style) < len(self.formats) else ""
        return show_number(value[:40], code, from_1904=self.from_1904)


def _strings(package: Package) -> Iterator[str]:
    left = MOST_STRINGS
    for one in package.elements("xl/sharedStrings.xml", frozenset({"si"})):
        text = plain_text(one)[:CELL]
        left -= len(text)
        if left < 0:
            raise FileRefused("it holds more text than I read")
        yield text


def _formats(package: Package) -> list[str]:
    codes = dict(BUILT_IN)
    styles: list[str] = []
    for one in package.elements("xl/styles.xml", frozenset({"numFmt", "cellXfs"})):
        if local(one.tag) == "numFmt":
            number = one.get("numFmtId", "")
            codes |= {int(number): one.get("formatCode", "")[:200]} if number.isdigit() else {}
        else:
            numbers = [style.get("numFmtId", "0") for style in one]
            styles = [codes.get(int(number), "") if number.isdigit() else "" for number in numbers]
    return styles


def _read_sheet(package: Package, part: str, place: str, book: _Book, found: FoundText) -> None:
    """Tables stand apart by empty rows. One without a row of names goes on under those above it."""
    header: Row = ()
    heading = ""
    looked, relations = look_through(package, part), package.relations(part)
    if looked.hidden:
        found.note(f"its sheet “{place}” has hidden rows or columns; they were read too")
    if looked.unsaved:
        found.note(f"in its sheet “{place}” {UNSAVED}")
    rows = _rows(package, part, replace(book, comments=read_comments(package, relations)), looked.merged)
    for _, table in groupby(_tables(rows), key=lambda one: one[0]):
        titles, body = _split_titles(one[1:] for one in table)
        if titles:
            heading = line_of(titles[-1][1])[:LONGEST_HEADING]
            found.add(
                "\n".join(line_of(row) for _, row in titles),
                heading=place,
                place=rows_place(place, titles[0][0], titles[-1][0]),
            )
        above, names, body = take_header(body)
        header = names or (() if titles else header)
        found.add_all(_under(numbered_sections(above, place=place, header=()), place, heading))
        numbered = _reporting(body, found)
        found.add_all(_under(numbered_sections(numbered, place=place, header=header), place, heading))
    add_text_boxes(package, relations, place, found)


def _under(sections: Iterable[Section], sheet: str, heading: str) -> Iterator[Section]:
    for section in sections:
        yield replace(section, heading=f"{sheet}{UNDER}{heading}" if heading else sheet)


def _tables(rows: Iterable[NumberedRow]) -> Iterator[tuple[int, int, Row]]:
    """Each row with the number of its table."""
    table = before = 0
    for number, row in rows:
        table += number > before + 1
        before = number
        yield table, number, row


def _split_titles(rows: Iterator[NumberedRow]) -> tuple[list[NumberedRow], Iterator[NumberedRow]]:
    """The rows of one cell above a table, and the rest."""
    titles: list[NumberedRow] = []
    for number, row in rows:
        if sum(1 for cell in row if cell.strip()) > 1 or len(titles) == MOST_TITLES:
            return titles, chain([(number, row)], rows)
        titles.append((number, row))
    return titles, iter(())


def _reporting(rows: Iterable[NumberedRow], found: FoundText) -> Iterator[NumberedRow]:
    for at, row in enumerate(rows, 1):
        if at % REPORT_ROWS == 0:
            found.progress(0, 0)
        yield row


def _rows(package: Package, part: str, book: _Book, merged: list[Area]) -> Iterator[NumberedRow]:
    """Rows that hold something, with their numbers."""
    number = 0
    waiting = sorted(merged, reverse=True)
    active: list[tuple[Area, str]] = []
    for row in package.elements(part, frozenset({"row"})):
        number = int(given) if (given := row.get("r", "")).isdigit() and len(given) < 9 else number + 1
        cells = _cells(row, book)
        active = [(area, text) for area, text in active if area[2] >= number]
        while waiting and waiting[-1][0] <= number:
            area = waiting.pop()
            if area[0] == number and area[2] > number:
                active.append((area, cells.get(area[1], "")))
        for area, text in active:
            cells[area[1]] = cells.get(area[1]) or text
        if any(cells.values()):
            yield number, [cells.get(at, "") for at in range(1, max(cells) + 1)]


def _cells(row: Element, book: _Book) -> dict[int, str]:
    """Text by column, from 1."""
    found: dict[int, str] = {}
    column = 0
    for cell in row:
        if local(cell.tag) != "c":
            continue
        place = _CELL.fullmatch(cell.get("r", ""))
        column = column_of(place[1]) if place else column + 1
        text = book.show(cell)
        if note := book.comments.get(cell.get("r", "")):
            text = f"{text} [Note: {note}]".strip()
        if column <= MOST_COLUMNS and text:
            found[column] = text
    return found
