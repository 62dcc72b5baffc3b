"""Further models or servers, asked in order when the one before does not answer (PARLEY_FALLBACKS).

Only before the first shown word: a part of one model's answer is never continued by another. Each entry has
its own connection, price, style and circuit breaker, and what is learned of one model is not held against
another.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from bot.core.errors import Credentials, ModelMissing, ProviderError, QuotaSpent, SetupError, Unavailable
from bot.core.settings import STYLES, Settings, is_address, split_list
from bot.core.values import Prompt, Scope
from bot.costs.model_names import find_unpriced
from bot.costs.pricing import read_deployments, read_prices
from bot.ops.metrics import METRICS
from bot.provider.answer_stream import AnswerState, AnswerStream
from bot.provider.client import ModelClient
from bot.provider.model_hosts import ModelHosts
from bot.provider.text import TextRequests

log = logging.getLogger(__name__)

# What another model can help with. A refusal of the question itself it cannot.
HELPED = (Unavailable, Credentials, QuotaSpent, ModelMissing)


@dataclass(frozen=True, slots=True)
class Fallback:
    """One entry of the setting. An empty part is as for PARLEY_MODEL."""

    model: str
    base_url: str = ""
    style: str = ""


@dataclass(frozen=True, slots=True)
class Server:
    """A model that can be asked, and the line to it. `model` and `style`: whose own are wanted, "" for what
    the question asks for."""

    client: ModelClient
    text: TextRequests
    model: str = ""
    style: str = ""


def read_fallbacks(settings: Settings) -> list[Fallback]:
    """`gpt-6-sol, llama3.2:3b http://10.0.0.7:11434/v1 transcript`; SetupError with every problem."""
    found, problems, hosts = list[Fallback](), list[str](), ModelHosts.of(settings)
    for entry in split_list(settings.fallbacks):
        model, *words = entry.split()
        urls = [word for word in words if is_address(word)]
        styles = [word for word in words if word in STYLES]
        if len(urls) > 1 or len(styles) > 1 or len(urls) + len(styles) < len(words) or is_address(model):
            problems.append(
                f"PARLEY_FALLBACKS: {entry!r} is not MODEL, or MODEL ADDRESS, perhaps with a style"
            )
        problems += [line for url in urls[:1] for line in hosts.find_problems("PARLEY_FALLBACKS", url)]
        found.append(Fallback(model, "".join(urls[:1]), "".join(styles[:1])))
    try:
        read_keys(settings.fallback_keys)
    except SetupError as exc:
        problems += exc.problems
    if problems:
        raise SetupError(problems)
    return found


def read_keys(given: str) -> dict[str, str]:
    """`gateway.example.com=sk-…, …` by host. A problem never repeats what may be a key."""
    pairs = [part.partition("=") for part in split_list(given)]
    if not all(host.strip() and key.strip() for host, _, key in pairs):
        raise SetupError(["PARLEY_FALLBACK_KEYS: not of the form host=key, separated by commas"])
    return {host.strip().lower(): key.strip() for host, _, key in pairs}


def settings_of(settings: Settings, fallback: Fallback) -> Settings:
    """The operator's settings as they are for one entry."""
    given = {"model": fallback.model, "middle_model": "", "small_model": "", "successors": ""}
    # By name, for what runs behind PARLEY_MODEL does not run behind this one.
    behind = read_deployments(settings.model, settings.base_model).items()
    given |= {"base_model": ", ".join(f"{name}={base}" for name, base in behind)}
    given |= {"style": fallback.style or settings.style}
    if fallback.base_url:
        host = (urlsplit(fallback.base_url).hostname or "").lower()
        key = read_keys(settings.fallback_keys).get(host, "")
        given |= {"openai_base_url": fallback.base_url, "openai_api_key": key}
        rates = {"tokens_per_minute": 0, "requests_per_minute": 0, "tokens_counted": ""}
        return settings.changed(**given, **rates)  # those are of OPENAI_BASE_URL
    return settings.changed(**given)


def find_unpriced_fallbacks(settings: Settings, *, at: datetime) -> list[str]:
    """What is said of each entry that nobody knows a price of."""
    found = list[str]()
    for fallback in read_fallbacks(settings):
        prices = read_prices(settings_of(settings, fallback))
        found += find_unpriced([("PARLEY_FALLBACKS", fallback.model)], prices, at=at)
    return found


def stream_in_turn(
    servers: Sequence[Server],
    prompt: Prompt,
    scope: Scope,
    *,
    model: str,
    style: str,
    max_output_tokens: int | None,
) -> AnswerStream:
    """The answer of the first server that gives one."""
    state = AnswerState(model)

    async def generate() -> AsyncGenerator[str, None]:
        failures = list[ProviderError]()
        # While there is another to ask nobody is waited for; in the end, the first is.
        rounds = [(server, False) for server in servers] if len(servers) > 1 else []
        for server, patient in [*rounds, (servers[0], True)]:
            texts = server.text.generate(
                prompt,
                scope,
                state,
                model=server.model or model,
                style=server.style or style,
                max_output_tokens=max_output_tokens,
                patient=patient,
            )
            try:
                async with aclosing(texts):
                    async for text in texts:
                        yield text
            except HELPED as error:
                if state.parts or state.taken_back:
                    raise
                log.info("%s does not answer (%s)", server.model or model, type(error).__name__)
                failures.append(error)
            else:
                if server is not servers[0]:
                    state.passed_over = model
                    METRICS.count("parley_fallback_answers_total", model=state.model)
                return
        raise next((error for error in failures if error.retry), failures[0])

    return AnswerStream(generate(), state)
