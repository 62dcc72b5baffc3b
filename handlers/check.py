"""`parley check`: everything that can be wrong before anybody writes, tried at once, one readable line each.

Nothing here changes anything: tokens are tried, the database is opened for reading. Each model is asked for a
token (handlers/check_models.py).
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.channel import models_in_use
from bot.channel.models_in_use import Chosen
from bot.channel.options import OptionChecks
from bot.core.addresses import PlainHttpRule
from bot.core.errors import BotError, SetupError, SlackError, SlackRefused, SlackRevoked
from bot.core.settings import Settings
from bot.costs.model_names import find_unpriced
from bot.costs.pricing import read_prices
from bot.privacy.notices import find_endless, find_unencrypted
from bot.provider.fallbacks import find_unpriced_fallbacks
from bot.setup_problems import find_problems, read_operator_file
from bot.text.file_names import escape_unseen
from bot.text.redact import redact_all
from handlers.check_models import ModelFindings, try_what_is_used
from handlers.routes import SCOPES
from handlers.slack.client import (
    SlackClient,
    misleading_variables,
    missing_tokens,
    open_slack,
    require_private_line,
)
from handlers.slack.socket import require_slack_socket
from storage.channel.preferences import Wish
from storage.database import check_database, open_engine

CONNECT_S = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


async def run(args: argparse.Namespace, settings: Settings) -> int:
    """Prints what is well and what is not; 0 when nothing is wrong, though there may be something to know."""
    unusable = find_problems(settings)
    problems = missing_tokens(settings) + misleading_variables() + unusable
    problems += await slack_problems(settings)
    problems += await database_problems(settings)
    wrong, models, unpriced = await channel_findings(settings)
    problems += wrong
    found = ModelFindings() if unusable else await try_what_is_used(settings, models)
    problems += found.wrong
    for problem in dict.fromkeys(problems):
        print(f"wrong: {escape_unseen(redact_all(problem))}")
    for notice in found.soon:
        print(f"soon: {notice}")
    for notice in unpriced:
        print(f"unpriced: {notice}")
    for notice in find_endless(settings) + find_unencrypted(settings):
        print(f"notice: {notice}")
    if found.told:
        print(found.told)
    if not problems:
        print("settings, tokens, scopes, database and model are in order")
    return 1 if problems else 0


async def slack_problems(settings: Settings) -> list[str]:
    """Tokens that Slack refuses, and scopes that the app was not given."""
    try:
        require_private_line(settings)
    except SetupError as exc:
        return exc.problems
    problems = list[str]()
    if settings.slack_bot_token:
        async with open_slack(settings) as client:
            slack = SlackClient(client)
            _, problems = await _call("SLACK_BOT_TOKEN", slack, "auth.test")
            if not problems:
                problems += missing_scopes(slack.scopes)
    if settings.slack_app_token and settings.socket_mode:
        async with open_slack(settings.changed(slack_bot_token=settings.slack_app_token)) as client:
            problems += await try_socket(settings, SlackClient(client))
    return problems


async def try_socket(settings: Settings, slack: SlackClient) -> list[str]:
    """The app token, and whether the host that Slack names for its sockets can be reached from here. No
    socket is opened: Slack would send events there."""
    found, problems = await _call("SLACK_APP_TOKEN", slack, "apps.connections.open")
    if problems:
        return problems
    address = str(found["url"])
    try:
        await require_slack_socket(address, settings.slack_host, PlainHttpRule.of(settings))
    except SetupError as exc:
        return exc.problems
    return await reach(address)


async def reach(address: str) -> list[str]:
    """What is wrong when nobody listens at the host of a socket."""
    parts = urlsplit(address)
    secure = parts.scheme == "wss"
    try:
        async with asyncio.timeout(CONNECT_S):
            port = parts.port or (443 if secure else 80)
            _, writer = await asyncio.open_connection(parts.hostname, port, ssl=secure or None)
    except OSError as exc:
        reason = exc.strerror or type(exc).__name__
        return [
            f"Socket Mode: {parts.hostname} cannot be reached from here ({reason}); is a proxy in the way?"
        ]
    writer.close()
    return []


async def _call(name: str, slack: SlackClient, method: str) -> tuple[Mapping[str, Any], list[str]]:
    """What Slack answers; else what is wrong with the token of that setting."""
    try:
        return await slack.call(method), []
    except (SlackRefused, SlackRevoked) as exc:
        return {}, [f"{name}: slack says {exc.code}"]
    except SlackError as exc:
        return {}, [f"{name}: slack cannot be reached ({exc})"]


def missing_scopes(granted: frozenset[str]) -> list[str]:
    """Scopes of manifest.yml that the installed app lacks. Slack names the granted ones in a header."""
    lacking = sorted(set(SCOPES) - granted) if granted else []
    return (
        [f"scopes: {', '.join(lacking)} missing; `parley connect` adds them, then install the app again"]
        if lacking
        else []
    )


async def database_problems(settings: Settings) -> list[str]:
    """A file that cannot be opened or is damaged, a server that lacks something; none at all is in order
    before
    the first start."""
    try:
        return await check_database(settings.database)
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
