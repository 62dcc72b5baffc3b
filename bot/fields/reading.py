"""One document read for a form: divided into pieces, each asked of the model once and committed.

Between two pieces it looks whether somebody stopped it, or took the document away. How far it is, is shown on
a card.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace

from bot.core.background import repeat_alongside
from bot.core.calendar import utc_now
from bot.core.errors import AskError, SlackError
from bot.core.values import Scope
from bot.costs.pricing import Prices
from bot.fields.estimate import estimate_cost
from bot.fields.extraction import FieldModel, extract
from bot.fields.forms import decode_form
from bot.fields.kinds import is_of_kind
from bot.fields.patterns import learn
from bot.fields.pieces import MOST_PIECES, DocumentPiece, divide, gather_pages
from bot.fields.shown_rows import encode_values, list_rows
from bot.fields.side import FieldCard, FieldSide
from bot.fields.values import FieldCost, FieldForm, FieldRow, FieldRun, RowFilter
from bot.knowledge.document_card import CardPlace, read_card_place
from bot.provider.fair_share import in_background
from bot.provider.json_form import ModelApi
from storage.engine import Engine
from storage.fields import forms as stored_forms
from storage.fields import reviews as stored_reviews
from storage.fields import rows as stored
from storage.fields.rows import StoredRow
from storage.knowledge import chunks
from storage.knowledge import documents as stored_documents
from storage.knowledge.documents import Document

SHOW_EVERY_S = 3.0  # how far it is
TOO_MANY = "I read the first {most} pieces of it, and not the {left_out} that follow."
GONE = "This table is gone, as is its document or its form."
NOTHING_TO_READ = "There is no text in it that I could read fields from."


def run_id(form: str, document: str) -> str:
    """Of one document for one form, the same in every attempt."""
    return hashlib.blake2s(f"{form}\n{document}".encode(), digest_size=16).hexdigest()


class FieldReader:
    """Reads documents for forms. One per process."""

    def __init__(
        self,
        engine: Engine,
        model_api: ModelApi,
        side: FieldSide,
        *,
        model: str,
        prices: Prices,
        clock: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._model_api = model_api
        self._side = side
        self._model = model
        self._prices = prices
        self._clock = clock

    async def fits(self, document: Document, form: FieldForm) -> bool:
        """Whether a document is of the kind that a form is about."""
        pieces = await self._divide(document.id)
        return bool(pieces) and is_of_kind(form, document.title, pieces[0])

    async def estimate(self, document: Document, form: FieldForm) -> FieldCost:
        """What reading it takes."""
        return self._estimate(len(await self._divide(document.id)), document, form)

    def _estimate(self, pieces: int, document: Document, form: FieldForm) -> FieldCost:
        told = (pieces, document.characters, form, self._prices)
        return estimate_cost(*told, model=self._model, at=utc_now())

    async def read(self, id: str, *, by: str, look: bool) -> None:
        """All pieces that have no row yet. ProviderError and BudgetExceeded come out of it; what was read is
        kept."""
        found = await self._look_up(id)
        if found is None or found.run.state in ("stopped", "failed", "done"):
            await self._show(found, look=look)
            return
        pieces = await self._divide(found.document.id)
        if not pieces:
            await self.give_up(id, NOTHING_TO_READ)
            return
        left_out = len(pieces) - MOST_PIECES
        problem = TOO_MANY.format(most=MOST_PIECES, left_out=left_out) if left_out > 0 else ""
        pieces = pieces[:MOST_PIECES]
        await self._engine.write(stored.note_run, id, state="reading", pieces=len(pieces), problem=problem)
        found = await self._show(await self._look_up(id), look=look) or found
        async with repeat_alongside([lambda: self._show_again(id)], SHOW_EVERY_S):
            try:
                with in_background():
                    await self._read_pieces(found, pieces, by)
            except AskError as exc:
                await self.give_up(id, exc.notice)
                return
        await self._show(await self._look_up(id))

    async def give_up(self, id: str, problem: str) -> None:
        """What was read stays; why there is no more of it is told."""
        await self._engine.write(stored.note_run, id, state="failed", problem=problem)
        await self._show(await self._look_up(id), look=True)

    async def _read_pieces(self, found: FieldCard, pieces: Sequence[DocumentPiece], by: str) -> None:
        run, form = found.run, found.form
        scope = Scope(run.team, run.channel, by, run.document, "fields")
        done = await self._engine.read(stored.list_pieces, run.form, run.document)
        for piece in pieces:
            if piece.number not in done:
                learned = learn(await self._engine.read(stored_reviews.list_reviews, form.id))
                asked = FieldModel(self._model_api, scope, self._model)
                values = await extract(form, piece, learned, asked=asked)
                row = StoredRow(
                    id=run_id(run.id, str(piece.number)),
                    form=run.form,
                    document=run.document,
                    team=run.team,
                    channel=run.channel,
                    piece=piece.number,
                    page=piece.page,
                    found=encode_values(values),
                    made_at=self._clock(),
                )
                if not await self._engine.write(stored.add_row, row):
                    return  # the form or the document is gone
                done.add(piece.number)
            state = "done" if len(done) == len(pieces) else "reading"
            if not await self._engine.write(stored.note_run, run.id, state=state, done=len(done)):
                return  # somebody stopped it

    async def _divide(self, document: str) -> list[DocumentPiece]:
        rows = await self._engine.read(chunks.list_of, document)
        return await asyncio.to_thread(lambda: divide(gather_pages(rows)))

    async def _look_up(self, id: str) -> FieldCard | None:
        run = await self._engine.read(stored.find_run, id)
        if run is None:
            return None
        form = await self._engine.read(stored_forms.find, run.team, run.form)
        document = await self._engine.read(stored_documents.find, run.document)
        if form is None or document is None or document.hidden in ("removed", "replaced"):
            return None
        read = decode_form(form)
        cost = self._estimate(run.pieces, document, read)
        rows = list[FieldRow]()
        if run.state not in ("waiting", "reading"):
            rows = await self._engine.read(list_rows, read, RowFilter(document=run.document))
        return FieldCard(FieldRun(**asdict(run)), read, document, cost, tuple(rows))

    async def _show_again(self, id: str) -> None:
        try:
            await self._show(await self._look_up(id))
        except SlackError:
            return

    async def _show(self, card: FieldCard | None, *, look: bool = False) -> FieldCard | None:
        """The card as it is to be seen now, with where it stands."""
        if card is None or not (card.run.card or card.run.thread):
            return card
        place = read_card_place(card.run.card) or CardPlace(card.run.channel, "", card.run.thread)
        shown = await self._side.show_run(card, place, look=look)
        if shown is None:
            return card
        if shown.key != card.run.card:
            await self._engine.write(stored.set_card, card.run.id, shown.key)
        if not await self._engine.read(stored.is_there, card.run.form, card.run.document):
            # It went while this was on its way to Slack, where it may stand since whoever removed it looked.
            await self._side.show_run(replace(card, gone=GONE), shown, look=False)
        return replace(card, run=replace(card.run, card=shown.key))
