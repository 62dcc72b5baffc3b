"""What people attach to a question, read for that conversation alone: pictures to be seen, documents to be
found.

A picture is opened anew whenever a model is shown it, and kept nowhere. A document is read once and put into
the index for its own conversation (an audience of one thread); a turn that runs again finds it there.
Recordings are bot/voice/message_clips.py's. What a file is, its bytes say.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from bot.core.errors import AskError, FileTooLarge, UnsupportedFile
from bot.core.settings import Settings
from bot.core.values import Conversation, File, ShownPicture
from bot.documents.chunks import cut_into_chunks
from bot.documents.reading import read_document
from bot.documents.values import DocumentText, ReadingLimits
from bot.images.formats import may_be_picture
from bot.images.seeing import LONGEST_SIDE, is_decoded, read_format, see_picture
from bot.knowledge.index import DocumentIndex
from bot.knowledge.removal import put_removals
from storage.conversation import tombstones
from storage.engine import Engine, Tx
from storage.knowledge import documents as rows
from storage.knowledge.documents import Document

log = logging.getLogger(__name__)

MOST_PICTURES = 8  # that a model is shown in one turn
FIRST_FRAME = "{name} moves: I see its first frame."
ONLY_PART = "{name} is long: I read its beginning."
SKIPPED = "{name}: {pages} could not be read ({reason})."
NO_ROOM_FOR_PICTURE = "there are more pictures than the {most} that I look at in one turn"


class FetchesFiles(Protocol):
    """Where files come from."""

    async def details(self, file: File) -> File: ...
    def fetched(self, file: File) -> AbstractAsyncContextManager[Path]: ...


@dataclass(frozen=True, slots=True)
class Attached:
    """A message to which files are attached, or that asks about earlier ones. `kept` False: no word of them
    may be stored; `speakers`: who attached what, by the file's id, where that was somebody else."""

    conversation: Conversation
    message: str
    person: str
    files: tuple[File, ...]
    kept: bool = True
    speakers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadFile:
    """What came of one file. `file.read`: a model may be given what is in it; `unseen`: it is a picture, and
    nobody here can see; `text`: of a document that may not be stored."""

    file: File
    picture: ShownPicture | None = None
    notes: tuple[str, ...] = ()  # what a person is told of it
    unseen: bool = False
    text: str = ""


class Attachments:
    """Reads what is attached. One per process."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        index: DocumentIndex,
        source: FetchesFiles,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._index = index
        self._source = source
        self._clock = clock

    async def read(
        self, attached: Attached, *, sees: bool, most_pictures: int = MOST_PICTURES, side: int = LONGEST_SIDE
    ) -> list[ReadFile]:
        """Each file, one after the other. `sees`: whether the model may be able to; `side`: how long a
        picture may be at most.

        SlackUnavailable and StorageError come out of it: they are worth another attempt of the whole.
        """
        found = list[ReadFile]()
        for file in attached.files:
            room = sum(one.picture is not None for one in found) < most_pictures
            found.append(await self._read_one(attached, file, sees=sees, room=room, side=side))
        return found

    async def sort_documents(self, attached: Attached) -> tuple[list[File], list[File]]:
        """Of its files those that were read as documents, and those that nobody has tried to read yet."""
        files = [file for file in attached.files if not may_be_picture(file)]
        ids = [document_id(attached.conversation.key, file) for file in files]
        states = await self._engine.read(_read_states, ids)
        sorted_by = [(file, states.get(id, "")) for file, id in zip(files, ids, strict=True)]
        read = [file for file, state in sorted_by if state == "searchable"]
        return read, [file for file, state in sorted_by if state not in ("searchable", "failed")]

    async def _read_one(
        self, attached: Attached, file: File, *, sees: bool, room: bool, side: int
    ) -> ReadFile:
        try:
            if may_be_picture(file) and not sees:
                return ReadFile(file, unseen=True)
            if known := await self._find_read(attached, file):
                return known
            if file.stub or not file.url:
                file = await self._source.details(file)
            return await self._open(attached, file, sees=sees, room=room, side=side)
        except AskError as exc:
            log.info("a file is not read: %s", type(exc).__name__)
            if not file.name and isinstance(exc, UnsupportedFile | FileTooLarge):
                file = replace(file, name=exc.name)
            return ReadFile(file, notes=(exc.notice,))

    async def _open(self, attached: Attached, file: File, *, sees: bool, room: bool, side: int) -> ReadFile:
        if may_be_picture(file) and not room:
            raise UnsupportedFile(file.name, NO_ROOM_FOR_PICTURE.format(most=MOST_PICTURES))
        async with self._source.fetched(file) as path:
            format = read_format(path)
            if not format:
                return await self._read_document(attached, file, path)
            if not sees:
                return ReadFile(file, unseen=True)
            if not room:
                raise UnsupportedFile(file.name, NO_ROOM_FOR_PICTURE.format(most=MOST_PICTURES))
            if is_decoded(format) or not file.preview or format == "svg":
                return await _see(file, path, side)
        async with self._source.fetched(replace(file, url=file.preview, size_bytes=0)) as path:
            return await _see(file, path, side)

    async def _find_read(self, attached: Attached, file: File) -> ReadFile | None:
        """A document that an earlier attempt, or an earlier question, read or could not read."""
        document = await self._engine.read(rows.find, document_id(attached.conversation.key, file))
        if document is None or document.state not in ("searchable", "failed"):
            return None
        if document.problem:
            return ReadFile(file, notes=(document.problem,))
        return ReadFile(replace(file, read=True), notes=_tell_skipped(document.name, document.skipped_pages))

    async def _read_document(self, attached: Attached, file: File, path: Path) -> ReadFile:
        if not attached.kept:
            text = await read_document(path, file.name, ReadingLimits())
            return ReadFile(replace(file, read=True), notes=_notes(file, text), text=text.text)
        document = self._describe(attached, file)
        await self._engine.write(rows.add, document)
        try:
            text = await read_document(path, file.name, ReadingLimits())
        except AskError as exc:
            await self._engine.write(rows.set_state, document.id, "failed", problem=exc.notice)
            raise
        await self._put(document, text)
        if await self._is_gone(attached):
            await self._index.remove([document.id], now=self._clock())
        return ReadFile(replace(file, read=True), notes=_notes(file, text))

    async def _put(self, document: Document, text: DocumentText) -> None:
        skipped = [(page.page, page.reason) for page in text.skipped]
        await self._engine.write(
            partial(rows.note_read, pages=text.pages, pages_read=text.pages - len(skipped), skipped=skipped),
            document.id,
            title=document.name,
            kind=text.kind,
            digest="",
        )
        await self._index.put(document.id, await asyncio.to_thread(cut_into_chunks, text))
        await self._index.publish(document.id, now=self._clock())

    async def _is_gone(self, attached: Attached) -> bool:
        """Whether the message was deleted while its file was read."""
        place = attached.conversation
        return await self._engine.read(tombstones.forgotten, place.team, place.channel, attached.message)

    def _describe(self, attached: Attached, file: File) -> Document:
        place = attached.conversation
        return Document(
            id=document_id(place.key, file),
            team=place.team,
            audience="thread",
            channel=place.channel,
            conversation=place.key,
            person=attached.speakers.get(file.id) or attached.person,
            name=file.name,
            title=file.name,
            source="file",
            file=file.id,
            link=file.link,
            state="reading",
            added_at=self._clock(),
        )


def remove_attached(tx: Tx, conversation: str, files: Iterable[File], *, now: float) -> None:
    """Their message is deleted: documents made of them are not found from now on, and erased by a job."""
    found = (rows.find(tx, document_id(conversation, file)) for file in files)
    put_removals(tx, [document for document in found if document], again=f":{now}", now=now)


def document_id(conversation: str, file: File) -> str:
    """Of a file's document in the conversation of a key, the same in every attempt."""
    return hashlib.blake2s(f"{conversation}\n{file.id}".encode(), digest_size=16).hexdigest()


async def _see(file: File, path: Path, side: int) -> ReadFile:
    seen = await see_picture(path, file.name, longest_side=side)
    notes = (FIRST_FRAME.format(name=file.name),) if seen.moves else ()
    return ReadFile(replace(file, read=True), seen.picture, notes)


def _notes(file: File, text: DocumentText) -> tuple[str, ...]:
    """What of a document was not read, in sentences."""
    cut = (ONLY_PART.format(name=file.name),) if text.cut else ()
    skipped = _tell_skipped(file.name, [(page.page, page.reason) for page in text.skipped])
    return (*cut, *skipped, *text.notes)


def _tell_skipped(name: str, skipped: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    """Pages by the reason why they were not read."""
    by_reason: dict[str, list[str]] = {}
    for page, reason in skipped:
        by_reason.setdefault(reason, []).append(str(page))
    return tuple(
        SKIPPED.format(name=name, pages=f"page {', '.join(pages)}", reason=reason)
        for reason, pages in by_reason.items()
    )


def _read_states(tx: Tx, ids: Sequence[str]) -> dict[str, str]:
    found = (rows.find(tx, id) for id in ids)
    return {document.id: document.state for document in found if document}
