"""What Slack is to documents: where their words come from, and where people see how far they are.

Implemented in handlers/knowledge; what is asked here knows nothing of Slack's own shapes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bot.core.values import File
from bot.knowledge.document_card import CardPlace, DocumentCard

TITLE = 80  # characters of a thread's first message


@dataclass(frozen=True, slots=True)
class KeptPost:
    """One message of a thread that is kept. `place`: who said it and when, for a person to find it."""

    author: str  # id; "" of an app without one
    text: str
    place: str
    name: str = ""  # of its author
    message: str = ""  # its id
    said_at: float = 0.0  # unix seconds

    @property
    def line(self) -> str:
        """What was said, by whom."""
        return f"{self.name}: {self.text}" if self.name else self.text


@dataclass(frozen=True, slots=True)
class KeptThread:
    """A thread as it stands in Slack now, oldest first. `whole` False: its beginning is missing."""

    posts: Sequence[KeptPost]
    whole: bool = True

    @property
    def title(self) -> str:
        """How its first message begins."""
        first = " ".join(self.posts[0].text.split()) if self.posts else ""
        return first if len(first) <= TITLE else f"{first[: TITLE - 1]}…"


@dataclass(frozen=True, slots=True)
class FileSharing:
    """A file as Slack tells of it now, and the conversations in which it is shared."""

    file: File
    channels: frozenset[str]
    link: str = ""


@dataclass(frozen=True, slots=True)
class ChannelState:
    """What Slack tells of a channel. `there` False: nothing, it is gone or not for us."""

    there: bool = True
    archived: bool = False
    private: bool = False
    external: bool = False  # shared with another company


class DocumentSide(Protocol):
    """Slack, as documents need it. Everything may raise SlackUnavailable."""

    async def details(self, file: File) -> File:
        """The file as Slack tells of it. UnsupportedFile."""

    def fetched(self, file: File) -> AbstractAsyncContextManager[Path]:
        """A shared file on this machine. UnsupportedFile, FileTooLarge."""

    async def read_thread(self, team: str, channel: str, thread: str) -> KeptThread:
        """A thread as it stands there. UnsupportedFile when it cannot be read."""

    async def show_card(self, card: DocumentCard, place: CardPlace, *, look: bool) -> CardPlace | None:
        """Posts or changes a card; where it stands, None where Slack refuses. `look`: an earlier attempt may
        have posted it."""

    async def find_sharing(self, file: str) -> FileSharing | None:
        """Where a file is shared now; None when it is gone."""

    async def find_channel_state(self, channel: str) -> ChannelState:
        """What became of a channel."""

    async def has_left(self, user: str) -> bool:
        """Whether somebody is not in the workspace any more."""
