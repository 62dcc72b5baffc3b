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
from bot.provider.transport import list_models
from bot.voice import speech_models
from handlers.routes import SCOPES
from handlers.slack.client import SlackClient, misleading_variables, missing_tokens, open_slack
from storage.channel.preferences import Wish
from storage.database import open_engine

# How long before a model's end the operator should hear of it.
SHUTDOWN_NOTICE_DAYS = 90


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


async def run(args: argparse.Namespace, settings: Settings) -> int:
    """Prints what is well and what is not; 0 when nothing is wrong, though something may be about to end."""
    problems = missing_tokens(settings) + misleading_variables() + find_problems(settings)
    problems += await slack_problems(settings)
    problems += await database_problems(settings)
    today = datetime.now(UTC).date()
    wrong, models, unpriced = await channel_findings(settings)
    problems += wrong
    wrong, soon = await model_findings(settings, models, today=today)
    deaf, deaf_soon = speech_findings(settings, today=today)
    problems += wrong + deaf
    soon += deaf_soon
    for problem in problems:
        print(f"wrong: {problem}")
    for notice in soon:
        print(f"soon: {notice}")
    for notice in unpriced:
        print(f"unpriced: {notice}")
    if not problems:
        print("settings, tokens, scopes, database and model are in order")
    return 1 if problems else 0


async def slack_problems(settings: Settings) -> list[str]:
    """Tokens that Slack refuses, and scopes that the app was not given."""
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
        [f"scopes: {', '.join(lacking)} missing; update the app from manifest.yml and reinstall"]
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
    return [], models, find_unpriced(models, prices, at=now)


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
    """What is wrong (no answer, no such model, one that has ended), and what ends soon."""
    try:
        models = {model["id"]: model for model in await list_models(settings)}
    except BotError as exc:
        return explain_error(exc), []
    wrong, soon = list[str](), list[str]()
    for where, model in chosen:
        if model not in models:
            wrong.append(f"{where}: the server has no model {model}")
        elif ends := models[model].get("shutdown_date"):
            ended, ending = shutdown_findings(f"{where}: {model}", ends, today=today)
            wrong, soon = wrong + ended, soon + ending
    return wrong, soon


def speech_findings(settings: Settings, *, today: date) -> tuple[list[str], list[str]]:
    """The same two lists for the model that listens; the table knows who comes after it."""
    model = speech_models.lookup(settings.speech_model)
    if not model.shutdown:
        return [], []
    named = f"PARLEY_SPEECH_MODEL: {settings.speech_model} (then: {model.successor})"
    return shutdown_findings(named, model.shutdown.isoformat(), today=today)


def shutdown_findings(named: str, ends: str, *, today: date) -> tuple[list[str], list[str]]:
    """The same two lists for a model that has an end (ISO date or time)."""
    days = (date.fromisoformat(ends[:10]) - today).days
    if days < 0:
        return [f"{named} ended on {ends[:10]}"], []
    notice = f"{named} ends on {ends[:10]}, in {days} days"
    return [], [notice] if days <= SHUTDOWN_NOTICE_DAYS else []
