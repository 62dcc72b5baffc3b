"""Where something belongs: a thread, or a channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Place(Protocol):
    """One thread; `bot.core.values.Conversation` is one. `key` names what is remembered with it: the thread
    alone, or all of a direct conversation."""

    @property
    def team(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def thread(self) -> str: ...
    @property
    def key(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel of one workspace."""

    team: str
    channel: str

    @property
    def key(self) -> dict[str, str]:
        return {"team": self.team, "channel": self.channel}
