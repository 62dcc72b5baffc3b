"""What becomes of a document that is searchable: read for the forms that want it, or offered to be.

A job of the inbox for each, so that a process may die over it: what was begun is not begun twice, and an
offer stands in the thread once. What costs much is asked about first, whoever wanted it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Protocol

from bot.fields.service import FieldExtraction
from bot.fields.side import FieldSide
from bot.fields.values import FieldCost, FieldForm
from bot.jobs.inbox import Effect, Inbox, Job
from bot.knowledge.adding import NewDocument
from bot.knowledge.document_card import CardPlace, read_card_place
from storage.engine import Engine
from storage.knowledge import documents as rows
from storage.knowledge.documents import Document

WANTED = "fields wanted"  # the kind of its jobs
READ_BY_ITSELF = ("file", "command")  # where documents come from that are read, or offered, unasked
OWN = ("channel", "person")  # whose documents fields are read from: what everybody has is nobody's table


@dataclass(frozen=True, slots=True)
class FieldOffer:
    """Fields that could be read from a document; `since`: when it was thought of, unix seconds."""

    form: FieldForm
    document: Document
    cost: FieldCost
    since: float

    @property
    def id(self) -> str:
        """The same for the same form and document."""
        return f"offer:{self.form.id}:{self.document.id}"


class OfferSide(Protocol):
    """Slack, as offers need it. It may raise SlackUnavailable."""

    async def show_offer(self, offer: FieldOffer, place: CardPlace, *, look: bool) -> None:
        """Posts an offer with a button that takes it. `look`: an earlier attempt may have posted it."""


@dataclass(frozen=True, slots=True)
class WantedOf:
    """What is wanted of a document. `form`: the one that somebody asked for, "" for whichever fits; `sure`:
    its price was agreed to."""

    document: str
    form: str
    by: str
    channel: str = ""  # in which an offer is made; "": in none
    thread: str = ""
    sure: bool = False


class WantedFields:
    """Begins what is wanted of documents. One per process."""

    def __init__(self, engine: Engine, inbox: Inbox, extraction: FieldExtraction, side: OfferSide) -> None:
        self._engine = engine
        self._inbox = inbox
        self._extraction = extraction
        self._side = side

    async def note_searchable(self, document: Document, new: NewDocument) -> None:
        """A document was just taken in; told perhaps twice of the same."""
        unasked = document.source in READ_BY_ITSELF
        if document.audience in OWN and (unasked or new.extract):
            thread = new.card_thread or getattr(read_card_place(document.card), "message", "")
            wanted = WantedOf(document.id, new.extract, new.person, new.card_channel, thread)
            await self._put(document, wanted, f"{WANTED}:{document.id}:{new.extract}")

    async def want(self, document: Document, wanted: WantedOf, *, key: str) -> None:
        """Somebody asked for the fields of a form. `key`: of that very press or word."""
        await self._put(document, wanted, f"{WANTED}:{document.id}:{wanted.form}:{key}")

    async def _put(self, document: Document, wanted: WantedOf, key: str) -> None:
        lane = f"{WANTED}:{document.team}:{document.channel}"
        payload = json.dumps(asdict(wanted))
        await self._inbox.put(key, lane, WANTED, payload, team=document.team, person=wanted.by)

    async def work(self, job: Job) -> list[Effect]:
        """A job of ours."""
        wanted = WantedOf(**json.loads(job.payload))
        document = await self._engine.read(rows.find, wanted.document)
        if document is None or document.state != "searchable" or document.hidden:
            return []
        for form in await self._extraction.list_forms(document.team, document.channel):
            await self._consider(form, document, wanted, again=job.attempts > 1, since=job.received_at)
        return []

    async def _consider(
        self, form: FieldForm, document: Document, wanted: WantedOf, *, again: bool, since: float
    ) -> None:
        """Begins, offers, or leaves alone. `again`: an attempt before may have done so."""
        asked = form.id == wanted.form
        if not asked and (wanted.form or not await self._extraction.fits(document, form)):
            return
        cost = await self._extraction.estimate([document], form)
        dear = cost.worth_asking and not wanted.sure
        if (asked or form.every) and not dear:
            first = asked and not again
            await self._extraction.start(document, form, by=wanted.by, thread=wanted.thread, again=first)
        elif wanted.channel:
            place = CardPlace(wanted.channel, "", wanted.thread)
            await self._side.show_offer(FieldOffer(form, document, cost, since), place, look=again)


class FieldsInChat(FieldSide, OfferSide, Protocol):
    """Slack, as all of fields see it (handlers/fields/cards.py)."""
