"""A model that reads made invoices and errs as models err, by a seed.

It takes the wrong total, the wrong day, the customer for the supplier; it turns digits round, invents a day,
and quotes what is not there. Asked again, it may stay with it.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from bot.core.values import Completion, Prompt, Scope, Usage
from tests.bench.fields.invoices import MadeInvoice

ERRS = 0.4  # of all fields
STAYS = 0.5  # asked again, it says the same
SWAPS = {"total": "net", "date": "due", "supplier": "customer"}


class ErringReader:
    """Answers for one invoice after the other: `made` is the one that is read."""

    def __init__(self, seed: int, *, errs: float = ERRS) -> None:
        self.chance = random.Random(seed)
        self.errs = errs
        self.made: MadeInvoice | None = None
        self.requests = 0

    async def complete(
        self,
        prompt: Prompt,
        scope: Scope,
        *,
        model: str = "",
        style: str = "",
        max_output_tokens: int | None = None,
    ) -> Completion:
        self.requests += 1
        shown = json.loads(prompt.messages[-1].text)
        again = "problems" in shown
        values = [value for field in shown["fields"] for value in self._read(field["name"], shown, again)]
        text = json.dumps({"values": values}, ensure_ascii=False)
        return Completion(text, "stop", model, Usage(requests=1))

    async def decide(
        self, text: str, questions: Sequence[dict[str, Any]], scope: Scope, *, model: str
    ) -> tuple[list[dict[str, Any]], Decimal | None]:
        raise NotImplementedError

    def _read(self, name: str, shown: dict[str, Any], again: bool) -> list[dict[str, Any]]:
        assert self.made is not None
        written = self.made.written[name]
        if self.chance.random() < self.errs * (STAYS if again else 1):
            return self._err(name, written, shown)
        return self._quote(name, written, shown)

    def _err(self, name: str, written: str, shown: dict[str, Any]) -> list[dict[str, Any]]:
        assert self.made is not None
        how = self.chance.choice(("other", "turned", "turned in both", "invented", "left out", "no quote"))
        if how == "other" and name in SWAPS:
            return self._quote(name, self.made.written[SWAPS[name]], shown)
        if how == "left out":
            return []
        if how == "no quote":
            return [_value(name, written, f"{written} as agreed by phone")]
        if how == "invented":
            invented = {"date": "2026-02-11", "total": "EUR 4,711.00"}.get(name, "Quill & Sons")
            return [_value(name, invented, f"{name}: {invented}")]
        turned = _turn(written)
        (quoted,) = self._quote(name, written, shown) or [_value(name, written, written)]
        quote = quoted["quote"].replace(written, turned) if how == "turned in both" else quoted["quote"]
        return [_value(name, turned, quote, quoted["page"])]

    def _quote(self, name: str, written: str, shown: dict[str, Any]) -> list[dict[str, Any]]:
        """A value with the line it stands in; nothing where it does not stand there."""
        found = [
            _value(name, written, line.strip(), page["page"])
            for page in shown["pages"]
            for line in page["text"].splitlines()
            if written in line
        ]
        return found[-1:] if name in ("total",) else found[:1]


def _value(name: str, text: str, quote: str, page: int = 1) -> dict[str, Any]:
    return {"field": name, "text": text, "page": page, "quote": quote}


def _turn(written: str) -> str:
    """Two neighbouring digits, or letters, the other way round."""
    for at in range(len(written) - 2, 0, -1):
        one, other = written[at], written[at + 1]
        if one != other and one.isdigit() and other.isdigit():
            return written[:at] + other + one + written[at + 2 :]
    return written[::-1]
