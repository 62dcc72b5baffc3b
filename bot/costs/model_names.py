"""Names of models where somebody types one: known are those that are set up, were used, or have a price."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime

from bot.core.errors import NotUnderstood
from bot.core.settings import Settings
from bot.costs.pricing import Prices
from bot.text.typed import find_nearest

SUGGESTED = 3
UNKNOWN = "No model of that name is set up here or has a known price."


def find_model(name: str, *, prices: Prices, at: datetime, known: Iterable[str] = ()) -> str:
    """The model as requests name it. NotUnderstood with the nearest names when nobody knows it.

    `known`: models that are set up or were used. `at`: when its price would apply.
    """
    own = sorted(known)
    models = {model.lower(): model for model in (*prices.list_models(), *own)}
    if name.lower() in models:
        return models[name.lower()]
    if prices.lists(name, at=at):  # one of a family: a dated snapshot, a fine-tuned model
        return name
    raise NotUnderstood(name, f"{UNKNOWN} {_suggest(name, models.values(), own)}".strip())


def _suggest(name: str, models: Iterable[str], own: Sequence[str]) -> str:
    if nearest := find_nearest(name, models, most=SUGGESTED):
        return f"Did you mean {_list(nearest)}?"
    return f"Known here: {_list(own[:SUGGESTED])}." if own else ""


def _list(models: Sequence[str]) -> str:
    *others, last = (f"`{model}`" for model in models)
    return f"{', '.join(others)} or {last}" if others else last


def list_configured(settings: Settings) -> set[str]:
    """The models that the settings name."""
    named = {f.name for f in fields(Settings) if f.name == "model" or f.name.endswith("_model")}
    return {getattr(settings, name) for name in named - {"base_model"}} - {""}
