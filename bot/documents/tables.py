"""Rows of a table as lines that are found and read alone: cells between bars, the header kept with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice

from bot.documents.values import Section

Row = Sequence[str]
NumberedRow = tuple[int, Row]
TABLE_CHARACTERS = 900  # of rows in one section: about one chunk
CELL_CHARACTERS = 8_000
_EMPTY = re.compile(r"(?:(?:^| )\| ){12,}")  # so many empty cells in a row that nobody counts them
_VALUE = re.compile(r"[^\w]*[\d.,:/%\s€$£¥+()-]*\d[\d.,:/%\s€$£¥+()-]*\W*")


def table_sections(
    rows: Iterable[Row], *, heading: str = "", page: int = 0, place: str = "", header: Row | None = None
) -> Iterator[Section]:
    """Sections of about a chunk each. Without a header, the first row is it where it looks like one."""
    for _, _, section in pack_rows(enumerate(rows), header=header):
        yield replace(section, place=place, heading=heading, page=page)


def numbered_sections(
    rows: Iterable[NumberedRow], *, place: str = "", header: Row | None = None
) -> Iterator[Section]:
    """The same of rows whose numbers a person sees, which the places tell."""
    for first, last, section in pack_rows(rows, header=header):
        yield replace(section, place=rows_place(place, first, last))


def rows_place(place: str, first: int, last: int) -> str:
    rows = f"row {first}" if first == last else f"rows {first}–{last}"
    return f"{place}, {rows}" if place else rows


def pack_rows(
    rows: Iterable[NumberedRow], *, header: Row | None = None
) -> Iterator[tuple[int, int, Section]]:
    """Number of the first and the last row of each section, and the section."""
    rows = (one for one in rows if any(map(str.strip, one[1])))
    if header is None:
        header, rows = _take_header(rows)
    title = line_of(header)
    lines: list[str] = []
    first = last = size = 0
    for number, row in rows:
        line = line_of(row)
        if lines and size + len(line) + len(title) > TABLE_CHARACTERS:
            yield first, last, Section("\n".join(lines), table_header=title)
            lines, size = [], 0
        first = first if lines else number
        last = number
        lines.append(line)
        size += len(line)
    if lines:
        yield first, last, Section("\n".join(lines), table_header=title)


def _take_header(rows: Iterator[NumberedRow]) -> tuple[Row, Iterator[NumberedRow]]:
    """The row that names the columns, if there is one, and the rows under it."""
    begin = list(islice(rows, 2))
    if len(begin) == 2 and looks_like_header(begin[0][1], begin[1][1]):
        return begin[0][1], chain(begin[1:], rows)
    return (), chain(begin, rows)


def line_of(row: Row) -> str:
    """The cells of a row between bars, without the empty ones at its end."""
    cells = [" ".join(cell[:CELL_CHARACTERS].split()) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return _EMPTY.sub(" | … | ", " | ".join(cells)).strip()


def looks_like_header(row: Row, below: Row) -> bool:
    """Whether a first row names the columns: words all along, none of them a number or a date."""
    cells = [cell.strip() for cell in row]
    named = [cell for cell in cells if cell]
    if len(named) < 2 or len(named) * 2 < len([cell for cell in below if cell.strip()]):
        return False
    return all(not is_value(cell) and len(cell) <= 120 for cell in named) and len(set(named)) * 2 > len(named)


def is_value(cell: str) -> bool:
    """A number, date, time, sum of money or share."""
    return bool(_VALUE.fullmatch(cell))
