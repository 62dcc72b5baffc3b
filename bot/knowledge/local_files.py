"""Files on this machine, taken in for whoever runs Parley: by the running bot, or by the command itself.

Whichever process holds the database reads them. Between the two travel a `LocalFile` one way and lines of
progress, then what became of it, the other (bot/ops/control_socket.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from bot.core.errors import SetupError
from bot.core.values import File
from bot.knowledge.adding import NewDocument
from bot.knowledge.document_card import CardPlace, DocumentCard
from bot.knowledge.ingestion import Documents
from bot.knowledge.sources import ChannelState, FileSharing, KeptThread
from storage.knowledge.audiences import AudienceKind
from storage.knowledge.documents import Document

LOOK_EVERY_S = 0.2
SAME = "it is here already, unchanged"


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file that is to be answered from in a channel; no `channel`: in the whole workspace. `path` is
    absolute; `name`: what it is called among the documents there."""

    team: str
    channel: str
    path: str
    name: str

    @property
    def as_new(self) -> NewDocument:
        audience: AudienceKind = "channel" if self.channel else "workspace"
        return NewDocument(self.team, audience, self.channel, "", self.name, "command", path=self.path)


async def add_local_file(documents: Documents, file: LocalFile) -> AsyncIterator[dict[str, Any]]:
    """Takes one in, by a job of the running bot: how far it is, as often as that changes, and at the end what
    became of it (`describe`)."""
    id = await documents.add(file.as_new)
    told = -1
    while (document := await documents.look(id)) and document.state not in ("searchable", "failed"):
        if document.pages_read != told:
            told = document.pages_read
            yield {"name": file.name, "pages_read": document.pages_read, "pages": document.pages}
        await asyncio.sleep(LOOK_EVERY_S)
    yield describe(file, document)


async def add_here(documents: Documents, file: LocalFile) -> dict[str, Any]:
    """Takes one in right here, vectors and all, where no bot is at work; what became of it."""
    return describe(file, await documents.take_in_now(file.as_new))


def describe(file: LocalFile, document: Document | None) -> dict[str, Any]:
    """What became of a file, for whoever ran the command."""
    if document is None:
        return {"name": file.name, "file": file.path, "state": "unchanged", "problem": ""}
    return {
        "name": file.name,
        "file": file.path,
        "state": document.state,
        "problem": document.problem,
        "document": document.id,
        "title": document.title,
        "kind": document.kind,
        "pages": document.pages,
        "pages_read": document.pages_read,
        "skipped": [{"page": page, "reason": reason} for page, reason in document.skipped_pages],
        "chunks": document.chunks,
    }


class WithoutSlack:
    """For a process that takes in files of this machine and nothing else: DocumentSide, to which nothing is
    there."""

    async def details(self, file: File) -> File:
        _refuse()

    def fetched(self, file: File) -> AbstractAsyncContextManager[Path]:
        _refuse()

    async def read_thread(self, team: str, channel: str, thread: str) -> KeptThread:
        _refuse()

    async def show_card(self, card: DocumentCard, place: CardPlace, *, look: bool) -> CardPlace | None:
        """Cards of older versions stay as they are."""
        return None

    async def find_sharing(self, file: str) -> FileSharing | None:
        _refuse()

    async def find_channel_state(self, channel: str) -> ChannelState:
        _refuse()

    async def has_left(self, user: str) -> bool:
        _refuse()


def _refuse() -> NoReturn:
    raise SetupError(["Slack is not there for this command"])
