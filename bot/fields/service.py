"""Fields of documents: forms are kept, documents are read for them piece by piece, and people review.

A document is one job: each piece is asked of the model once, its row committed before the next, so that a
process that dies goes on where it was. What a value is worth is decided by code (checks.py). Who may see or
change what is asked by the handlers.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from decimal import Decimal
from functools import partial, reduce

from bot.core.errors import BotError, Missing
from bot.fields.estimate import add_costs
from bot.fields.exports import write_csv, write_jsonl
from bot.fields.forms import decode_form, encode_form
from bot.fields.reading import FieldReader, run_id
from bot.fields.reviewing import make_review
from bot.fields.shown_rows import join_row, list_rows
from bot.fields.values import EVERYTHING, FieldCost, FieldForm, FieldRow, FieldRun, RowFilter
from bot.jobs.inbox import Effect, Inbox, Job
from storage.engine import Engine, Tx
from storage.fields import forms as stored_forms
from storage.fields import reviews as stored_reviews
from storage.fields import rows as stored
from storage.fields.rows import StoredRun
from storage.knowledge.documents import Document

FIELDS = "fields"  # the kind of its jobs


class FieldExtraction:
    """Forms, what documents yielded for them, and what people said of it. One per process."""

    def __init__(
        self,
        engine: Engine,
        inbox: Inbox,
        reader: FieldReader,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._inbox = inbox
        self._reader = reader
        self._clock = clock

    # Forms

    async def save_form(self, form: FieldForm, *, by: str) -> FieldForm:
        """Keeps a form of a channel, a new one where it has no id yet; as it is kept."""
        kept = replace(form, id=form.id or uuid.uuid4().hex, by=by, changed_at=self._clock())
        await self._engine.write(stored_forms.save, encode_form(kept))
        return kept

    async def list_forms(self, team: str, channel: str) -> list[FieldForm]:
        """The forms of a channel by name."""
        return [decode_form(one) for one in await self._engine.read(stored_forms.list_at, team, channel)]

    async def find_form(self, team: str, id: str) -> FieldForm:
        """A form of a workspace. Missing."""
        found = await self._engine.read(stored_forms.find, team, id)
        if found is None:
            raise Missing(f"no form {id}")
        return decode_form(found)

    async def find_form_in(self, team: str, channel: str, id: str) -> FieldForm:
        """A form of that very channel. Missing."""
        found = await self.find_form(team, id)
        if found.channel != channel:
            raise Missing(f"no form {id} there")
        return found

    async def remove_form(self, form: FieldForm, *, by: str) -> None:
        """A form with all its rows."""
        await self._engine.write(stored_forms.remove, encode_form(form), by=by, now=self._clock())
        await self._engine.scrub()

    # Documents

    async def estimate(self, documents: Sequence[Document], form: FieldForm) -> FieldCost:
        """What reading these documents for a form takes."""
        costs = [await self._reader.estimate(document, form) for document in documents]
        return reduce(add_costs, costs, FieldCost(0, Decimal(0)))

    async def start(
        self, document: Document, form: FieldForm, *, by: str, thread: str = "", again: bool = True
    ) -> FieldRun | None:
        """A job that reads a document for a form; None while it is being read. `thread`: where its table is
        shown; `again` False: one that was read before is left as it is."""
        now = self._clock()
        run = StoredRun(
            id=run_id(form.id, document.id),
            form=form.id,
            document=document.id,
            team=form.team,
            channel=form.channel,
            thread=thread,
            state="waiting",
            pieces=0,
            done=0,
            problem="",
            card="",
            asked_at=now,
        )
        begun = await self._inbox.put(
            f"{FIELDS}:{run.id}:{uuid.uuid4().hex}",
            f"{FIELDS}:{form.team}:{form.channel}",
            FIELDS,
            json.dumps({"run": run.id, "by": by}),
            team=form.team,
            person=by,
            when=partial(_begin, run, again),
        )
        return _as_run(run) if begun else None

    async def stop(self, run: str) -> bool:
        """Nothing more is read of it; what was read stays."""
        return await self._engine.write(stored.stop_run, run)

    async def find_run(self, id: str) -> FieldRun:
        """How far a document is. Missing."""
        found = await self._engine.read(stored.find_run, id)
        if found is None:
            raise Missing(f"no run {id}")
        return _as_run(found)

    async def list_runs(self, team: str, channel: str) -> list[FieldRun]:
        """What is being read in a channel, or was, newest first."""
        found = await self._engine.read(stored.list_runs, team, channel)
        return [_as_run(one) for one in found]

    async def fits(self, document: Document, form: FieldForm) -> bool:
        """Whether a document is of the kind that a form is about, by its words."""
        return await self._reader.fits(document, form)

    async def work(self, job: Job) -> list[Effect]:
        """A job of ours."""
        told = json.loads(job.payload)
        with self._inbox.aside(job):  # a place for answers is not held for it
            await self._reader.read(told["run"], by=told["by"], look=job.attempts > 1)
        return []

    async def report_failure(self, job: Job, error: BotError) -> None:
        """The last word on a document that was given up on."""
        await self._reader.give_up(json.loads(job.payload)["run"], error.notice)

    # Rows

    async def rows(self, form: FieldForm, wanted: RowFilter = EVERYTHING) -> list[FieldRow]:
        """What documents yielded for a form, with what people said of it, in the order of the documents."""
        return await self._engine.read(list_rows, form, wanted)

    async def find_row(self, team: str, id: str) -> FieldRow:
        """One row. Missing."""
        found = await self._engine.read(stored.find_row, team, id)
        if found is None:
            raise Missing(f"no row {id}")
        form = await self.find_form(team, found.form)
        rows = await self.rows(form, RowFilter(document=found.document))
        return next((row for row in rows if row.id == id), join_row(found, ()))

    async def review(self, row: FieldRow, field: str, value: str, *, by: str) -> FieldRow:
        """What a person says a value is: one of its candidates' `value`, what it is already, or typed.

        NotUnderstood where it is no value of the field's type; Missing where the row is gone.
        """
        found = await self._engine.read(stored.find_row, row.team, row.id)
        if found is None:
            raise Missing(f"no row {row.id}")
        form = await self.find_form(found.team, found.form)
        review = make_review(found, form, row, field, value, by=by, now=self._clock())
        if not await self._engine.write(stored_reviews.save, review):
            raise Missing(f"no row {row.id}")
        return await self.find_row(found.team, row.id)

    async def export_csv(self, form: FieldForm, wanted: RowFilter = EVERYTHING) -> str:
        """Rows for a spreadsheet, nothing in them that one would compute."""
        return write_csv(form, await self.rows(form, wanted))

    async def export_jsonl(self, form: FieldForm, wanted: RowFilter = EVERYTHING) -> str:
        """One JSON object a line, each value with its page, quote and state."""
        return write_jsonl(form, await self.rows(form, wanted))


def _as_run(run: StoredRun) -> FieldRun:
    return FieldRun(**asdict(run))


def _begin(run: StoredRun, again: bool, tx: Tx) -> bool:
    """What was stopped or given up on goes on where it was; what was read to its end is read anew."""
    before = stored.find_run(tx, run.id)
    if before is not None and not again:
        return False
    if not stored.begin(tx, run):
        return False
    if before is not None and before.state == "done":
        stored.drop_rows(tx, run.form, run.document)
    return True
