"""What reading fields from documents costs, told before it is spent: rather too much than too little."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from bot.core.values import Usage
from bot.costs.pricing import Prices
from bot.fields.pieces import PART_CHARACTERS
from bot.fields.values import FieldCost, FieldForm
from storage.knowledge.documents import Document

CHARACTERS_PER_TOKEN = 3  # of text in any language, about
ORDERS_TOKENS = 700  # what a model is told each time
FIELD_TOKENS = 90  # what it answers of one field: the value and its quote
ROUNDS = 2  # it is asked once more where something does not hold


def estimate_cost(
    documents: Sequence[Document], form: FieldForm, prices: Prices, *, model: str, at: datetime
) -> FieldCost:
    """Requests and dollars of reading documents for a form, at the prices of a time."""
    requests, total = 0, Decimal(0)
    for document in documents:
        parts = max(1, -(-document.characters // PART_CHARACTERS), min(document.pages, 500))
        used = Usage(
            input_tokens=ROUNDS * (document.characters // CHARACTERS_PER_TOKEN + parts * ORDERS_TOKENS),
            output_tokens=ROUNDS * parts * FIELD_TOKENS * len(form.fields),
        )
        requests += parts
        cost = prices.price(model, used, at=at, kind="fields").usd
        if cost is None:
            return FieldCost(sum(max(1, one.pages) for one in documents), None)
        total += cost
    return FieldCost(requests, total)
