"""How many values of made invoices are right, marked, or wrong and unmarked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.core.values import Scope
from bot.fields.extraction import FieldModel, extract
from bot.fields.patterns import Learned
from bot.fields.values import Value
from tests.bench.fields.erring_reader import ErringReader
from tests.bench.fields.invoices import FORM, MadeInvoice

SCOPE = Scope("T", "C", "U", "D", "fields")


@dataclass(slots=True)
class FieldFigures:
    """Counts of values; `wrong`: unmarked ones, in words."""

    right: int = 0
    marked: int = 0
    marked_in_honest: int = 0
    traps_marked: int = 0
    traps: int = 0
    wrong: list[str] = field(default_factory=list)


async def measure(invoices: Iterable[MadeInvoice], *, seed: int, errs: float) -> FieldFigures:
    """Reads each with a model that errs."""
    figures, reader = FieldFigures(), ErringReader(seed, errs=errs)
    for made in invoices:
        reader.made = made
        values = await extract(FORM, made.piece(), Learned(), asked=FieldModel(reader, SCOPE, ""))
        for value in values:
            _count(figures, made, value)
    return figures


def _count(figures: FieldFigures, made: MadeInvoice, value: Value) -> None:
    trapped = made.marked == value.field
    figures.traps += trapped
    if value.state != "ok":
        figures.marked += 1
        figures.traps_marked += trapped
        figures.marked_in_honest += not made.trap
    elif trapped or value.value != made.truth[value.field]:
        what = f"{made.layout} {made.language} {made.trap or 'honest'}: {value.field} {value.value!r}"
        figures.wrong.append(f"{what} for {made.truth[value.field]!r} ({value.quote!r})")
    else:
        figures.right += 1
