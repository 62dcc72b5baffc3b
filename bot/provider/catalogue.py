"""When models end, and which model answers in the place of one that has ended.

What a server reports itself (`shutdown_date` in its list of models) goes before our own dated table
(endings.toml beside this file); who follows is the operator's to say (PARLEY_SUCCESSORS), else the service's
own recommendation. Looking every day, and telling people, is bot/retirement.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from bot.core.errors import SetupError
from bot.core.settings import Settings, split_list
from bot.costs.price_list import strip_date
from bot.costs.pricing import read_deployments

_TABLE = Path(__file__).with_name("endings.toml")
# The hosts of services whose models the table knows. Source: their API references.
_SERVICES = {"openai": (".openai.com",), "azure": (".azure.com", ".azure.us", ".azure.cn")}
LONGEST_CHAIN = 5  # of models of which each follows the one before


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a model: the first day (UTC) on which it does not answer, and who follows, "" if nobody."""

    model: str
    ends: date
    then: str


class Catalogue:
    """The models at one address. `learn` what its server says about them, each time it says it."""

    def __init__(self, settings: Settings) -> None:
        """SetupError when PARLEY_SUCCESSORS is not a list of pairs."""
        self._service = find_service(settings.openai_base_url)
        self._deployments = read_deployments(settings.model, settings.base_model)
        self._chosen = read_successors(settings.successors)
        self._reported: dict[str, date] = {}
        self._gone: set[str] = set()
        self.replaced: dict[str, str] = {}  # models that ended → who answered for them since the start

    def learn(self, reported: Mapping[str, date | None]) -> None:
        """What the server says of its models: when each ends, None where it names no day."""
        self._reported = {model: ends for model, ends in reported.items() if ends is not None}
        self._gone -= set(reported)

    def find_ending(self, model: str) -> Ending | None:
        """When a model ends; None while no day is known."""
        listed = _read_table(self._service or "openai").get(self._base(model))
        ends = self._reported.get(model) or (listed.ends if listed and self._service else None)
        return Ending(model, ends, self._successor(model, listed)) if ends else None

    def pick(self, model: str, *, at: float) -> str:
        """The model to ask for `model` at that moment (unix seconds): itself until it has ended."""
        today, asked = datetime.fromtimestamp(at, UTC).date(), model
        for _ in range(LONGEST_CHAIN):
            ending = self.find_ending(asked)
            over = asked in self._gone or (ending is not None and ending.ends <= today)
            follower = self._follower(asked) if over else ""
            if not follower:
                break
            asked = follower
        if asked != model:
            self.replaced[model] = asked
        return asked

    def note_missing(self, model: str) -> bool:
        """The server says that it has no such model; True when another is to be asked from now on."""
        if model in self._gone or not self._follower(model):
            return False
        self._gone.add(model)
        return True

    def _follower(self, model: str) -> str:
        return self._successor(model, _read_table(self._service or "openai").get(self._base(model)))

    def _successor(self, model: str, listed: Ending | None) -> str:
        chosen = self._chosen.get(model)
        return chosen if chosen is not None else listed.then if listed else ""

    def _base(self, model: str) -> str:
        """The name that the table has for a deployment, a fine-tuned model or a dated snapshot."""
        base = self._deployments.get(model, model).lower().removeprefix("openai/").removeprefix("ft:")
        return strip_date(base.partition(":")[0])


def find_service(base_url: str) -> str:
    """The service behind a base URL, as the table names it; "" for any other server."""
    host = f".{urlsplit(base_url).hostname or ''}" if base_url else ".openai.com"
    return next((name for name, ends in _SERVICES.items() if host.endswith(ends)), "")


def read_successors(given: str) -> dict[str, str]:
    """`gpt-5=gpt-6.1-sol, our-old=our-new` by the model that ends; an empty one says that nobody follows."""
    pairs = [part.partition("=") for part in split_list(given)]
    if wrong := [name for name, sign, _ in pairs if not (name.strip() and sign)]:
        raise SetupError([f"PARLEY_SUCCESSORS: {name!r} is not model=successor" for name in wrong])
    return {name.strip(): then.strip() for name, _, then in pairs}


@cache
def _read_table(service: str) -> dict[str, Ending]:
    rows = tomllib.loads(_TABLE.read_text("utf-8"))["ending"]
    return {
        model: Ending(model, row["ends"], row["then"])
        for row in rows
        if row["at"] == service
        for model in row["models"]
    }
