"""The items of a bill: rows of a table under a head that speaks of quantities and prices.

Their amounts are none of its totals, and together they have to make what it says they make.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from bot.fields.amounts import list_numbers
from bot.fields.labels import is_item_head, split_cells
from bot.fields.roles import find_role

CENT = Decimal("0.01")
_MOST = 12  # numbers of a row that are multiplied with each other


@dataclass(frozen=True, slots=True)
class BillItem:
    """One row: the numbers in its cells, in order; the last one is what it comes to."""

    start: int  # of its line
    numbers: tuple[Decimal, ...]

    @property
    def amount(self) -> Decimal:
        return self.numbers[-1]

    @property
    def holds(self) -> bool:
        """Whether two of its numbers make the last one."""
        before = self.numbers[:-1][-_MOST:]
        products = [one * other for at, one in enumerate(before) for other in before[at + 1 :]]
        return not products or any(abs(product - self.amount) <= CENT for product in products)


def list_items(text: str, style: str = "") -> Iterator[BillItem]:
    """The items on a page."""
    cells, start = 0, 0
    for line in text.splitlines(keepends=True):
        here = split_cells(line)
        if is_item_head(line):
            cells = len(here)
        elif cells and (len(here) < cells or _is_total(here)):
            cells = cells if not line.strip() else 0
        elif cells:
            numbers = tuple(value for cell in here if (value := _read_cell(cell, style)) is not None)
            if len(numbers) > 1:
                yield BillItem(start, numbers)
        start += len(line)


def list_item_lines(text: str) -> set[int]:
    """Where the lines of items begin."""
    return {item.start for item in list_items(text)}


def _is_total(cells: list[str]) -> bool:
    named = [cell for cell in cells if find_role(cell, "money") in ("net", "tax", "total")]
    return bool(named) and sum(_read_cell(cell, "") is not None for cell in cells) < 2


def _read_cell(cell: str, style: str) -> Decimal | None:
    """The number that a cell holds and nothing else but a currency or a unit."""
    found = list(list_numbers(cell, style))
    if len(found) != 1:
        return None
    rest = cell[: found[0].start] + cell[found[0].end :]
    return found[0].values[0] if len(rest.strip()) <= 6 else None
