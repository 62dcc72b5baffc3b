"""What a model request costs: reported usage times a dated price, or None and why. Never a silent zero.

Prices come from genai-prices (in the package, offline), completed by our own list and overruled by the
operator's (both read by bot/costs/price_list.py). Arithmetic is Decimal; on disk money is integer
nano-dollars (`nano`, `usd`). What was spent, and by whom, is bot/costs/ledger.py's. This is the only user of
genai-prices; its tables load with the first lookup (0.2 s and 11 MB, which Python would not give back, so
they stay).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.core.values import RequestKind, Usage
from bot.costs.price_list import UNITS, Listed, Rates, rates_in_force, read_list, read_packaged

NANO = 1_000_000_000
MILLION = Decimal(1_000_000)
_FREE = {unit: Decimal(0) for unit in UNITS}
_REMEMBERED = 512


@dataclass(frozen=True, slots=True)
class Price:
    """What one request costs in US dollars, or None and why nobody knows."""

    usd: Decimal | None
    reason: str = ""


def nano(amount: Decimal) -> int:
    """Integer nano-dollars, rounded half to even. The one rounding a cost ever gets."""
    return int((amount * NANO).to_integral_value(ROUND_HALF_EVEN))


def usd(amount_nano: int) -> Decimal:
    """Dollars of an amount from disk, exact."""
    return Decimal(amount_nano).scaleb(-9)


@dataclass(slots=True)
class Prices:
    """The prices one bot goes by. `deployments` maps a deployment's own name to the model that runs there."""

    base_url: str = ""
    own: tuple[Listed, ...] = ()
    deployments: Mapping[str, str] = field(default_factory=dict)
    _found: dict[tuple[str, str, int], Rates] = field(default_factory=dict)

    def price(
        self,
        model: str,
        usage: Usage,
        *,
        at: datetime,
        kind: RequestKind = "answer",
        tier: str = "",
        base_model: str = "",
    ) -> Price:
        """The price of one request made at `at` (aware). `tier` is flex, priority, fast, batch or ''."""
        name = (base_model or self.deployments.get(model) or model).lower()
        rates = self.rates(name, at=at, tier=tier)
        if not rates:
            return Price(None, f"no price is known for {name}")
        return _charge(name, rates, usage, kind)

    def cost(self, model: str, usage: Usage, *, at: datetime, base_model: str = "") -> Decimal | None:
        """US dollars of one ordinary request; None when it has no price."""
        return self.price(model, usage, at=at, base_model=base_model).usd

    def rates(self, model: str, *, at: datetime, tier: str = "") -> Rates:
        """Unit prices in force at `at`; empty when none is known. No price changes within a minute."""
        key = (model, tier, int(at.timestamp() // 60))
        if key not in self._found:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            self._found[key] = self._look_up(model, at, tier)
        return self._found[key]

    def lists(self, model: str, *, at: datetime) -> bool:
        """Whether a list has a price for the model; that one's own server costs nothing is none."""
        rates = self.rates(model.lower(), at=at)
        return bool(rates) and rates is not _FREE

    def list_models(self) -> list[str]:
        """Every model that a list names."""
        listed = [entry.model for entry in (*self.own, *read_packaged()) if "*" not in entry.model]
        return [*self.deployments, *listed, *_list_catalogue(self.base_url)]

    def _look_up(self, model: str, at: datetime, tier: str) -> Rates:
        """genai-prices' (training is ours), else ours, else 0 on one's own server; the operator's first."""
        day = at.astimezone(UTC).date()
        own, ours = rates_in_force(self.own, model, day), rates_in_force(read_packaged(), model, day)
        local = is_local(self.base_url)
        # On one's own server this name means the open weights, not somebody's offer of them.
        known = (
            {}
            if local and model.startswith("gpt-oss")
            else _look_up_catalogue(model, at, tier, self.base_url)
        )
        if known:
            return {"training_mtok": ours.get("training_mtok"), **known, **own}
        return {**ours, **own} or (_FREE if local else {})


def load_prices(*, base_url: str, path: str = "", model: str = "", base_model: str = "") -> Prices:
    """Prices for a bot that talks to `base_url`; `path` is the operator's list. SetupError: its faults."""
    return Prices(base_url, read_list(Path(path)) if path else (), read_deployments(model, base_model))


def read_deployments(model: str, base_model: str) -> dict[str, str]:
    """What runs behind a deployment: behind `model`, or, as in `our-ears=whisper-1, …`, behind each."""
    pairs = [part.strip().rpartition("=") for part in base_model.split(",") if part.strip()]
    return {(name or model).strip(): base.strip() for name, _, base in pairs}


def is_local(base_url: str) -> bool:
    """Is the model API on this machine or in this network, so that a model without a price costs nothing?"""
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return bool(host) and ("." not in host or host.endswith((".local", ".internal", ".lan")))


def _look_up_catalogue(model: str, at: datetime, tier: str, base_url: str) -> dict[str, Any]:
    """genai-prices' rates for the model at that moment; empty when it has none."""
    from genai_prices import data_snapshot

    snapshot = data_snapshot.get_snapshot()
    try:
        _, found = snapshot.find_provider_model(model, None, _provider_name(base_url), None)
    except LookupError:
        return {}
    context = {"processing" if tier == "batch" else "service_tier": tier} if tier else None
    return {unit: rate for unit, rate in vars(found.get_prices(at, context)).items() if rate is not None}


def _list_catalogue(base_url: str) -> list[str]:
    """genai-prices' names of the models at that address, without those of whole families."""
    from genai_prices import data_snapshot

    snapshot = data_snapshot.get_snapshot()
    found = snapshot.find_provider(None, _provider_name(base_url), None).models
    return [model.id for model in found if not model.id.startswith("ft:") and not model.id.endswith("-")]


@cache
def _provider_name(base_url: str) -> str:
    """genai-prices' name for the host; OpenAI's for hosts it does not know.

    OpenAI's also for Azure: what is listed there under the old names lacks the price of output.
    """
    from genai_prices import data_snapshot

    try:
        provider = data_snapshot.get_snapshot().find_provider(None, None, base_url or None).id
    except LookupError:
        return "openai"
    return "openai" if provider == "azure" else provider


def _charge(model: str, rates: Rates, usage: Usage, kind: RequestKind) -> Price:
    """The sum of what is priced. Tokens, sound or pictures without any price leave the request unpriced."""
    tokens = {unit: count for unit, count in _split_tokens(rates, usage, kind).items() if count}
    pieces = {"audio_hours": Decimal(repr(usage.audio_seconds)) / 3600, "image": Decimal(usage.images)}
    covered = [rates[unit] * count for unit, count in pieces.items() if count and rates.get(unit) is not None]
    unpriced = [unit for unit in tokens if rates.get(unit) is None]
    if not covered and unpriced:
        return Price(None, f"{model} has no price for {unpriced[0]}")
    if not covered and not tokens and any(pieces.values()):
        return Price(None, f"{model} has no price for the unit that was reported")
    total = sum(covered, Decimal(0)) + (rates.get("requests_kcount") or 0) * Decimal(usage.requests) / 1000
    if not unpriced:
        total += (
            sum(_rate_at(rates[unit], usage.input_tokens) * count for unit, count in tokens.items()) / MILLION
        )
    return Price(usd(nano(total)))


def _split_tokens(rates: Rates, usage: Usage, kind: RequestKind) -> dict[str, int]:
    """Tokens by the unit they are charged in, each once. A part without its own price counts as input."""
    if kind == "training":
        return {"training_mtok": usage.input_tokens}
    parts = {
        "cache_read_mtok": usage.cached_tokens,
        "cache_write_mtok": usage.cache_write_tokens,
        "input_audio_mtok": usage.input_audio_tokens,
    }
    apart = {unit: count for unit, count in parts.items() if rates.get(unit) is not None}
    output = "output_image_mtok" if kind == "image" and rates.get("output_image_mtok") else "output_mtok"
    return {
        "input_mtok": max(0, usage.input_tokens - sum(apart.values())),
        **apart,
        output: usage.output_tokens,
    }


def _rate_at(rate: Any, input_tokens: int) -> Decimal:
    """A tier, once the input is longer than its start, holds for all tokens of the request."""
    for tier in reversed(getattr(rate, "tiers", ())):
        if input_tokens > tier.start:
            return Decimal(tier.price)
    return Decimal(getattr(rate, "base", rate))
