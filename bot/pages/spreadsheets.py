"""CSV for spreadsheets, in which no text of a person's is taken for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

KIND = "text/csv; charset=utf-8"
# A spreadsheet takes a cell that begins like this for a formula. The last four are the full-width forms.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
UNSEEN = " \xa0\u200b\u2060\ufeff"  # before it, perhaps
UNSEEN_QUOTES = UNSEEN + '"'
# Where the list separator is no comma, a cell begins behind each of these, with quotes around it or without.
_INNER_CELL = re.compile(rf"""([;\t\r\n])(?=["'{UNSEEN}]*[=+\-@＝＋－＠])""")

Cell = str | int | float | Decimal | None


def as_csv(titles: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """RFC 4180, numbers exact. Text that a spreadsheet would compute begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([defuse(title) for title in titles])
    writer.writerows([defuse(cell) for cell in row] for row in rows)
    return out.getvalue()


def defuse(value: Cell) -> str:
    """A cell as it is written; None is an empty one."""
    if value is None:
        return ""
    if isinstance(value, str):
        shown = _INNER_CELL.sub(r"\1'", value)
        begins = value.startswith(FORMULA) or value.strip(UNSEEN_QUOTES).startswith(FORMULA)
        return f"'{shown}" if begins else shown
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
