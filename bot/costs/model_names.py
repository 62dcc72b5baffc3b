"""Names of models where somebody types one: known are those that are set up, were used, or have a price."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.core.errors import NotUnderstood
from bot.core.settings import Settings, split_list, table
from bot.core.values import Usage
from bot.costs.pricing import Prices
from bot.text.typed import find_nearest

SUGGESTED = 3
UNKNOWN = "No model of that name is set up here or has a known price."
# Parts of names of models that are priced by the token as well and yet write no answers.
NO_ANSWERS = ("audio", "embedding", "image", "live", "moderation", "realtime", "transcribe", "tts", "whisper")


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


def find_answering_model(name: str, settings: Settings, *, prices: Prices, at: datetime) -> str:
    """A model that a channel may choose for its answers, as requests name it. NotUnderstood with the nearest
    names and what is allowed for every other."""
    listed = [] if settings.allowed_models else list_answering_models(prices, at=at)
    offered = list(dict.fromkeys([*list_named(settings), *listed]))
    by_form = {model.lower(): model for model in reversed(offered)}
    if name.lower() in by_form:
        return by_form[name.lower()]
    if not settings.allowed_models and _writes_answers(
        name, prices, at
    ):  # a dated snapshot, a fine-tuned model
        return name
    nearest = find_nearest(name, offered, most=SUGGESTED)
    meant = f"Did you mean {_list(nearest, mark='')}? " if nearest else ""
    raise NotUnderstood(name, f"{meant}{describe_allowed(settings)}")


def may_answer(name: str, settings: Settings) -> bool:
    """Whether a channel may have chosen this model once and may have it still."""
    return not settings.allowed_models or name in list_named(settings)


def list_named(settings: Settings) -> list[str]:
    """The models for text that the settings name, the largest first."""
    own = [settings.model, settings.middle_model, settings.small_model]
    return list(dict.fromkeys(filter(None, [*own, *split_list(settings.allowed_models)])))


def describe_allowed(settings: Settings) -> str:
    """Which models a channel may choose, in a sentence."""
    more = "" if settings.allowed_models else ", and every model that writes text and has a known price"
    return f"Allowed here: {', '.join(list_named(settings))}{more}."


def list_answering_models(prices: Prices, *, at: datetime) -> list[str]:
    """Every listed model that writes text."""
    return [model for model in prices.list_models() if _writes_answers(model, prices, at)]


def _writes_answers(model: str, prices: Prices, at: datetime) -> bool:
    """Whether it is priced for the tokens that it reads and writes."""
    name = prices.deployments.get(model, model)
    if any(part in name.lower() for part in NO_ANSWERS) or not prices.lists(name, at=at):
        return False
    rates = prices.rates(name.lower(), at=at)
    return all(rates.get(unit) is not None for unit in ("input_mtok", "output_mtok"))


def find_unpriced(models: Iterable[tuple[str, str]], prices: Prices, *, at: datetime) -> list[str]:
    """What is said of each model that nobody knows a price of; `models`: where it was chosen, its name."""
    tokens = Usage(input_tokens=1, output_tokens=1)
    return [
        f"{where}: {model} has no known price: what it costs is not counted, and no budget holds it "
        "(PARLEY_PRICES, PARLEY_BASE_MODEL or PARLEY_FREE_MODELS may say what it costs)"
        for where, model in models
        if prices.cost(model, tokens, at=at) is None
    ]


def _suggest(name: str, models: Iterable[str], own: Sequence[str]) -> str:
    if nearest := find_nearest(name, models, most=SUGGESTED):
        return f"Did you mean {_list(nearest)}?"
    return f"Known here: {_list(own[:SUGGESTED])}." if own else ""


def _list(models: Sequence[str], *, mark: str = "`") -> str:
    *others, last = (f"{mark}{model}{mark}" for model in models)
    return f"{', '.join(others)} or {last}" if others else last


def list_configured(settings: Settings) -> set[str]:
    """The models that the settings name."""
    named = {row.name for row in table() if row.name == "model" or row.name.endswith("_model")}
    models = {getattr(settings, name) for name in named - {"base_model"}}
    return {*models, *split_list(settings.allowed_models)} - {""}
