"""What has to add up in a bill: its items to the net sum, net sum and tax to the total."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from bot.fields.items import CENT, BillItem, list_items
from bot.fields.pieces import DocumentPiece
from bot.fields.readings import ReadValue
from bot.fields.roles import find_role
from bot.fields.style import WritingStyle

ITEMS_DIFFER = "The items add up to {made}, and the document says {said}."
ITEM_DIFFERS = "An item of {said} is not what its quantity and price make."
PARTS_DIFFER = "{parts} make {made}, and the document says {said}."


def find_contradiction(piece: DocumentPiece, sums: Sequence[ReadValue], style: WritingStyle) -> str:
    """What does not add up among the sums that a piece states, in a sentence; "" where all does, or where
    there is nothing to be added up."""
    by_role = dict[str, list[Decimal]]()
    for reading in sums:
        role = find_role(reading.label.words, "money")
        if role and reading.values:
            amount = Decimal(reading.values[0].split()[-1])
            if amount not in by_role.setdefault(role, []):
                by_role[role].append(amount)
    items = [item for page in piece.pages for item in list_items(page.text, style.decimal)]
    return _compare_items(items, by_role) or _compare_parts(by_role)


def _compare_items(items: Sequence[BillItem], by_role: dict[str, list[Decimal]]) -> str:
    if not items:
        return ""
    if wrong := next((item for item in items if not item.holds), None):
        return ITEM_DIFFERS.format(said=_show(wrong.amount))
    said = by_role.get("net") or by_role.get("total") or []
    said = [*said, sum(said, Decimal(0))] if by_role.get("net") else said  # one for each rate of tax
    made = sum((item.amount for item in items), Decimal(0))
    if not said or any(abs(each - may) <= CENT for each in said for may in _with_extras(made, by_role)):
        return ""
    gross = by_role.get("total", [])
    if not by_role.get("net") and any(
        abs(each - made - sum(by_role.get("tax", []))) <= CENT for each in gross
    ):
        return ""
    return ITEMS_DIFFER.format(made=_show(made), said=_show(said[0]))


def _compare_parts(by_role: dict[str, list[Decimal]]) -> str:
    nets, taxes, totals = (by_role.get(role, []) for role in ("net", "tax", "total"))
    if not nets or not taxes or len(totals) != 1:
        return ""
    made = sum(nets, Decimal(0)) + sum(
        taxes
    )  # one net sum for each rate of tax, or before and after a discount
    bases = [made, *(net + sum(taxes, Decimal(0)) for net in nets)]
    if any(abs(totals[0] - may) <= CENT for base in bases for may in _with_extras(base, by_role)):
        return ""
    return PARTS_DIFFER.format(
        parts=" and ".join(map(_show, [*nets, *taxes])), made=_show(made), said=_show(totals[0])
    )


def _with_extras(made: Decimal, by_role: dict[str, list[Decimal]]) -> list[Decimal]:
    """With and without what is taken off, and what sending costs."""
    off, sending = sum(map(abs, by_role.get("discount", []))), sum(by_role.get("shipping", []))
    return [made, made - off, made + sending, made - off + sending]


def _show(amount: Decimal) -> str:
    return f"{amount:,.2f}"
