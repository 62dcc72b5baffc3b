"""What has to be known of a reply after a crash; bot/conversation/progress.py writes it down."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class ReplyProgress(Protocol):
    """`messages`: ids of those that it occupies. `session`: its thread may show that somebody is at work."""

    @property
    def messages(self) -> list[str]: ...

    @property
    def session(self) -> bool: ...

    async def note_sending(self) -> None:
        """From now on something of it may stand in Slack. StorageError."""
        ...

    def note_opened(self, messages: list[str]) -> None:
        """It occupies these messages. Does not wait, and does not fail."""
        ...

    async def note_session(self, shown: bool) -> bool:
        """Whether the thread shows that it is at work. False where that could not be written down."""
        ...

    def outside(self) -> AbstractContextManager[None]:
        """Around a wait for a place in the channel, during which others may be worked on."""
        ...


class Untracked:
    """For a message beside the answers, whose place others keep."""

    def __init__(self, messages: list[str]) -> None:
        self.messages = messages
        self.session = False

    async def note_sending(self) -> None: ...

    def note_opened(self, messages: list[str]) -> None: ...

    async def note_session(self, shown: bool) -> bool:
        return True

    def outside(self) -> AbstractContextManager[None]:
        return nullcontext()
