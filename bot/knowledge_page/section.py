"""One section of the page: a table with what is drawn above it, shown as HTML or saved as CSV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from html import escape

from bot.pages.spreadsheets import Cell, as_csv
from bot.pages.tables import Column, Link, table

ROWS = 200  # more of them nobody reads on a page; the file has all


@dataclass(frozen=True, slots=True)
class KnowledgeSection:
    """`name` is what its file is called. `rows` hold what a file has; a Link is its text there. `above` is
    markup of ours: charts and filters; `nothing` is said where there are no rows."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell | Link]]
    nothing: str
    note: str = ""
    above: str = ""
    file: str = ""  # CSV where it has more than the rows shown

    @property
    def csv(self) -> bytes:
        """Its rows as a file, in which nothing is a formula."""
        if self.file:
            return self.file.encode()
        plain = ([cell.text if isinstance(cell, Link) else cell for cell in row] for row in self.rows)
        return as_csv([column.title for column in self.columns], plain).encode()

    def show(self, download: str) -> str:
        """Its markup. `download`: the address of its file."""
        return (
            f'<section id="{self.name}"><h2>{escape(self.title)}</h2>{self.above}'
            f"{_paragraph(self.note)}{self._show_rows(download)}</section>"
        )

    def _show_rows(self, download: str) -> str:
        if not self.rows:
            return _paragraph(self.nothing)
        shown = table(self.columns, ([_show(cell) for cell in row] for row in self.rows[:ROWS]))
        rest = len(self.rows) - ROWS
        more = _paragraph(f"And {rest:,} more, which the file has.") if rest > 0 else ""
        return (
            f'<div class="scroll" role="region" tabindex="0" aria-label="{escape(self.title)}">{shown}</div>'
            f'{more}<p class="tools"><a class="button" href="{escape(download)}">CSV'
            f'<span class="unseen"> of {escape(self.title)}</span></a></p>'
        )


def tell_day(at: float | None, zone: tzinfo) -> str:
    """The date of a moment (unix seconds) where the workspace lives; "" for none."""
    return datetime.fromtimestamp(at, zone).date().isoformat() if at is not None else ""


def _show(cell: Cell | Link) -> str | Link:
    if isinstance(cell, int):
        return f"{cell:,}"
    return cell if isinstance(cell, str | Link) else "" if cell is None else f"{cell}"


def _paragraph(text: str) -> str:
    return f'<p class="quiet">{escape(text)}</p>' if text else ""
