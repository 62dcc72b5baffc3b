"""Price lists in TOML: ours beside this file, and the operator's. Charging is bot/costs/pricing.py's."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
Rates = Mapping[str, Any]  # unit → Decimal; genai-prices puts its TieredPrices there
_NOTED = {"model", "from", "source", "checked_on"}
_SNAPSHOT = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_PACKAGED = Path(__file__).with_name("prices.toml")


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of a TOML price list. A model ending in * is a beginning."""

    model: str
    since: date
    rates: Rates

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
        elif key in UNITS and not (isinstance(value, int | Decimal) and value >= 0):
            yield f"{name}: {key} is not an amount of dollars"
    if not isinstance(entry.get("from", date.min), date):
        yield f"{name}: from is not a day"
    if not entry.keys() & set(UNITS):
        yield f"{name}: has no price"


def _read_entry(entry: Mapping[str, Any]) -> Listed:
    rates = {unit: Decimal(entry[unit]) for unit in UNITS if unit in entry}
    return Listed(entry["model"].lower(), entry.get("from", date.min), rates)


def rates_in_force(entries: Iterable[Listed], model: str, day: date) -> Rates:
    """The rates of the entry that names the model most closely and began last."""
    fitting = [entry for entry in entries if entry.names(model) and entry.since <= day]
    return max(fitting, key=lambda entry: (len(entry.model), entry.since)).rates if fitting else {}
