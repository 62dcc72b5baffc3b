"""From something that somebody adds to a document that can be found: jobs of the inbox, one place in order.

Adding commits the document and its job together; the job reads, cuts and indexes, and shows on a card how far
it is. A process that dies over it begins again, and nothing is in the index twice. The version before is
found until this one is. Vectors are a job of their own behind it. What happens to a file, a channel or a
person in Slack later is bot/knowledge/following.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from pathlib import Path

from bot.core.background import repeat_alongside
from bot.core.calendar import Calendar, utc_now
from bot.core.errors import AskError, BotError, Missing, SlackError, UnsupportedFile
from bot.core.settings import Settings
from bot.core.values import Scope, Usage
from bot.costs.pricing import Prices
from bot.documents.chunks import cut_into_chunks
from bot.documents.reading import read_document
from bot.documents.values import DocumentText, ReadingLimits, Section
from bot.jobs.inbox import Effect, Inbox, Job
from bot.knowledge.adding import NewDocument, decode_document, encode_document
from bot.knowledge.document_card import CardPlace, DocumentCard, read_card_place
from bot.knowledge.index import DocumentIndex
from bot.knowledge.removal import REMOVAL, REMOVED, Removal, decode_removal, removal_lane
from bot.knowledge.sources import DocumentSide, KeptThread
from bot.provider.fair_share import in_background
from storage import audit
from storage.engine import Engine, Tx
from storage.knowledge import documents as rows
from storage.knowledge.audiences import Audience
from storage.knowledge.documents import Document

log = logging.getLogger(__name__)

DOCUMENT, VECTORS = "document", "document vectors"  # kinds of jobs; REMOVAL is another
SHOW_EVERY_S = 3.0  # how far a document is, on its card
AT_ONCE = 2  # documents that are read at the same moment: each has a process of its own
CHARACTERS_PER_TOKEN = 3  # of text in any language, about: what is told is rather too much
LOCAL = "local"  # what the name of an embedder on this machine begins with

UNCHANGED = "This very file is here already: nothing has changed."
REPLACED = "A newer version of this document took its place."
NOTHING_SAID = "nothing is said in it"


class Documents:
    """Takes documents in and out. One per process."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        inbox: Inbox,
        index: DocumentIndex,
        side: DocumentSide,
        *,
        prices: Prices,
        calendar: Calendar,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._inbox = inbox
        self._index = index
        self._side = side
        self._prices = prices
        self._calendar = calendar
        self._reading = asyncio.Semaphore(AT_ONCE)

    # What people ask for

    async def add(self, new: NewDocument, *, card: CardPlace | None = None, hidden: str = "") -> str:
        """On return it is on disk and will be read; the id of the document. `card`: that of the version
        before, which tells of this one from now on; `hidden`: why that one is not to be found, nor this."""
        document = replace(_make_document(new, card, now=self._now()), hidden=hidden)
        await self._inbox.put(
            f"{DOCUMENT}:{document.id}",
            _lane(document),
            DOCUMENT,
            json.dumps({"id": document.id, "new": encode_document(new)}),
            team=new.team,
            person=new.person,
            when=partial(_begin, document),
        )
        return document.id

    async def find(self, team: str, id: str) -> Document:
        """A document of a workspace. Missing."""
        found = await self._engine.read(rows.find, id)
        if found is None or found.team != team:
            raise Missing(f"no document {id}")
        return found

    async def list_at(self, audience: Audience) -> list[Document]:
        """Every document that this audience may know of, those too that cannot be found just now."""
        return await self._engine.read(_list_at, audience)

    async def remove(self, document: Document, *, by: str, why: str = REMOVED) -> None:
        """From this moment on it is not found; its words are erased by a job, however often that takes.
        `why`: what its card says then."""
        await self._inbox.put(
            f"{REMOVAL}:{document.id}",
            removal_lane(document.team),
            REMOVAL,
            Removal(document.id, document.card, by, why).payload,
            team=document.team,
            when=partial(_hide_for_good, document.id),
        )

    async def look(self, id: str) -> Document | None:
        """The document as it is now; None when it was removed, or was here before."""
        return await self._engine.read(rows.find, id)

    async def take_in_now(self, new: NewDocument) -> Document | None:
        """Without a job: on return it is searchable, with its vectors, or given up on."""
        document = _make_document(new, None, now=self._now())
        await self._engine.write(partial(_begin, document))
        await self._take_in(document.id, new, look=False)
        await self._embed(document.id)
        return await self.look(document.id)

    # Jobs

    async def work(self, job: Job) -> list[Effect]:
        """A job of one of our kinds."""
        if job.kind == REMOVAL:
            await self._erase(decode_removal(job.payload))
        elif job.kind == VECTORS:
            await self._embed(json.loads(job.payload)["id"])
        else:
            told = json.loads(job.payload)
            with self._inbox.aside(job):  # a place for answers is not held for it
                async with self._reading:
                    await self._take_in(told["id"], decode_document(told["new"]), look=job.attempts > 1)
        return []

    async def report_failure(self, job: Job, error: BotError) -> None:
        """The last word on a document that was given up on."""
        told = json.loads(job.payload)
        document = await self._engine.read(rows.find, told["id"])
        if job.kind == DOCUMENT and document is not None and document.state != "searchable":
            place = _place_of(decode_document(told["new"]), document)
            await self._give_up(document, place, error.notice, look=True)

    async def _take_in(self, id: str, new: NewDocument, *, look: bool) -> None:
        document = await self._engine.read(rows.find, id)
        if document is None:  # removed
            return
        if document.state == "searchable":  # by an attempt whose end was not written down
            await self._erase_outlived(document, new, published=True)
            await self._tell_searchable(id, (), _place_of(new, document))
            return
        await self._erase_outlived(document, new, published=False)
        await self._engine.write(rows.set_state, id, "reading")
        place = await self._show(replace(document, state="reading"), _place_of(new, document), look=look)
        try:
            with in_background():
                await self._read(document, new, place)
        except AskError as exc:
            await self._give_up(document, place, exc.notice)

    async def _erase_outlived(self, document: Document, new: NewDocument, *, published: bool) -> None:
        """What failed before it, and what it replaces, once it is `published`, where that was not erased to
        its end."""
        found = await self._engine.read(rows.list_outlived, document)
        named = [new.replaces] if published and new.replaces else []
        if found or named:
            await self._index.remove([*(one.id for one in found), *named], by=new.person, now=self._now())
        for one in found:
            if one.hidden and one.card != document.card:
                await self._show_gone(read_card_place(one.card), REPLACED)

    async def _read(self, document: Document, new: NewDocument, place: CardPlace | None) -> None:
        progress = _Progress()
        async with (
            repeat_alongside([partial(self._show_progress, document, place, progress)], SHOW_EVERY_S),
            self._opened(document.id, new, progress) as (digest, text),
        ):
            same = await self._engine.read(rows.find_same, document)
            if same is not None and same.digest == digest and not same.hidden:
                await self._drop_unchanged(document, same, place)
                return
            if document.digest not in ("", digest):  # it was changed since an earlier attempt
                await self._index.empty(document.id)
            await self._note_read(document, text, digest)
            await self._engine.write(rows.set_replaces, document.id, same.id if same else new.replaces)
            await self._index.put(document.id, await asyncio.to_thread(cut_into_chunks, text))
        await self._index.publish(document.id, now=self._now())
        await self._drop_older(new, same, place)
        await self._tell_searchable(document.id, text.notes, place)

    async def _drop_older(self, new: NewDocument, same: Document | None, place: CardPlace | None) -> None:
        """What is replaced beside the version of the same name; and a card that tells of it still."""
        if new.replaces and same is not None and new.replaces != same.id:
            await self._index.remove([new.replaces], by=new.person, now=self._now())
        if same is not None and (place is None or same.card != place.key):
            await self._show_gone(read_card_place(same.card), REPLACED)

    async def _tell_searchable(self, id: str, notes: Sequence[str], place: CardPlace | None) -> None:
        document = await self._engine.read(rows.find, id)
        if document is None:
            await self._show_gone(place, REMOVED)
            return
        if self._settings.embeddings:
            await self._put_vectors(document)
        await self._show(document, place, notes=notes)

    async def catch_up(self) -> None:
        """Has vectors made of what has none by today's embedder, which may be another than before."""
        for id in await self._index.list_incomplete():
            if document := await self.look(id):
                await self._put_vectors(document, again=f":{time.time_ns()}")

    async def _put_vectors(self, document: Document, *, again: str = "") -> None:
        await self._inbox.put(
            f"{VECTORS}:{document.id}{again}",
            f"{VECTORS}:{document.team}",
            VECTORS,
            json.dumps({"id": document.id}),
            team=document.team,
        )

    async def _note_read(self, document: Document, text: DocumentText, digest: str) -> None:
        skipped = [(page.page, page.reason) for page in text.skipped]
        await self._engine.write(
            rows.note_read,
            document.id,
            title=document.title if document.title != document.name else text.title or document.name,
            kind=text.kind,
            digest=digest,
            pages=text.pages,
            pages_read=text.pages - len(skipped),
            skipped=skipped,
        )

    async def _drop_unchanged(self, document: Document, same: Document, place: CardPlace | None) -> None:
        await self._index.remove([document.id], now=self._now())
        if place is not None and place.key == same.card:  # nobody asked for it: Slack told of a change
            await self._show(same, place)
        else:
            await self._show_gone(place, UNCHANGED)

    async def _give_up(
        self, document: Document, place: CardPlace | None, problem: str, *, look: bool = False
    ) -> None:
        await self._engine.write(rows.set_state, document.id, "failed", problem=problem)
        await self._show(replace(document, state="failed", problem=problem), place, look=look)

    async def _embed(self, id: str) -> None:
        """Vectors of a document, with progress on its card."""
        document = await self._engine.read(rows.find, id)
        if document is None or document.state != "searchable":
            return
        scope = Scope(document.team, document.channel, document.person, id, "embedding")
        place, progress = read_card_place(document.card), _Progress()

        async def show() -> None:
            if progress.changed():
                with contextlib.suppress(SlackError):
                    await self._show(replace(document, embedded=progress.done), place)

        async with repeat_alongside([show], SHOW_EVERY_S):
            with in_background():
                await self._index.embed(id, scope=scope, progress=progress.note)
        if (after := await self._engine.read(rows.find, id)) is not None:
            await self._show(after, place)

    async def _erase(self, removal: Removal) -> None:
        await self._index.remove([removal.id], by=removal.by, now=self._now())
        await self._show_gone(read_card_place(removal.card), removal.why)

    # Where the words come from

    @asynccontextmanager
    async def _opened(
        self, id: str, new: NewDocument, progress: _Progress
    ) -> AsyncIterator[tuple[str, DocumentText]]:
        """The digest of what is to be read, and its text."""
        if new.source == "file" and new.file is not None:
            file = await self._side.details(new.file) if new.file.stub or not new.file.url else new.file
            async with self._side.fetched(file) as path:
                yield await self._read_file(path, new.name, progress)
        elif new.source == "command":
            yield await self._read_file(Path(new.path), new.name, progress)
        elif new.source == "thread":
            kept = await self._side.read_thread(new.team, new.origin, new.thread)
            text, authors = _write_thread(new, kept), sorted({post.author for post in kept.posts})
            await self._engine.write(rows.set_authors, id, authors)
            yield _digest(text.text.encode()), text
        else:
            text = DocumentText("text", new.title, (Section(new.text),), 0)
            yield _digest(new.text.encode()), text

    async def _read_file(self, path: Path, name: str, progress: _Progress) -> tuple[str, DocumentText]:
        try:
            digest = await asyncio.to_thread(_digest_file, path)
        except OSError as exc:
            raise UnsupportedFile(name, "it is not there any more") from exc
        return digest, await read_document(path, name, ReadingLimits(), progress=progress.note)

    # Cards

    async def _show_progress(self, document: Document, place: CardPlace | None, progress: _Progress) -> None:
        if progress.changed():
            now = replace(document, state="reading", pages=progress.total, pages_read=progress.done)
            await self._engine.write(
                rows.note_progress, document.id, pages=now.pages, pages_read=now.pages_read
            )
            with contextlib.suppress(SlackError):
                await self._show(now, place)

    async def _show(
        self,
        document: Document,
        place: CardPlace | None,
        *,
        notes: Sequence[str] = (),
        look: bool = False,
    ) -> CardPlace | None:
        """The card as it is to be seen now; where it stands."""
        if place is None:
            return None
        vectors = bool(self._settings.embeddings)
        card = DocumentCard(document, "", tuple(notes), vectors, self._estimate(document))
        shown = await self._side.show_card(card, place, look=look)
        if shown is not None and shown.key != document.card:
            await self._engine.write(rows.set_card, document.id, shown.key)
        return shown

    async def _show_gone(self, place: CardPlace | None, sentence: str) -> None:
        if place is not None and place.message:
            nothing = Document("", "", "channel", "", 0.0)
            await self._side.show_card(DocumentCard(nothing, sentence), place, look=False)

    def _estimate(self, document: Document) -> Decimal | None:
        """What vectors of a document cost; None: nobody knows."""
        model = self._settings.embeddings
        if not model or model.startswith(LOCAL):
            return Decimal(0)
        used = Usage(input_tokens=document.characters // CHARACTERS_PER_TOKEN)
        return self._prices.price(model, used, at=utc_now(), kind="embedding").usd

    def _now(self) -> float:
        return self._calendar.now()


@dataclass(slots=True)
class _Progress:
    """How far something is, as it was last told, and as it was last shown."""

    done: int = 0
    total: int = 0
    shown: int = 0

    def note(self, done: int, total: int) -> None:
        self.done, self.total = done, total

    def changed(self) -> bool:
        changed, self.shown = self.done != self.shown, self.done
        return changed


def _make_document(new: NewDocument, card: CardPlace | None, *, now: float) -> Document:
    return Document(
        id=uuid.uuid4().hex,
        team=new.team,
        audience=new.audience,
        channel=new.channel,
        person=new.person,
        name=new.name,
        title=new.title or new.name,
        source=new.source,
        file=new.file.id if new.file else "",
        link=new.link,
        origin=new.origin,
        card=card.key if card else "",
        added_at=now,
    )


def _begin(document: Document, tx: Tx) -> bool:
    rows.add(tx, document)
    whose = {"team": document.team, "person": document.person, "detail": document.id}
    about = document.channel or document.audience
    audit.note(tx, "document added", about, **whose, now=document.added_at)
    return True


def _list_at(tx: Tx, audience: Audience) -> list[Document]:
    if not audience.open:
        return []
    found = rows.list_of_channel(tx, audience.team, audience.channel)
    if audience.workspace:
        found += rows.list_of_workspace(tx, audience.team)
    if audience.person:
        found += rows.list_of_person(tx, audience.team, audience.person)
    return [document for document in found if document.hidden not in ("removed", "replaced")]


def _hide_for_good(id: str, tx: Tx) -> bool:
    rows.hide(tx, [id], reason="removed")
    return rows.find(tx, id) is not None


def _lane(document: Document) -> str:
    """Documents of one place are read in the order in which they were added, so the newest of a name wins."""
    place = document.channel or document.audience
    return f"{DOCUMENT}:{document.team}:{place}"


def _place_of(new: NewDocument, document: Document) -> CardPlace | None:
    if known := read_card_place(document.card):
        return known
    return CardPlace(new.card_channel, "", new.card_thread) if new.card_channel else None


def _write_thread(new: NewDocument, kept: KeptThread) -> DocumentText:
    if not kept.posts:
        raise UnsupportedFile(new.name, NOTHING_SAID)
    sections = tuple(Section(post.text, kept.title, 0, post.place) for post in kept.posts)
    return DocumentText("thread", new.title or kept.title, sections, 0, cut=not kept.whole)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _digest_file(path: Path) -> str:
    if not path.is_file():  # opening a pipe waits for ever for whoever writes into it
        raise FileNotFoundError
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
