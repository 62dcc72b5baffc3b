"""What is wrong with the settings, found before anything is opened: all of it at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from bot.channel.operator_file import read_answer_options
from bot.channel.options import OptionChecks
from bot.core.addresses import PlainHttpRule
from bot.core.calendar import Calendar, zone
from bot.core.errors import SetupError
from bot.core.settings import Settings
from bot.costs.pricing import read_prices
from bot.guard.policy import Policy, read_policies
from bot.provider.asking import read_askings
from bot.provider.catalogue import read_successors
from bot.provider.fallbacks import read_fallbacks
from bot.provider.model_hosts import find_host_problems
from storage.database import open_engine


def find_problems(settings: Settings) -> list[str]:
    """What is wrong with the settings before anything is opened, all of it at once."""
    problems = list[str]()
    if not settings.openai_api_key and not settings.openai_base_url:
        problems.append("OPENAI_API_KEY is not set, nor OPENAI_BASE_URL for a model server that wants no key")
    with _collected(problems):
        problems += find_host_problems(settings)
    with _collected(problems):
        problems += PlainHttpRule.of(settings).find_problems("SLACK_API_URL", settings.slack_api_url)
    with _collected(problems):
        Calendar(zone(settings.time_zone))
    with _collected(problems):
        read_askings(settings)
    with _collected(problems):
        read_successors(settings.successors)
    with _collected(problems):
        read_fallbacks(settings)
    with _collected(problems):
        open_engine(settings.database)
    with _collected(problems):
        read_operator_file(OptionChecks(settings, read_prices(settings), time.time))
    return list(dict.fromkeys(problems))


def read_operator_file(checks: OptionChecks) -> tuple[dict[str, Policy], dict[str, dict[str, str]]]:
    """What the operator says channels are for, and how they are answered. SetupError has every problem."""
    path, problems = checks.settings.policies, list[str]()
    with _collected(problems):
        checks.read_operator()
    with _collected(problems):
        policies = read_policies(path)
    with _collected(problems):
        given = read_answer_options(path, checks.check)
    if problems:
        raise SetupError(list(dict.fromkeys(problems)))
    return policies, given


@contextmanager
def _collected(problems: list[str]) -> Iterator[None]:
    """Goes on after a SetupError, with its problems noted."""
    try:
        yield
    except SetupError as exc:
        problems += exc.problems
