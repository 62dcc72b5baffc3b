"""Where words may go: the one rule for the host of every request to a model, whatever setting names it.

A request to a host that the operator does not allow is not sent; neither is one that a redirect leads there
(bot/provider/transport.py). `find_host_problems` tells the same before anything is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from bot.core.addresses import HostList, PlainHttpRule, read_host
from bot.core.settings import Settings

OPENAI_URL = "https://api.openai.com/v1"


class HostForbidden(Exception):
    """Words must not go to a host; says which and why. Becomes Refused in bot/provider/error_table.py."""


@dataclass(frozen=True, slots=True)
class ModelHosts:
    """The hosts of PARLEY_MODEL_HOSTS, or any; without TLS only where that is allowed."""

    allowed: HostList
    plain_http: PlainHttpRule

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """SetupError for a list that names something else than hosts."""
        return cls(HostList.read("PARLEY_MODEL_HOSTS", settings.model_hosts), PlainHttpRule.of(settings))

    def find_problems(self, setting: str, url: str) -> list[str]:
        """What speaks against sending words to an address that a setting names."""
        if self.allowed and not self.allowed.holds(url):
            return [f"{setting}: {read_host(url)} is none of the hosts in PARLEY_MODEL_HOSTS"]
        return self.plain_http.find_problems(setting, url)

    async def require(self, url: str) -> None:
        """HostForbidden when words must not go there."""
        if self.allowed and not self.allowed.holds(url):
            raise HostForbidden(f"{read_host(url)} is none of the hosts in PARLEY_MODEL_HOSTS")
        if not await self.plain_http.permits(url):
            raise HostForbidden(f"{read_host(url)} would be spoken to without encryption")


def model_url(settings: Settings) -> str:
    """The base address of the model API."""
    return settings.openai_base_url or OPENAI_URL


def find_host_problems(settings: Settings) -> list[str]:
    """What is wrong with where the settings send words. SetupError: the lists of hosts themselves."""
    return ModelHosts.of(settings).find_problems("OPENAI_BASE_URL", model_url(settings))
