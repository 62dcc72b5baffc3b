"""`python -m tests.bench.fields`: 40 made invoices, read by a model that never errs, and by ones that do."""

from __future__ import annotations

import asyncio
import sys

from tests.bench.fields.erring_reader import ERRS
from tests.bench.fields.invoices import make_invoices
from tests.bench.fields.measuring import measure

INVOICES, SEEDS = 40, 5


async def main() -> None:
    invoices = list(make_invoices(INVOICES))
    print(f"Fields of {INVOICES} invoices, {sum(bool(one.trap) for one in invoices)} with a trap")
    for errs, seeds in ((0.0, 1), (ERRS, SEEDS)):
        for seed in range(seeds):
            found = await measure(invoices, seed=seed, errs=errs)
            whole = not found.wrong and found.traps_marked == found.traps
            print(
                f"  model errs in {errs:.0%}: right {found.right:3}  marked {found.marked:3},"
                f" {found.marked_in_honest} of them without a trap  traps marked"
                f" {found.traps_marked}/{found.traps}  wrong and unmarked {len(found.wrong)}"
                f"  {'met' if whole else 'NOT MET'}"
            )
            if "--show" in sys.argv:
                for line in found.wrong:
                    print(f"    {line}")


asyncio.run(main())
