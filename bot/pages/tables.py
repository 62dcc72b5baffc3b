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


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]], *, total: Sequence[str] = ()) -> str:
    """Rows of text under their columns, and the line of totals below where there is one."""
    head = "".join(f"<th{_class(column)}>{escape(column.title)}</th>" for column in columns)
    body = "".join(_row(columns, row) for row in rows)
    foot = f"<tfoot>{_row(columns, total)}</tfoot>" if total else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>{foot}</table>"


def _row(columns: Sequence[Column], texts: Sequence[str]) -> str:
    cells = zip(columns, texts, strict=True)
    return f"<tr>{''.join(f'<td{_class(column)}>{escape(text)}</td>' for column, text in cells)}</tr>"


def _class(column: Column) -> str:
    return ' class="name"' if column.is_name else ""
