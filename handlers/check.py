"""`parley check`: everything that can be wrong before anybody writes, tried at once, one readable line each.

Nothing here changes anything: tokens are tried, the database is opened for reading, the model list is asked
for.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from bot.app import find_problems, read_operator_file
from bot.channel import models_in_use
from bot.channel.models_in_use import Chosen
from bot.channel.options import OptionChecks
from bot.core.errors import BotError, SetupError, SlackError, SlackRefused, SlackRevoked
from bot.core.settings import Settings
from bot.costs.model_names import find_unpriced
from bot.costs.pricing import read_prices
from bot.ops.operator_errors import explain_error
from bot.privacy.notices import find_endless, find_unencrypted
from bot.provider.catalogue import Catalogue
from bot.provider.fallbacks import find_unpriced_fallbacks
from bot.provider.transport import list_models
from bot.retirement.service import describe_ending, find_elsewhere, find_endings, list_others, read_dates
from bot.text.redact import redact_all
from handlers.routes import SCOPES
from handlers.slack.client import (
    SlackClient,
    misleading_variables,
    missing_tokens,
    open_slack,
    require_private_line,
)
from storage.channel.preferences import Wish
from storage.database import open_engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


async def run(args: argparse.Namespace, settings: Settings) -> int:
    """Prints what is well and what is not; 0 when nothing is wrong, though there may be something to know."""
    problems = missing_tokens(settings) + misleading_variables() + find_problems(settings)
    problems += await slack_problems(settings)
    problems += await database_problems(settings)
    today = datetime.now(UTC).date()
    wrong, models, unpriced = await channel_findings(settings)
    problems += wrong
    wrong, soon = await model_findings(settings, models, today=today)
    problems += wrong
    for problem in dict.fromkeys(problems):
        print(f"wrong: {redact_all(problem)}")
    for notice in soon:
        print(f"soon: {notice}")
    for notice in unpriced:
        print(f"unpriced: {notice}")
    for notice in find_endless(settings) + find_unencrypted(settings):
        print(f"notice: {notice}")
    if not problems:
        print("settings, tokens, scopes, database and model are in order")
    return 1 if problems else 0


async def slack_problems(settings: Settings) -> list[str]:
    """Tokens that Slack refuses, and scopes that the app was not given."""
    try:
        require_private_line(settings)
    except SetupError as exc:
        return exc.problems
    problems = []
    if settings.slack_bot_token:
        async with open_slack(settings) as client:
            slack = SlackClient(client)
            problems += await _try_token("SLACK_BOT_TOKEN", slack, "auth.test")
            if not problems:
                problems += missing_scopes(slack.scopes)
    if settings.slack_app_token and settings.socket_mode:
        async with open_slack(settings.changed(slack_bot_token=settings.slack_app_token)) as client:
            problems += await _try_token("SLACK_APP_TOKEN", SlackClient(client), "apps.connections.open")
    return problems


async def _try_token(name: str, slack: SlackClient, method: str) -> list[str]:
    try:
        await slack.call(method)
    except (SlackRefused, SlackRevoked) as exc:
        return [f"{name}: slack says {exc.code}"]
    except SlackError as exc:
        return [f"{name}: slack cannot be reached ({exc})"]
    return []


def missing_scopes(granted: frozenset[str]) -> list[str]:
    """Scopes of manifest.yml that the installed app lacks. Slack names the granted ones in a header."""
    lacking = sorted(set(SCOPES) - granted) if granted else []
    return (
        [f"scopes: {', '.join(lacking)} missing; `parley connect` adds them, then install the app again"]
        if lacking
        else []
    )


async def database_problems(settings: Settings) -> list[str]:
    """A file that cannot be opened or is damaged; none at all is in order before the first start."""
    path = Path(settings.database.partition(":///")[2])
    if settings.database.startswith("sqlite:///") and not path.exists():
        return (
            [] if os.access(path.absolute().parent, os.W_OK) else [f"database {path}: cannot be made there"]
        )
    try:
        async with open_engine(settings.database, read_only=True) as engine:
            return [f"database {path}: {line}" for line in await engine.check()]
    except SetupError as exc:
        return exc.problems


async def channel_findings(settings: Settings) -> tuple[list[str], Sequence[Chosen], list[str]]:
    """What is wrong with prices and with the operator's word about channels; every model in use with where it
    was chosen; what is said of those without a price."""
    now = datetime.now(UTC)
    try:
        prices = read_prices(settings)
        _, given = read_operator_file(OptionChecks(settings, prices, now.timestamp))
    except SetupError as exc:
        return exc.problems, models_in_use.list_models(settings, {}, ()), []
    models = models_in_use.list_models(settings, given, await read_chosen_models(settings))
    unpriced = find_unpriced([(one.where, one.model) for one in models], prices, at=now)
    return [], models, unpriced + find_unpriced_fallbacks(settings, at=now)


async def read_chosen_models(settings: Settings) -> Sequence[Wish]:
    """The models chosen in Slack; none where the database cannot be read, which is told elsewhere."""
    path = Path(settings.database.partition(":///")[2])
    if settings.database.startswith("sqlite:///") and not path.exists():
        return ()
    try:
        async with open_engine(settings.database, read_only=True) as engine:
            return await engine.read(models_in_use.read_chosen)
    except BotError:
        return ()


async def model_findings(
    settings: Settings, chosen: Sequence[Chosen], *, today: date
) -> tuple[list[str], list[str]]:
    """What is wrong (no answer, no such model, one that has ended and that nobody follows), and what ends
    soon."""
    try:
        listed = {model["id"]: model for model in await list_models(settings)}
    except BotError as exc:
        return explain_error(exc), []
    catalogue = Catalogue(settings)
    catalogue.learn(
        read_dates({name: str(model.get("shutdown_date") or "") for name, model in listed.items()})
    )
    missing = [
        f"{one.where}: the server has no model {one.model}" for one in chosen if one.model not in listed
    ]
    models = [*chosen, *list_others(settings)]
    wrong, soon = list[str](), list[str]()
    for finding in [*find_endings(models, catalogue, today=today), *find_elsewhere(settings, today=today)]:
        told = wrong if finding.days <= 0 and not finding.ending.then else soon
        told.append(describe_ending(finding))
    return missing + wrong, soon
