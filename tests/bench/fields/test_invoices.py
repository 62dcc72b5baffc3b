"""A few of the made invoices, read by a model that errs: every value is right, or marked."""

from __future__ import annotations

from tests.bench.fields.invoices import make_invoices
from tests.bench.fields.measuring import measure


async def test_every_value_is_right_or_marked_however_the_model_errs() -> None:
    invoices = list(make_invoices(24))
    assert {(one.layout, one.language) for one in invoices} == {
        (layout, language) for layout in ("letter", "columns", "tables") for language in ("en", "de")
    }
    found = await measure(invoices, seed=3, errs=0.5)
    assert found.wrong == []
    assert (found.traps_marked, found.traps) == (6, 6)
    assert found.right > found.marked


async def test_an_honest_reading_of_honest_invoices_bothers_nobody() -> None:
    found = await measure(list(make_invoices(12)), seed=3, errs=0.0)
    assert (found.wrong, found.marked_in_honest, found.marked) == ([], 0, 3)
