"""The cards of documents as they are shown: how far each one is, what came of it, and that it is gone.

A card is posted once and changed from then on; where it stands is kept with the document.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from decimal import Decimal

from bot.core.background import repeat_alongside
from bot.core.calendar import utc_now
from bot.core.errors import SlackError
from bot.core.settings import Settings
from bot.core.values import Usage
from bot.costs.pricing import Prices
from bot.knowledge.document_card import CardPlace, DocumentCard, read_card_place
from bot.knowledge.sources import DocumentSide
from storage.engine import Engine
from storage.knowledge import documents as rows
from storage.knowledge.documents import Document

SHOW_EVERY_S = 3.0  # how far a document is
CHARACTERS_PER_TOKEN = 3  # of text in any language, about: what is told is rather too much
LOCAL = "local"  # what the name of an embedder on this machine begins with


@dataclass(slots=True)
class CardProgress:
    """How far something is, as it was last told, and as it was last shown."""

    done: int = 0
    total: int = 0
    shown: int = 0

    def note(self, done: int, total: int) -> None:
        """What `done` is of: pages, or chunks."""
        self.done, self.total = done, total

    def changed(self) -> bool:
        """Whether there is something new to be shown; it counts as shown from now on."""
        changed, self.shown = self.done != self.shown, self.done
        return changed


class DocumentCards:
    """Shows the cards of all documents. One per process."""

    def __init__(self, settings: Settings, engine: Engine, side: DocumentSide, prices: Prices) -> None:
        self._settings = settings
        self._engine = engine
        self._side = side
        self._prices = prices

    async def show(
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
        card = DocumentCard(document, "", tuple(notes), vectors, self.estimate(document))
        shown = await self._side.show_card(card, place, look=look)
        if shown is not None and shown.key != document.card:
            await self._engine.write(rows.set_card, document.id, shown.key)
        return shown

    async def show_gone(self, place: CardPlace | None, sentence: str) -> None:
        """Nothing but the sentence."""
        if place is not None and place.message:
            nothing = Document("", "", "channel", "", 0.0)
            await self._side.show_card(DocumentCard(nothing, sentence), place, look=False)

    def show_reading(
        self, document: Document, place: CardPlace | None, progress: CardProgress
    ) -> AbstractAsyncContextManager[None]:
        """Within it, the card tells how many pages are read."""

        async def show() -> None:
            if progress.changed():
                now = replace(document, state="reading", pages=progress.total, pages_read=progress.done)
                await self._engine.write(
                    rows.note_progress, document.id, pages=now.pages, pages_read=now.pages_read
                )
                with contextlib.suppress(SlackError):
                    await self.show(now, place)

        return repeat_alongside([show], SHOW_EVERY_S)

    def show_embedding(self, document: Document, progress: CardProgress) -> AbstractAsyncContextManager[None]:
        """Within it, the card tells how many chunks have their vectors."""
        place = read_card_place(document.card)

        async def show() -> None:
            if progress.changed():
                with contextlib.suppress(SlackError):
                    await self.show(replace(document, embedded=progress.done), place)

        return repeat_alongside([show], SHOW_EVERY_S)

    def estimate(self, document: Document) -> Decimal | None:
        """What vectors of a document cost; None: nobody knows."""
        model = self._settings.embeddings
        if not model or model.startswith(LOCAL):
            return Decimal(0)
        used = Usage(input_tokens=document.characters // CHARACTERS_PER_TOKEN)
        return self._prices.price(model, used, at=utc_now(), kind="embedding").usd
