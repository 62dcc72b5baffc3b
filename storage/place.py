"""Where something was said, as storage needs it; `bot.core.values.Conversation` is one."""

from __future__ import annotations

from typing import Protocol


class Place(Protocol):
    """One thread. `key` names it alone."""

    @property
    def team(self) -> str: ...
    @property
    def channel(self) -> str: ...
    @property
    def thread(self) -> str: ...
    @property
    def key(self) -> str: ...
