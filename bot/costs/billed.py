"""What a gateway says it billed for a request, beside what our prices make of it: whether it is believed, and
what that teaches about the next request's upper bound.

Where the amount stands in an answer is bot/provider/reported_usage.py's. A server that somebody has taken
over may report anything: no amount frees a request from its cost, and none passes the dearest model's.
"""

from __future__ import annotations

from collections import deque
from decimal import Decimal

from bot.core.values import Usage
from bot.costs.pricing import Prices, find_host, usd

# A gateway may have discounts, fees and agreements; beyond this factor it is a fault, or worse.
FACTOR = 10
# What the dearest model charged, in dollars a token, an hour of sound and a picture; twice that for fees.
# Source: openai.com/api/pricing, o1-pro (150 and 600 per million tokens), 2025.
DEAREST_INPUT, DEAREST_OUTPUT = Decimal("0.0003"), Decimal("0.0012")
DEAREST_HOUR, DEAREST_PICTURE = Decimal(20), Decimal(2)
GATEWAYS = ("", "openrouter")  # hosts by genai-prices' names; "": one that it does not know
LEARNT_OF = 20  # the last amounts of a model


def bills_for_others(prices: Prices) -> bool:
    """Whether the model API may be a gateway: no vendor's own."""
    return find_host(prices.base_url) in GATEWAYS


def is_believed(billed: Decimal | None, listed: Decimal | None, used: Usage) -> bool:
    """Whether an amount may be true, beside the price by our lists (None: there is none).

    Nothing at all, or less than can be booked, is not believed: gateways report it for every model that they
    have no price of.
    """
    if billed is None or not billed.is_finite() or billed < usd(1):
        return False
    if listed is not None:
        return listed / FACTOR <= billed <= listed * FACTOR
    return billed <= _cost_at_most(used)


def _cost_at_most(used: Usage) -> Decimal:
    tokens = DEAREST_INPUT * used.input_tokens + DEAREST_OUTPUT * used.output_tokens
    return tokens + DEAREST_HOUR * Decimal(used.audio_seconds) / 3600 + DEAREST_PICTURE * used.images


class Billing:
    """What models cost by what was billed for them lately, so that budgets hold enough for a request."""

    def __init__(self) -> None:
        self._markups: dict[str, deque[Decimal]] = {}  # by model: billed / listed
        self._rates: dict[str, deque[Decimal]] = {}  # by model without a price: dollars a unit

    def learn(self, model: str, billed: Decimal, listed: Decimal | None, used: Usage) -> None:
        """An amount that is believed."""
        if listed:
            self._markups.setdefault(model, deque(maxlen=LEARNT_OF)).append(billed / listed)
        elif listed is None and (units := _count_units(used)):
            self._rates.setdefault(model, deque(maxlen=LEARNT_OF)).append(billed / units)

    def bound(self, model: str, listed: Decimal | None, bound: Usage) -> Decimal | None:
        """What a request may be billed at most, as far as that can be told; None where nothing is known."""
        if listed is not None:
            markups = self._markups.get(model) or (Decimal(1),)
            return listed * max(Decimal(1), *markups)
        rates = self._rates.get(model)
        return max(rates) * _count_units(bound) if rates else None


def _count_units(used: Usage) -> Decimal:
    """Tokens, with output at the weight that it usually has; else seconds."""
    tokens = used.input_tokens + 5 * used.output_tokens
    return Decimal(tokens) or Decimal(used.audio_seconds)
