"""The models that `parley check` tries: one token of each for text, one vector, and what ends soon.

These requests are paid for and stand in no ledger: the running bot has the database, and a check changes
nothing. What they cost is printed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.channel.models_in_use import Chosen
from bot.core.calendar import Calendar, zone
from bot.core.errors import BotError, ModelMissing, ProviderError, SetupError
from bot.core.settings import Settings
from bot.core.values import Scope
from bot.costs.amounts import dollars
from bot.costs.ledger import Ledger
from bot.costs.pricing import read_prices
from bot.ops.operator_errors import explain_error
from bot.provider.catalogue import Catalogue
from bot.provider.embeddings import embedder_for
from bot.provider.fair_share import Scheduler
from bot.provider.service import Provider
from bot.retirement.service import describe_ending, find_elsewhere, find_endings, list_others, read_dates
from storage.database import open_engine

SCOPE = Scope("", "", "", "parley check", "answer")


@dataclass(slots=True)
class ModelFindings:
    """What is wrong, what ends soon, and what trying it took."""

    wrong: list[str] = field(default_factory=list)
    soon: list[str] = field(default_factory=list)
    told: str = ""


async def try_what_is_used(settings: Settings, chosen: Sequence[Chosen]) -> ModelFindings:
    """Asks every model that will be asked, in the way it will be."""
    found = ModelFindings()
    with tempfile.TemporaryDirectory(prefix="parley-check-") as folder:
        async with open_engine(f"sqlite:///{folder}/check.db") as engine:
            ledger = Ledger(engine, read_prices(settings), Calendar(zone(settings.time_zone)))
            async with Provider(settings, ledger, Scheduler(), engine) as provider:
                listed = await _list_models(provider, found)
                _add_endings(settings, chosen, listed, found)
                catalogue = provider.catalogue
                catalogue.learn(read_dates(listed))
                now = datetime.now(UTC).timestamp()
                asked = [one for one in chosen if one.where != "PARLEY_ALLOWED_MODELS"]
                asked = [one for one in asked if catalogue.pick(one.model, at=now) == one.model]
                trial = await provider.try_models(list(dict.fromkeys(one.model for one in asked)), SCOPE)
                for model, error in trial.failed.items():
                    where = [one.where for one in asked if one.model == model] or ["PARLEY_FALLBACKS"]
                    found.wrong += [f"{', '.join(where)}: {line}" for line in _explain(model, error)]
                embedder = embedder_for(settings.embeddings, provider, engine)
                if embedder is not None:
                    try:
                        await embedder.embed(["Hi"], SCOPE, kept=False)
                    except BotError as error:
                        lines = _explain(settings.embeddings, error)
                        found.wrong += [f"PARLEY_EMBEDDINGS: {line}" for line in lines]
                cost = "of unknown price" if trial.unpriced else f"for {dollars(trial.cost_usd)}"
                found.told = f"tried: {trial.tried} models {cost}, which stands in no ledger"
    return found


async def _list_models(provider: Provider, found: ModelFindings) -> dict[str, str]:
    """The models that the server lists, with the days on which they end; a server need not have a list."""
    try:
        listed = await provider.list_models()
    except ProviderError:
        return {}
    return {str(one["id"]): str(one.get("shutdown_date") or "")[:10] for one in listed}


def _add_endings(
    settings: Settings, chosen: Sequence[Chosen], listed: dict[str, str], found: ModelFindings
) -> None:
    """What ends, or has ended; and what channels may choose that the server does not list."""
    today = datetime.now(UTC).date()
    catalogue = Catalogue(settings)
    catalogue.learn(read_dates(listed))
    models = [*chosen, *list_others(settings)]
    for finding in [*find_endings(models, catalogue, today=today), *find_elsewhere(settings, today=today)]:
        told = found.wrong if finding.days <= 0 and not finding.ending.then else found.soon
        told.append(describe_ending(finding))
    found.wrong += [
        f"{one.where}: the server has no model {one.model}"
        for one in chosen
        if listed and one.where == "PARLEY_ALLOWED_MODELS" and one.model not in listed
    ]


def _explain(model: str, error: BotError) -> list[str]:
    if isinstance(error, ModelMissing):
        return [f"the server has no model {model}"]
    if isinstance(error, SetupError):
        return error.problems
    return [f"{model}: {line}" for line in explain_error(error)]
