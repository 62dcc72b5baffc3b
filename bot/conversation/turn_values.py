"""What a turn is given, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.channel.service import Preferences
from bot.conversation.memory import Memory, ThreadReader
from bot.conversation.recollection import Recollection
from bot.conversation.shown_files import FileShower
from bot.core.settings import Settings
from bot.core.values import Completion, Incoming, Message, Reply
from bot.guard.service import ChannelGuard
from bot.knowledge.document_question import DocumentAnswer
from bot.knowledge.service import AsksDocuments
from bot.provider.service import Provider
from bot.voice.message_clips import MessageClips, SpokenWords


class LiveReply(Protocol):
    """A reply on its way to the person, shown while it is being written."""

    def show_transcribing(self, done_s: float, total_s: float) -> None: ...
    def show_reading(self, done: int, of: int) -> None: ...
    def show_waiting(self, waiting: bool) -> None: ...
    def show_queue(self, place: int, wait_s: float) -> None: ...
    def append(self, text: str) -> None: ...
    def vouch_for(self, messages: Sequence[Message]) -> None: ...
    def take_back(self) -> None: ...


class RemembersNotes(Protocol):
    """What a turn asks of notes."""

    async def remember(self, asked: Incoming, words: str) -> Reply:
        """Keeps the words as a note of where they were said; what their author is told."""


class Stoppable(Protocol):
    """Work that can be ended before it is done: a transcription, or an answer that is being written."""

    async def aclose(self) -> None: ...


class Stop(Protocol):
    """Lets somebody else end what is under way. `ended`: why it is to end, "" while it is not."""

    @property
    def ended(self) -> str: ...
    def watch(self, work: Stoppable | None) -> None: ...


@dataclass(frozen=True, slots=True)
class TurnServices:
    """The services a turn calls."""

    settings: Settings
    provider: Provider
    memory: Memory
    thread_reader: ThreadReader
    clips: MessageClips
    guard: ChannelGuard
    preferences: Preferences
    documents: AsksDocuments
    files: FileShower
    notes: RemembersNotes


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of it: what to say, and what to remember (nothing, when nothing was asked of the model)."""

    reply: Reply
    recollection: Recollection | None = None
    completion: Completion | None = None
    verdict: int = 0  # what the guard said, where there is one
    unanswered: str | None = None  # the nearest thing known, where nothing known was enough
    quiet: bool | None = None  # whether from now on mentions alone are answered in the thread
    heard: tuple[SpokenWords, ...] = ()  # what came of the files in each post of the question
    documents: DocumentAnswer | None = None  # what they were asked, and said
    read_more: bool = False  # the model has read more than the conversation, so its count says nothing of it
    attached_tokens: int = 0  # of that, what files of the conversation say, counted by us
