"""From something that somebody adds to a document that can be found: jobs of the inbox, one place in order.

Adding commits the document and its job together; the job reads, cuts and indexes, and shows on a card how far
it is. A process that dies over it begins again, and nothing is in the index twice. The version before is
found until this one is. Vectors are a job of their own behind it. What happens to a file, a channel or a
person in Slack later is bot/knowledge/following.py.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial

from bot.core.calendar import Calendar
from bot.core.errors import AskError, BotError, Missing
from bot.core.settings import Settings
from bot.core.values import Scope
from bot.costs.pricing import Prices
from bot.documents.chunks import cut_into_chunks
from bot.documents.values import NOTE, DocumentText
from bot.jobs.inbox import Effect, Inbox, Job
from bot.knowledge.adding import NewDocument, decode_document, encode_document
from bot.knowledge.cards import CardProgress, DocumentCards
from bot.knowledge.document_card import CardPlace, read_card_place
from bot.knowledge.index import DocumentIndex
from bot.knowledge.opening import opened
from bot.knowledge.removal import REMOVAL, REMOVED, Removal, decode_removal, removal_lane
from bot.knowledge.sources import DocumentSide
from bot.provider.fair_share import in_background
from storage import audit
from storage.engine import Engine, Tx
from storage.fields import rows as field_rows
from storage.knowledge import documents as rows
from storage.knowledge.audiences import Audience
from storage.knowledge.documents import Document

DOCUMENT, VECTORS = "document", "document vectors"  # kinds of jobs; REMOVAL is another
AT_ONCE = 2  # documents that are read at the same moment: each has a process of its own

# Told of each document that can be found now, before its job ends; again where a process died over that.
OnSearchable = Callable[[Document, NewDocument], Awaitable[None]]

UNCHANGED = "This very file is here already: nothing has changed."
REPLACED = "A newer version of this document took its place."


async def nothing_more(document: Document, new: NewDocument) -> None:
    """Nothing follows from a document that can be found."""


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
        on_searchable: OnSearchable = nothing_more,
        published: Callable[[Tx, Document], None] = lambda tx, document: None,
    ) -> None:
        """`published`: what follows, in the same transaction, from a document that can be found."""
        self._settings = settings
        self._engine = engine
        self._inbox = inbox
        self._index = index
        self._side = side
        self._on_searchable = on_searchable
        self._cards = DocumentCards(settings, engine, side, prices)
        self._calendar = calendar
        self._published = published
        self._reading = asyncio.Semaphore(AT_ONCE)

    # What people ask for

    async def add(
        self, new: NewDocument, *, card: CardPlace | None = None, hidden: str = "", id: str = ""
    ) -> str:
        """On return it is on disk and will be read; the id of the document. `card`: that of the version
        before, which tells of this one from now on; `hidden`: why that one is not to be found, nor this.
        `id`: where adding the same again is to change nothing."""
        document = replace(_make_document(new, card, id=id, now=self._now()), hidden=hidden)
        await self._inbox.put(
            f"{DOCUMENT}:{document.id}",
            _lane(document),
            DOCUMENT,
            json.dumps({"id": document.id, "new": encode_document(new)}),
            team=new.team,
            person=new.person,
            when=partial(_begin, document, now=self._now()),
        )
        return document.id

    async def find(self, team: str, id: str) -> Document:
        """A document of a workspace. Missing."""
        found = await self._engine.read(rows.find, id)
        if found is None or found.team != team:
            raise Missing(f"no document {id}")
        return found

    async def list_at(self, audience: Audience) -> list[Document]:
        """Every document that this audience may know of, those too that cannot be found just now. Notes are
        listed by themselves (bot/notes/service.py)."""
        return await self._engine.read(_list_at, audience)

    async def remove(self, document: Document, *, by: str, why: str = REMOVED) -> None:
        """From this moment on it is not found; its words are erased by a job, however often that takes.
        `why`: what its cards say then."""
        tables = await self._list_tables([document.id])
        await self._inbox.put(
            f"{REMOVAL}:{document.id}",
            removal_lane(document.team),
            REMOVAL,
            Removal(document.id, document.card, by, why, tables).payload,
            team=document.team,
            when=partial(_hide_for_good, document.id),
        )

    async def move(self, document: Document) -> None:
        """The same document where its channel goes by another id."""
        await self._index.move(document)

    async def look(self, id: str) -> Document | None:
        """The document as it is now; None when it was removed, or was here before."""
        return await self._engine.read(rows.find, id)

    async def take_in_now(self, new: NewDocument) -> Document | None:
        """Without a job: on return it is searchable, with its vectors, or given up on."""
        document = _make_document(new, None, now=self._now())
        await self._engine.write(partial(_begin, document, now=self._now()))
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
            new = decode_document(told["new"])
            with self._inbox.aside(job):  # a place for answers is not held for it
                async with nullcontext() if new.source == NOTE else self._reading:
                    await self._take_in(told["id"], new, look=job.attempts > 1)
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
            await self._tell_searchable(id, new, _place_of(new, document))
            return
        await self._erase_outlived(document, new, published=False)
        await self._engine.write(rows.set_state, id, "reading")
        place = await self._cards.show(
            replace(document, state="reading"), _place_of(new, document), look=look
        )
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
        tables = await self._list_tables([*(one.id for one in found), *named])
        if found or named:
            await self._index.remove([*(one.id for one in found), *named], by=new.person, now=self._now())
        for one in found:
            if one.hidden and one.card != document.card:
                await self._cards.show_gone(read_card_place(one.card), REPLACED)
        await self._show_gone(tables, REPLACED)

    async def _read(self, document: Document, new: NewDocument, place: CardPlace | None) -> None:
        progress = CardProgress()
        async with (
            self._cards.show_reading(document, place, progress),
            opened(new, self._side, self._engine, progress=progress.note) as found,
        ):
            text, digest = found.text, found.digest
            if found.authors:
                await self._engine.write(rows.set_authors, document.id, found.authors)
            same = await self._engine.read(rows.find_same, document)
            if same is not None and same.digest == digest and not same.hidden:
                await self._drop_unchanged(document, same, place)
                await self._follow(replace(same, repairs=new.repairs))
                await self._on_searchable(same, new)
                return
            if document.digest not in ("", digest):  # it was changed since an earlier attempt
                await self._index.empty(document.id)
            await self._note_read(document, text, digest)
            await self._engine.write(rows.set_replaces, document.id, same.id if same else new.replaces)
            await self._index.put(document.id, await asyncio.to_thread(cut_into_chunks, text))
        tables = await self._list_tables([*([same.id] if same else []), new.replaces])
        await self._index.publish(document.id, also=self._published, now=self._now())
        await self._look_for_jobs(document)
        await self._drop_older(new, same, place)
        await self._show_gone(tables, REPLACED)
        await self._tell_searchable(document.id, new, place, notes=text.notes)

    async def _follow(self, document: Document) -> None:
        """A document can be found that could before, or better than before."""
        if document.repairs:
            await self._engine.write(self._published, document)
            await self._look_for_jobs(document)

    async def _look_for_jobs(self, document: Document) -> None:
        """Those that were put in together with something else."""
        if document.repairs:
            await self._inbox.look(True)

    async def _drop_older(self, new: NewDocument, same: Document | None, place: CardPlace | None) -> None:
        """What is replaced beside the version of the same name; and a card that tells of it still."""
        if new.replaces and same is not None and new.replaces != same.id:
            await self._index.remove([new.replaces], by=new.person, now=self._now())
        if same is not None and (place is None or same.card != place.key):
            await self._cards.show_gone(read_card_place(same.card), REPLACED)

    async def _tell_searchable(
        self, id: str, new: NewDocument, place: CardPlace | None, *, notes: Sequence[str] = ()
    ) -> None:
        document = await self._engine.read(rows.find, id)
        if document is None:
            await self._cards.show_gone(place, REMOVED)
            return
        await self._cards.show(document, place, notes=notes)  # what vectors cost is told before it is spent
        if self._settings.embeddings:
            await self._put_vectors(document)
        await self._on_searchable(document, new)

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
            await self._cards.show(same, place)
        else:
            await self._cards.show_gone(place, UNCHANGED)

    async def _give_up(
        self, document: Document, place: CardPlace | None, problem: str, *, look: bool = False
    ) -> None:
        await self._engine.write(rows.set_state, document.id, "failed", problem=problem)
        await self._cards.show(replace(document, state="failed", problem=problem), place, look=look)

    async def _embed(self, id: str) -> None:
        """Vectors of a document, with progress on its card."""
        document = await self._engine.read(rows.find, id)
        if document is None or document.state != "searchable":
            return
        scope = Scope(document.team, document.channel, document.person, id, "embedding")
        progress = CardProgress()
        async with self._cards.show_embedding(document, progress):
            with in_background():
                await self._index.embed(id, scope=scope, progress=progress.note)
        if (after := await self._engine.read(rows.find, id)) is not None:
            await self._cards.show(after, read_card_place(after.card))
            await self._follow(after)

    async def _erase(self, removal: Removal) -> None:
        shown_since = await self._list_tables([removal.id])
        await self._index.remove([removal.id], by=removal.by, now=self._now())
        await self._show_gone({removal.card, *removal.tables, *shown_since}, removal.why)

    async def _list_tables(self, documents: Iterable[str]) -> list[str]:
        """Where the fields of documents stand; to be asked before these are erased."""
        found = [await self._engine.read(field_rows.list_cards, id) for id in documents if id]
        return [card for cards in found for card in cards]

    async def _show_gone(self, cards: Iterable[str], why: str) -> None:
        for card in sorted(cards):
            await self._cards.show_gone(read_card_place(card), why)

    def _now(self) -> float:
        return self._calendar.now()


def _make_document(new: NewDocument, card: CardPlace | None, *, id: str = "", now: float) -> Document:
    return Document(
        id=id or uuid.uuid4().hex,
        team=new.team,
        audience=new.audience,
        channel=new.channel,
        person=new.person,
        name=new.name,
        title=new.title or new.name,
        source=new.source,
        file=new.file.id if new.file else "",
        link=new.link,
        authors=f" {new.authors} " if new.authors else "",
        origin=new.origin,
        card=card.key if card else "",
        added_at=new.said_at or now,
        look_again_at=new.look_again_at,
        repairs=new.repairs,
    )


def _begin(document: Document, tx: Tx, *, now: float) -> bool:
    if not rows.add(tx, document):
        return False
    whose = {"team": document.team, "person": document.person, "detail": document.id}
    about = document.channel or document.audience
    audit.note(tx, "document added", about, **whose, now=now)
    return True


def _list_at(tx: Tx, audience: Audience) -> list[Document]:
    if not audience.open:
        return []
    found = rows.list_of_channel(tx, audience.team, audience.channel)
    if audience.workspace:
        found += rows.list_of_workspace(tx, audience.team)
    if audience.person:
        found += rows.list_of_person(tx, audience.team, audience.person)
    gone = ("removed", "replaced")
    return [document for document in found if document.hidden not in gone and document.source != NOTE]


def _hide_for_good(id: str, tx: Tx) -> bool:
    rows.hide(tx, [id], reason="removed")
    return rows.find(tx, id) is not None


def _lane(document: Document) -> str:
    """Documents of one place are read in the order in which they were added, so the newest of a name wins."""
    place = document.channel or document.audience
    notes = ":notes" if document.source == NOTE else ""  # they wait for no book
    return f"{DOCUMENT}:{document.team}:{place}{notes}"


def _place_of(new: NewDocument, document: Document) -> CardPlace | None:
    if known := read_card_place(document.card):
        return known
    return CardPlace(new.card_channel, "", new.card_thread) if new.card_channel else None
