"""Two invoices as they stand on a page: one with nothing to be asked about, one with two totals."""

from __future__ import annotations

CLEAN_INVOICE = """
## Harbour Paper Ltd

| Invoice no. | HP-2041 |
| Date | 3 April 2026 |
| Net | 100.00 EUR |
| VAT 19 % | 19.00 EUR |
| Total due | 119.00 EUR |
"""
TWO_TOTALS = """
## Dockside Tools Ltd

| Invoice no. | DT-7 |
| Date | 4 May 2026 |
| Net | 200.00 EUR |
| VAT 19 % | 38.00 EUR |
| Total | 258.00 EUR |
| Total | 238.00 EUR |
"""
