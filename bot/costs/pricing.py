"""What a model request costs: reported usage times a dated price, or None and why. Never a silent zero.

Prices come from genai-prices (in the package, offline), completed by our own list and overruled by the
operator's (both read by bot/costs/price_list.py). Arithmetic is Decimal; on disk money is integer
nano-dollars (`nano`, `usd`). What was spent, and by whom, is bot/costs/ledger.py's. This is the only user of
genai-prices; its tables load with the first lookup (0.2 s and 11 MB, which Python would not give back, so
they stay).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from bot.core.settings import Settings, split_list
from bot.core.values import RequestKind, Usage
from bot.costs.price_list import UNITS, Listed, Rates, rates_in_force, read_list, read_packaged

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, Provider

# Whose models nobody else runs, so that their names tell what they cost behind a gateway or a relay, too.
CLOSED = ("openai", "anthropic", "google", "x-ai")
OPEN_WEIGHTS = ("gpt-oss", "gemma", "grok-1", "grok-2")  # of theirs, which anybody may run
# Vendors by what gateways write before the name of a model: LiteLLM's, OpenRouter's, clouds'.
_VENDORS = {
    "azure": "openai",
    "azure_ai": "openai",
    "gemini": "google",
    "vertex_ai": "google",
    "xai": "x-ai",
    "bedrock": "aws",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
}
NANO = 1_000_000_000
MILLION = Decimal(1_000_000)
_FREE = {unit: Decimal(0) for unit in UNITS}
_FREE_THERE = ":free"  # ends the names of what OpenRouter offers for nothing
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
    """The prices one bot goes by.

    `deployments` maps a deployment's own name to the model that runs there; `free` are names (or beginnings,
    ending in *) of models that the operator says cost nothing.
    """

    base_url: str = ""
    own: tuple[Listed, ...] = ()
    deployments: Mapping[str, str] = field(default_factory=dict)
    free: tuple[str, ...] = ()
    _found: dict[tuple[str, str, int, bool], Rates] = field(default_factory=dict)

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
        rates = self.rates(model, at=at, tier=tier, base_model=base_model)
        name = (base_model or self.deployments.get(model) or model).lower()
        if not rates:
            return Price(None, f"no price is known for {name}")
        return _charge(name, rates, usage, kind)

    def cost(self, model: str, usage: Usage, *, at: datetime, base_model: str = "") -> Decimal | None:
        """US dollars of one ordinary request; None when it has no price."""
        return self.price(model, usage, at=at, base_model=base_model).usd

    def rates(self, model: str, *, at: datetime, tier: str = "", base_model: str = "") -> Rates:
        """Unit prices in force at `at`; empty when none is known. No price changes within a minute."""
        base = base_model or self.deployments.get(model, "")
        name = (base or model).lower()
        key = (name, tier, int(at.timestamp() // 60), bool(base))
        if key not in self._found:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            found = self._look_up(name, at, tier, is_base=bool(base))
            self._found[key] = found or (_FREE if self._is_free(model.lower(), name) else {})
        return self._found[key]

    def lists(self, model: str, *, at: datetime) -> bool:
        """Whether a price for the model is known."""
        return bool(self.rates(model, at=at))

    def list_models(self) -> list[str]:
        """Every model that a list names."""
        listed = [entry.model for entry in (*self.own, *read_packaged()) if "*" not in entry.model]
        free = [name for name in self.free if not name.endswith("*")]
        return [*self.deployments, *listed, *free, *_list_catalogue(self.base_url)]

    def _look_up(self, model: str, at: datetime, tier: str, *, is_base: bool) -> Rates:
        """The operator's price, else genai-prices' (training is ours), else ours."""
        day, host = at.astimezone(UTC).date(), find_host(self.base_url)
        own = rates_in_force(self.own, model, day, host=host, tier=tier)
        if not own and (self._is_free(model) or (host == "openrouter" and model.endswith(_FREE_THERE))):
            return _FREE
        ours = rates_in_force(read_packaged(), model, day, host=host, tier=tier)
        if ours and any(entry.at and entry.names(model) and entry.at == host for entry in read_packaged()):
            return {**ours, **own}
        if known := _look_up_catalogue(model, at, tier, host, is_base=is_base):
            return {"training_mtok": ours.get("training_mtok"), **known, **own}
        return {**ours, **own}

    def _is_free(self, *names: str) -> bool:
        return any(
            name.startswith(free[:-1]) if free.endswith("*") else name == free
            for free in self.free
            for name in names
        )


def load_prices(
    *, base_url: str, path: str = "", model: str = "", base_model: str = "", free: str = ""
) -> Prices:
    """Prices for a bot that talks to `base_url`; `path` is the operator's list. SetupError: its faults."""
    own = read_list(Path(path)) if path else ()
    names = tuple(name.lower() for name in split_list(free))
    return Prices(base_url, own, read_deployments(model, base_model), names)


def read_prices(settings: Settings) -> Prices:
    """The prices by the operator's settings. SetupError: faults of the list."""
    return load_prices(
        base_url=settings.openai_base_url,
        path=settings.prices,
        model=settings.model,
        base_model=settings.base_model,
        free=settings.free_models,
    )


def read_deployments(model: str, base_model: str) -> dict[str, str]:
    """What runs behind a deployment: behind `model`, or, as in `our-ears=whisper-1, …`, behind each."""
    pairs = [part.strip().rpartition("=") for part in base_model.split(",") if part.strip()]
    return {(name or model).strip(): base.strip() for name, _, base in pairs}


def is_local(base_url: str) -> bool:
    """Is the model API on this machine or in this network, so that nobody else knows what its models are?"""
    host = urlsplit(base_url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return bool(host) and ("." not in host or host.endswith((".local", ".internal", ".lan")))


def _look_up_catalogue(model: str, at: datetime, tier: str, host: str, *, is_base: bool) -> dict[str, Any]:
    """genai-prices' rates for the model at that moment; empty when it has none.

    The host's own price goes first. Elsewhere a name tells whose model it is: for certain where the operator
    gave it as the base model, else only where nobody else can run it.
    """
    context = {"processing" if tier == "batch" else "service_tier": tier} if tier else None
    for found in _find_models(model, host, is_base=is_base):
        rates = {unit: rate for unit, rate in vars(found.get_prices(at, context)).items() if rate is not None}
        if rates:
            return rates
    return {}


def _find_models(model: str, host: str, *, is_base: bool) -> Iterator[ModelInfo]:
    """Entries of genai-prices for a name, the likeliest first."""
    model = model.removeprefix("models/")  # as Google writes it before its own
    if host and (found := _find_model(model, "openai" if host == "azure" else host)):
        yield found
    vendor, _, name = model.rpartition("/")
    vendor = _VENDORS.get(vendor.rpartition("/")[2], vendor)
    if is_base:
        everywhere = [vendor] if vendor else [*CLOSED, *(provider.id for provider in _providers())]
        yield from filter(None, (_find_model(name, each) for each in everywhere))
    elif not host and not name.startswith(OPEN_WEIGHTS):
        named = [vendor] if vendor else CLOSED
        yield from filter(None, (_find_model(name, each) for each in named if each in CLOSED))


def _find_model(model: str, provider: str) -> ModelInfo | None:
    from genai_prices import data_snapshot

    try:
        return data_snapshot.get_snapshot().find_provider_model(model, None, provider, None)[1]
    except LookupError:
        return None


def _providers() -> list[Provider]:
    from genai_prices import data_snapshot

    return data_snapshot.get_snapshot().providers


def _list_catalogue(base_url: str) -> list[str]:
    """genai-prices' names of the models at that address, without those of whole families."""
    host = find_host(base_url)
    wanted = "openai" if host in ("", "azure") else host
    models = [model.id for provider in _providers() if provider.id == wanted for model in provider.models]
    return [model for model in models if not model.startswith("ft:") and not model.endswith("-")]


@cache
def find_host(base_url: str) -> str:
    """genai-prices' name for the host; "" for one that it does not know.

    Prices of azure are OpenAI's: what is listed there under the old names lacks the price of output.
    """
    from genai_prices import data_snapshot

    if not base_url:
        return "openai"
    try:
        return data_snapshot.get_snapshot().find_provider(None, None, base_url).id
    except LookupError:
        return ""


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
