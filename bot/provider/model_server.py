"""One model server as the operator describes it: its address, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from bot.core.addresses import PlainHttpRule, is_encrypted, is_in_the_house
from bot.core.settings import Settings
from bot.provider.model_hosts import model_url


@dataclass(frozen=True, slots=True)
class ModelServer:
    """A rate of 0 is what the server says itself. `parallel`: requests at once; 0: as many as turn out to be
    good for it where it is `own`, else without bound."""

    address: str
    own: bool = False  # on this machine, or in a private network
    tokens_per_minute: float = 0
    requests_per_minute: float = 0
    counted: str = ""  # against the tokens: a key of MEANINGS in counting.py
    parallel: int = 0

    @classmethod
    def of(cls, settings: Settings) -> Self:
        return cls(
            model_url(settings),
            own=_is_own(settings),
            tokens_per_minute=settings.tokens_per_minute,
            requests_per_minute=settings.requests_per_minute,
            counted=settings.tokens_counted,
            parallel=settings.model_parallel,
        )


def _is_own(settings: Settings) -> bool:
    """By how the address is written. What is spoken to without TLS is in a private network, too, unless the
    operator says otherwise: nothing else is allowed (bot/provider/model_hosts.py)."""
    url = model_url(settings)
    plain = not is_encrypted(url) and not PlainHttpRule.of(settings).allowed.holds(url)
    return plain or is_in_the_house(url)
