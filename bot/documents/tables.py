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
MOST_ABOVE = 10  # rows of a title or of what the table is about
MOST_HEADERS = 2
_EMPTY = re.compile(r"(?:(?:^| )\| ){12,}")  # so many empty cells in a row that nobody counts them
_PERIOD = re.compile(r"(19|20)\d\d(-\d\d){0,2}|\d{1,2}\.\d{1,2}\.(\d\d(\d\d)?)?|Q[1-4]([ /]?\d{2,4})?")
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
        above, header, rows = take_header(rows)
        if above:
            yield above[0][0], above[-1][0], Section("\n".join(line_of(row) for _, row in above))
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


def take_header(rows: Iterator[NumberedRow]) -> tuple[list[NumberedRow], Row, Iterator[NumberedRow]]:
    """What stands above a table, the names of its columns if it has any, and the rows under them."""
    begin = list(islice(rows, MOST_ABOVE + MOST_HEADERS + 1))
    cells = [row for _, row in begin]
    widest = max(map(_filled, cells), default=0)
    for start in range(min(len(begin), MOST_ABOVE + 1)):
        depth = header_depth(cells[start:]) if _filled(cells[start]) * 2 >= widest else 0
        if depth:
            header = join_headers(cells[start : start + depth])
            return begin[:start], header, chain(begin[start + depth :], rows)
        if _filled(cells[start]) == widest:
            break
    return [], (), chain(begin, rows)


def header_depth(rows: Sequence[Row]) -> int:
    """How many of the first rows name the columns. A name over several columns has one for each under it."""
    if len(rows) < 2 or not looks_like_header(rows[0], rows[1]):
        return 0
    deep = len(rows) > MOST_HEADERS and _spans(rows[0], rows[1]) and looks_like_header(rows[1], rows[2])
    return MOST_HEADERS if deep and any(map(is_value, rows[2])) else 1


def join_headers(rows: Sequence[Row]) -> Row:
    """One name for each column: "Price net" of "Price" and "net" under it."""
    joined = list(rows[0])
    for row in rows[1:]:
        joined += [""] * (len(row) - len(joined))
        over = ""
        for at, upper in enumerate(joined):
            lower = row[at].strip() if at < len(row) else ""
            over = upper.strip() or (over if lower else "")
            joined[at] = over if not lower or lower == over else f"{over} {lower}".strip()
    return joined


def _spans(row: Row, below: Row) -> bool:
    """Whether a cell of a row goes over several columns, each of which has a name of its own below."""
    return any(
        name.strip() and at and (at >= len(row) or not row[at].strip() or row[at] == row[at - 1])
        for at, name in enumerate(below)
    )


def _filled(row: Row) -> int:
    return sum(1 for cell in row if cell.strip())


def line_of(row: Row) -> str:
    """The cells of a row between bars, without the empty ones at its end."""
    cells = [" ".join(cell[:CELL_CHARACTERS].split()) for cell in row]
    while cells and not cells[-1]:
        cells.pop()
    return _EMPTY.sub(" | … | ", " | ".join(cells)).strip()


def looks_like_header(row: Row, below: Row) -> bool:
    """Whether a first row names the columns: words all along, or years; no other number among them."""
    cells = [cell.strip() for cell in row]
    named = [cell for cell in cells if cell]
    if len(named) < 2 or len(named) * 2 < _filled(below) or any(len(cell) > 120 for cell in named):
        return False
    return _names_periods(cells, below) or (
        not any(map(is_value, named)) and len(set(named)) * 2 > len(named)
    )


def _names_periods(cells: Row, below: Row) -> bool:
    """Years or days along the top, and something else under them."""
    periods = {at for at, cell in enumerate(cells) if at and _PERIOD.fullmatch(cell)}
    others = [cell for at, cell in enumerate(cells) if at not in periods]
    under = [below[at].strip() for at in periods if at < len(below)]
    return len(periods) > 1 and not any(map(is_value, others)) and not any(map(_PERIOD.fullmatch, under))


def is_value(cell: str) -> bool:
    """A number, date, time, sum of money or share."""
    return bool(_VALUE.fullmatch(cell))
