"""From the fragments of a page to paragraphs, headings and tables.

Fragments beside each other make a row of cells; several such rows under each other make a table, unless they
are prose in two columns that was drawn line by line.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bot.documents.pdf_lines import DIVIDED, LEADER, Fragment

MOST_CELL_LINES = 6  # a cell of more is a column of text
PROSE = 28  # characters on average in both of two columns: text, no table
PROSE_ROWS = 6
_BULLET = re.compile(r"([•◦▪●○–—*·‣-]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+\S")
_ENDS = re.compile(r"[.!?:;。！？]['\"”’)\]]*$")
_WIDE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")


@dataclass(slots=True)
class Cell:
    """Lines under each other."""

    lines: list[Fragment]

    @property
    def left(self) -> float:
        return min(line.left for line in self.lines)

    @property
    def right(self) -> float:
        return max(line.right for line in self.lines)

    @property
    def text(self) -> str:
        return join_lines([line.text for line in self.lines])


@dataclass(slots=True)
class LayoutRow:
    """Cells beside each other; of ordinary text there is one."""

    cells: list[Cell] = field(default_factory=list)

    @property
    def bottom(self) -> float:
        return min(line.bottom for cell in self.cells for line in cell.lines)

    @property
    def top(self) -> float:
        return max(line.top for cell in self.cells for line in cell.lines)


@dataclass(frozen=True, slots=True)
class LayoutBlock:
    """A paragraph, a heading, or a table."""

    text: str = ""
    level: float = 0.0  # of a heading: the larger its letters, the smaller; 0 of anything else
    rows: tuple[tuple[str, ...], ...] = ()
    joined: bool = False  # an item of a list, right under the one before it


def lay_out(fragments: Iterable[Fragment], body_size: float) -> Iterator[LayoutBlock]:
    """The blocks of a page in reading order. `body_size`: that of the letters of most text."""
    rows = _rows(fragments)
    at = 0
    while at < len(rows):
        end = _table_end(rows, at)
        if end > at:
            yield from _table(rows[at:end], body_size)
            at = end
        else:
            end = next((one for one in range(at + 1, len(rows)) if _table_end(rows, one) > one), len(rows))
            yield from _text([cell for row in rows[at:end] for cell in row.cells], body_size)
            at = end


def _rows(fragments: Iterable[Fragment]) -> list[LayoutRow]:
    rows: list[LayoutRow] = []
    for fragment in fragments:
        row = rows[-1] if rows else None
        if row and _is_beside(fragment, rows):
            row.cells.append(Cell([fragment]))
        elif row and (lines := _lines_beside(fragment, row)):
            # The text above a table had taken the first cell for its last line.
            del row.cells[0].lines[-len(lines) :]
            rows.append(LayoutRow([Cell(lines), Cell([fragment])]))
        elif row and _goes_on(fragment, row):
            row.cells[-1].lines.append(fragment)
        else:
            rows.append(LayoutRow([Cell([fragment])]))
    return rows


def _is_beside(fragment: Fragment, rows: list[LayoutRow]) -> bool:
    """Whether it is the next cell of the last row.

    It may begin higher: a cell is as high as the highest of its row, with its text at the bottom or the
    middle.
    """
    row = rows[-1]
    if fragment.left < row.cells[-1].right or any(len(one.lines) > MOST_CELL_LINES for one in row.cells):
        return False
    near = fragment.size * 0.3
    if fragment.middle < row.bottom - near:
        return False
    free = rows[-2].bottom if len(rows) > 1 else fragment.top
    return fragment.middle <= row.top + near or fragment.top - near <= min(free, row.top + 5 * fragment.size)


def _lines_beside(fragment: Fragment, row: LayoutRow) -> list[Fragment]:
    """The last lines of running text that end before a fragment at the level of the very last."""
    lines = row.cells[0].lines
    if len(row.cells) > 1 or abs(fragment.middle - lines[-1].middle) > fragment.size * 0.3:
        return []
    free = next((at for at in range(len(lines), 0, -1) if lines[at - 1].right > fragment.left), 0)
    return lines[max(free, len(lines) - MOST_CELL_LINES) :] if free or len(lines) > MOST_CELL_LINES else []


def _goes_on(fragment: Fragment, row: LayoutRow) -> bool:
    """Whether it is one more line of the last cell: right under it, and of the same size."""
    last = row.cells[-1].lines[-1]
    near = 0 < last.middle - fragment.middle < 1.75 * max(last.size, fragment.size)
    alike = abs(last.size - fragment.size) < 0.6 and last.bold == fragment.bold
    if len(row.cells) > 1:
        return near and alike and abs(fragment.left - row.cells[-1].left) < last.size
    return near and alike and fragment.left < last.right and fragment.right > last.left


def _table_end(rows: list[LayoutRow], start: int) -> int:
    """The end of the table that begins here; `start` where none does."""
    end, wide = start, 0
    while end < len(rows):
        row = rows[end]
        if end > start and not _is_under(rows[end - 1], row):
            break
        if len(row.cells) > 1:
            wide += 1
        elif not (wide and _is_row_of_one(rows, end)):
            break
        end += 1
    return end if wide > 1 or (wide and len(rows[start].cells) > 2) else start


def _is_under(above: LayoutRow, row: LayoutRow) -> bool:
    """Whether it is near enough; a cell over several rows may reach far below the one that it is drawn in."""
    gap = (above.bottom - row.top) / row.cells[0].lines[0].size
    return (-5 if len(row.cells) > 2 and len(above.cells) > 2 else -0.5) <= gap < 4


def _is_row_of_one(rows: list[LayoutRow], at: int) -> bool:
    """A row of which only one cell has text, within a table: the next one has several again."""
    (cell,) = rows[at].cells
    several = at + 1 < len(rows) and len(rows[at + 1].cells) > 1
    short = len(cell.lines) <= 2 and len(cell.text) < 60
    return several and short and cell.right < max(other.right for other in rows[at - 1].cells)


def _table(rows: list[LayoutRow], body_size: float) -> Iterator[LayoutBlock]:
    usual = Counter(len(row.cells) for row in rows if len(row.cells) > 1).most_common(1)[0][0]
    if usual == 2 and _is_prose(rows):
        for side in (0, 1):
            lines = [line for row in rows if len(row.cells) > side for line in row.cells[side].lines]
            yield from _text([Cell(lines)], body_size)
        return
    columns = _columns([row for row in rows if len(row.cells) == usual])
    yield LayoutBlock(rows=tuple(map(tuple, _whole_cells([_place(row, columns, usual) for row in rows]))))


def _is_prose(rows: list[LayoutRow]) -> bool:
    pairs = [row for row in rows if len(row.cells) == 2]
    if len(pairs) < PROSE_ROWS:
        return False
    return all(sum(len(row.cells[side].text) for row in pairs) > PROSE * len(pairs) for side in (0, 1))


def _columns(rows: list[LayoutRow]) -> list[tuple[float, float]]:
    """From where to where each column goes, by the rows that have all cells."""
    return [
        (min(row.cells[at].left for row in rows), max(row.cells[at].right for row in rows))
        for at in range(len(rows[0].cells))
    ]


def _place(row: LayoutRow, columns: list[tuple[float, float]], usual: int) -> list[str]:
    """The texts of a row, each in the column that it lies under."""
    if len(row.cells) >= usual:
        return [cell.text for cell in row.cells]
    placed = [""] * usual
    for cell in row.cells:
        at = _column_of(cell, columns)
        placed[at] = f"{placed[at]} {cell.text}".strip()
    return placed


def _column_of(cell: Cell, columns: list[tuple[float, float]]) -> int:
    """The column that most of a cell is over; the first of those between which it stands."""
    shared = [
        (min(cell.right, right) - max(cell.left, left)) / max(min(cell.right - cell.left, right - left), 1.0)
        for left, right in columns
    ]
    if max(shared) > 0.5:
        return shared.index(max(shared))
    return max((at for at, (left, _) in enumerate(columns) if left <= cell.left), default=0)


def _whole_cells(rows: list[list[str]]) -> list[list[str]]:
    """Rows without those that are only the rest of a cell above: one cell, that begins in small letters."""
    whole: list[list[str]] = []
    for row in rows:
        filled = [at for at, text in enumerate(row) if text]
        above = whole[-1] if whole else []
        if len(filled) == 1 and 0 < filled[0] < len(above) and above[filled[0]]:
            at = filled[0]
            if row[at][:1].islower():
                above[at] = join_lines([above[at], row[at]])
                continue
        whole.append(row)
    return whole


def _text(cells: list[Cell], body_size: float) -> Iterator[LayoutBlock]:
    """Paragraphs and headings. Lines of one cell lie close together."""
    lines = [(line, cell.right) for cell in cells for line in cell.lines]
    held: list[Fragment] = []
    for line, right in lines:
        if held and _begins_anew(held[-1], line, right, body_size):
            yield _block(held, body_size)
            held = []
        held.append(line)
    if held:
        yield _block(held, body_size)


def _begins_anew(before: Fragment, line: Fragment, right: float, body_size: float) -> bool:
    if _level(before, body_size) != _level(line, body_size) or LEADER in before.text:
        return True
    gap = before.bottom - line.top
    if gap > 0.9 * line.size or gap < -2.5 * line.size or _BULLET.match(line.text):
        return True
    ended_early = before.right < right - 8 * before.size and _ENDS.search(before.text)
    return bool(ended_early)


def _block(lines: list[Fragment], body_size: float) -> LayoutBlock:
    text = join_lines([line.text for line in lines])
    level = _level(lines[0], body_size)
    level = level if len(text) <= 160 and any(map(str.isalpha, text)) else 0.0
    return LayoutBlock(text, level, joined=bool(_BULLET.match(text)) or LEADER in text)


def _level(line: Fragment, body_size: float) -> float:
    """Below 0 for the line of a heading."""
    if LEADER in line.text:  # of a table of contents
        return 0.0
    if line.size > body_size * 1.12:
        return -round(line.size, 1)
    if (
        line.bold
        and line.size > body_size * 0.95
        and len(line.text) < 90
        and not line.text.endswith((".", ",", ";"))
    ):
        return -round(body_size, 1)
    return 0.0


def join_lines(lines: Iterable[str]) -> str:
    """One text of several lines, words that were divided at a line's end whole again."""
    joined = ""
    for line in lines:
        if joined.endswith(DIVIDED):
            joined = joined[:-1] + ("" if line[:1].islower() and not _has_hyphen(joined) else "-") + line
        elif _divided(joined, line):
            joined = (joined if _has_hyphen(joined[:-1]) else joined[:-1]) + line
        elif joined and _WIDE.match(joined[-1:]) and _WIDE.match(line[:1]):
            joined += line
        else:
            joined = f"{joined} {line}" if joined else line
    return joined.rstrip(DIVIDED)


def _has_hyphen(text: str) -> bool:
    """Whether the last word had one before its end: then the one at the line's end is its own, too."""
    words = text[-40:].split()
    return bool(words) and "-" in words[-1]


def _divided(before: str, after: str) -> bool:
    """Whether a hyphen stands where a word was divided: small letters around it."""
    return len(before) > 2 and before[-1] in "-‐" and before[-2].islower() and after[:1].islower()
