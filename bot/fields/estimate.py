"""What reading fields from documents costs, told before it is spent: rather too much than too little."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from bot.core.values import Usage
from bot.costs.pricing import Prices
from bot.fields.pieces import PART_CHARACTERS
from bot.fields.values import FieldCost, FieldForm

CHARACTERS_PER_TOKEN = 3  # of text in any language, about
ORDERS_TOKENS = 700  # what a model is told each time
FIELD_TOKENS = 90  # what it answers of one field: the value and its quote
ROUNDS = 2  # it is asked once more where something does not hold


def estimate_cost(
    pieces: int, characters: int, form: FieldForm, prices: Prices, *, model: str, at: datetime
) -> FieldCost:
    """Requests and dollars of reading so many pieces, of so many characters in all, at a time's prices."""
    requests = max(pieces, -(-characters // PART_CHARACTERS), 1)
    used = Usage(
        input_tokens=ROUNDS * (characters // CHARACTERS_PER_TOKEN + requests * ORDERS_TOKENS),
        output_tokens=ROUNDS * requests * FIELD_TOKENS * len(form.fields),
    )
    return FieldCost(requests, prices.price(model, used, at=at, kind="fields").usd)


def add_costs(one: FieldCost, other: FieldCost) -> FieldCost:
    """Of two readings; where nobody knows what one of them costs, nobody knows the sum."""
    known = one.usd is not None and other.usd is not None
    total = (one.usd or Decimal(0)) + (other.usd or Decimal(0)) if known else None
    return FieldCost(one.requests + other.requests, total)
