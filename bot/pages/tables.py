"""Tables on web pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, slots=True)
class Column:
    """The title of a column; names stand on the left, figures on the right."""

    title: str
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """Text that leads elsewhere, if that is an address of the web; else it is text alone."""

    text: str
    url: str

    @property
    def is_safe(self) -> bool:
        return self.url.startswith(("https://", "http://"))


Shown = str | Link


def table(columns: Sequence[Column], rows: Iterable[Sequence[Shown]], *, total: Sequence[Shown] = ()) -> str:
    """Rows of text under their columns, and the line of totals below where there is one."""
    head = "".join(f"<th{_class(column)}>{escape(column.title)}</th>" for column in columns)
    body = "".join(_row(columns, row) for row in rows)
    foot = f"<tfoot>{_row(columns, total)}</tfoot>" if total else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>{foot}</table>"


def _row(columns: Sequence[Column], cells: Sequence[Shown]) -> str:
    pairs = zip(columns, cells, strict=True)
    return f"<tr>{''.join(f'<td{_class(column)}>{_cell(cell)}</td>' for column, cell in pairs)}</tr>"


def _cell(cell: Shown) -> str:
    if isinstance(cell, Link) and cell.is_safe:
        return f'<a href="{escape(cell.url)}" rel="noreferrer">{escape(cell.text)}</a>'
    return escape(cell.text if isinstance(cell, Link) else cell)


def _class(column: Column) -> str:
    return ' class="name"' if column.is_name else ""
