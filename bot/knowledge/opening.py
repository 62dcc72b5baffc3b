"""Where the words of a document come from: a file in Slack or on this machine, a thread, or a typed text."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bot.core.errors import UnsupportedFile
from bot.documents.reading import read_document
from bot.documents.values import NOTE, DocumentText, ReadingLimits, Section
from bot.knowledge.adding import NewDocument
from bot.knowledge.sources import DocumentSide, KeptThread
from storage import audit
from storage.conversation import tombstones
from storage.engine import Engine, Tx

NOTHING_SAID = "nothing is said in it"
ToldPages = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class OpenedDocument:
    """What stands in a document that is to be kept. `digest`: the same bytes have the same; `authors`: ids of
    those whose words it holds, where they are not those of whoever added it."""

    digest: str
    text: DocumentText
    authors: tuple[str, ...] = ()


@asynccontextmanager
async def opened(
    new: NewDocument, side: DocumentSide, engine: Engine, *, progress: ToldPages
) -> AsyncIterator[OpenedDocument]:
    """Its words, and for as long, where it is a file, the file. UnsupportedFile, FileTooLarge."""
    if new.source == "file" and new.file is not None:
        file = await side.details(new.file) if new.file.stub or not new.file.url else new.file
        async with side.fetched(file) as path:
            yield await _read_file(path, new.name, progress)
    elif new.source == "command":
        yield await _read_file(Path(new.path), new.name, progress)
    elif new.source == "thread":
        kept = await side.read_thread(new.team, new.origin, new.thread)
        yield _write_thread(new, await engine.read(leave_out_forgotten, new.team, new.origin, kept))
    elif new.source == "note":
        note = Section(new.text, place=new.said)
        yield _digested(DocumentText(NOTE, new.title, (note,), 0), f"{new.title}\n{new.text}\n{new.said}")
    else:
        yield _digested(DocumentText("text", new.title, (Section(new.text),), 0), new.text)


async def _read_file(path: Path, name: str, progress: ToldPages) -> OpenedDocument:
    try:
        digest = await asyncio.to_thread(_digest_file, path)
    except OSError as exc:
        raise UnsupportedFile(name, "it is not there any more") from exc
    return OpenedDocument(digest, await read_document(path, name, ReadingLimits(), progress=progress))


def _write_thread(new: NewDocument, kept: KeptThread) -> OpenedDocument:
    if not kept.posts:
        raise UnsupportedFile(new.name, NOTHING_SAID)
    sections = tuple(Section(post.line, kept.title, 0, post.place) for post in kept.posts)
    text = DocumentText("thread", new.title or kept.title, sections, 0, cut=not kept.whole)
    return _digested(text, text.text, sorted({post.author for post in kept.posts}))


def leave_out_forgotten(tx: Tx, team: str, channel: str, kept: KeptThread) -> KeptThread:
    """A thread without what was forgotten: Slack still shows posts of whoever wanted nothing kept of theirs,
    and nobody else may bring them back. What they said since then is theirs to have kept."""
    since = {post.author: audit.find_last(tx, "forgot person", post.author, team=team) for post in kept.posts}
    left = [
        post
        for post in kept.posts
        if post.said_at > since[post.author] and not tombstones.forgotten(tx, team, channel, post.message)
    ]
    return replace(kept, posts=left)


def _digested(text: DocumentText, content: str, authors: Sequence[str] = ()) -> OpenedDocument:
    return OpenedDocument(hashlib.sha256(content.encode()).hexdigest(), text, tuple(authors))


def _digest_file(path: Path) -> str:
    if not path.is_file():  # opening a pipe waits for ever for whoever writes into it
        raise FileNotFoundError
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
