"""Price lists in TOML: ours beside this file, and the operator's. Charging is bot/costs/pricing.py's."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from bot.core.errors import SetupError

# Prices by unit. The names are genai-prices'; the last two are ours, because it has neither.
UNITS = (
    "input_mtok",
    "cache_read_mtok",
    "cache_write_mtok",
    "input_audio_mtok",
    "output_mtok",
    "output_image_mtok",
    "audio_hours",
    "requests_kcount",
    "image",
    "training_mtok",
)
CURRENCY = "USD"  # of every amount; a list in another is refused, not converted
Rates = Mapping[str, Any]  # unit → Decimal, or Stepped, or genai-prices' TieredPrices
TIERS = ("batch", "flex", "priority", "fast")
_NOTED = {"model", "from", "at", "source", "checked_on", "times"}
STEPPED = ("base", "over", "then")  # of a price that is another one for prompts of more tokens
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_PACKAGED = Path(__file__).with_name("prices.toml")


@dataclass(frozen=True, slots=True)
class Step:
    """The price of a request that reads more tokens than `start`."""

    start: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Stepped:
    """A price that is another one for long prompts."""

    base: Decimal
    tiers: tuple[Step, ...]

    def __mul__(self, factor: Decimal) -> Stepped:
        return Stepped(self.base * factor, tuple(Step(s.start, s.price * factor) for s in self.tiers))


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a TOML price list. A model ending in * is a beginning.

    `at`: the host that it holds at, by genai-prices' name; "": every one. `times`: what another service tier
    multiplies it by.
    """

    model: str
    since: date
    rates: Rates
    at: str = ""
    times: Mapping[str, Decimal] = field(default_factory=dict)

    def names(self, model: str) -> bool:
        if self.model.endswith("*"):
            return model.startswith(self.model[:-1])
        return self.model in (model, strip_date(model))


def strip_date(model: str) -> str:
    """The model of a dated snapshot (name-2026-10-01); other names unchanged."""
    return _SNAPSHOT.sub("", model)


def read_list(path: Path) -> tuple[Listed, ...]:
    """The entries of a TOML price list; SetupError names each problem."""
    try:
        read = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise SetupError([f"PARLEY_PRICES: cannot read {path}: {exc}"]) from exc
    entries = read.get("price", [])
    problems = [f"{path}: {problem}" for entry in entries for problem in _find_problems(entry)]
    if read.get("currency", CURRENCY) != CURRENCY:
        problems.append(f"{path}: currency is not {CURRENCY}")
    if problems:
        raise SetupError(problems)
    return tuple(_read_entry(entry) for entry in entries)


@cache
def read_packaged() -> tuple[Listed, ...]:
    """Our own list, for what genai-prices lacks."""
    return read_list(_PACKAGED)


def _find_problems(entry: Mapping[str, Any]) -> Iterable[str]:
    name = entry.get("model", "an entry without a model")
    for missing in {"model", "source", "checked_on"} - entry.keys():
        yield f"{name}: {missing} is missing"
    for key, value in entry.items():
        if key not in _NOTED and key not in UNITS:
            yield f"{name}: {key} is not one of {', '.join(UNITS)}"
        elif key in UNITS and not (_is_amount(value) or _is_stepped(value)):
            yield f"{name}: {key} is not an amount of dollars, nor {{base, over, then}}"
    times = entry.get("times", {})
    if not isinstance(times, dict) or times.keys() - set(TIERS) or not all(map(_is_amount, times.values())):
        yield f"{name}: times is not a factor for some of {', '.join(TIERS)}"
    if not isinstance(entry.get("from", date.min), date):
        yield f"{name}: from is not a day"
    if not entry.keys() & set(UNITS):
        yield f"{name}: has no price"


def _is_amount(value: Any) -> bool:
    given = isinstance(value, int | Decimal) and not isinstance(value, bool)
    return given and Decimal(value).is_finite() and value >= 0


def _is_stepped(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == set(STEPPED) and all(map(_is_amount, value.values()))


def _read_entry(entry: Mapping[str, Any]) -> Listed:
    rates = {unit: _read_rate(entry[unit]) for unit in UNITS if unit in entry}
    times = {tier: Decimal(factor) for tier, factor in entry.get("times", {}).items()}
    return Listed(entry["model"].lower(), entry.get("from", date.min), rates, entry.get("at", ""), times)


def _read_rate(value: Any) -> Decimal | Stepped:
    if isinstance(value, dict):
        return Stepped(Decimal(value["base"]), (Step(int(value["over"]), Decimal(value["then"])),))
    return Decimal(value)


def rates_in_force(
    entries: Iterable[Listed], model: str, day: date, *, host: str = "", tier: str = ""
) -> Rates:
    """The rates of the entry that names the model most closely and began last; one for a host goes first."""
    fitting = [
        entry for entry in entries if entry.names(model) and entry.since <= day and entry.at in ("", host)
    ]
    if not fitting:
        return {}
    found = max(fitting, key=lambda entry: (len(entry.model), entry.at, entry.since))
    factor = found.times.get(tier)
    return found.rates if factor is None else {unit: rate * factor for unit, rate in found.rates.items()}
