"""From a form to a table: read once, kept, reviewed, learned from, exported, and gone with its document."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import Missing, NotUnderstood
from bot.core.values import Completion, Prompt, Scope, Usage
from bot.costs.pricing import Prices
from bot.documents.chunks import cut_into_chunks
from bot.documents.values import DocumentText, Section
from bot.fields.forms import parse
from bot.fields.reading import FieldReader
from bot.fields.service import FIELDS, FieldExtraction
from bot.fields.side import FieldCard, FieldSide
from bot.fields.values import FieldForm, FieldRow, RowFilter
from bot.jobs.inbox import Inbox
from bot.knowledge.document_card import CardPlace
from bot.knowledge.index import DocumentIndex
from bot.knowledge.removal import REMOVAL, decode_removal
from bot.privacy.portions import thin_out_person
from storage import audit
from storage.database import open_engine
from storage.engine import Engine, Tx
from storage.knowledge import documents
from storage.knowledge.documents import Document
from storage.privacy.export import export_person
from storage.privacy.forget import forget_team, forget_user
from tests.support.documents import until_true
from tests.support.engines import database_url
from tests.support.indexed import document
from tests.support.rows import FILE
from tests.support.waiting import until

pytestmark = pytest.mark.both_engines
INVOICE = parse("invoice: number, date, supplier, total with currency")
LABELS = {"number": "Invoice number", "date": "Invoice date", "supplier": "Supplier", "total": "Total"}
TABLES = ("field_forms", "field_runs", "field_rows", "field_reviews")


def bill(number: int, total: str = "EUR 12.50") -> str:
    day = f"{number % 28 + 1:02}.04.2026"
    return f"Invoice\nInvoice number: INV-{number}\nInvoice date: {day}\nSupplier: Skua Ltd\nTotal: {total}"


class LineReader:
    """Quotes the line of each label. `held`: it answers no more after so many requests."""

    def __init__(self, held: int = 1000) -> None:
        self.shown: list[dict[str, Any]] = []
        self.held = held
        self.waits = asyncio.Event()

    async def complete(
        self,
        prompt: Prompt,
        scope: Scope,
        *,
        model: str = "",
        style: str = "",
        max_output_tokens: int | None = None,
    ) -> Completion:
        assert scope.kind == "fields"
        if len(self.shown) >= self.held:
            self.waits.set()
            await asyncio.Event().wait()
        shown = json.loads(prompt.messages[-1].text)
        self.shown.append(shown)
        values = [
            {"field": field["name"], "text": line.split(": ")[1], "page": page["page"], "quote": line}
            for page in shown["pages"]
            for line in page["text"].splitlines()
            for field in shown["fields"]
            if line.startswith(LABELS[field["name"]])
        ]
        return Completion(json.dumps({"values": values}), "stop", model, Usage(requests=1))

    async def decide(
        self, text: str, questions: Sequence[dict[str, Any]], scope: Scope, *, model: str
    ) -> tuple[list[dict[str, Any]], Decimal | None]:
        raise NotImplementedError


class ShownCards:
    def __init__(self) -> None:
        self.states: list[tuple[str, int, int]] = []
        self.gone: list[str] = []
        self.meanwhile: Callable[[], Awaitable[object]] | None = None

    async def show_run(self, card: FieldCard, place: CardPlace, *, look: bool) -> CardPlace | None:
        if card.gone:
            self.gone.append(place.message)
        else:
            self.states.append((card.run.state, card.run.done, len(card.rows)))
        if self.meanwhile and card.rows:
            await self.meanwhile()
        return CardPlace(place.channel, place.message or "9.9")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(database_url(tmp_path / FILE)) as engine:
        yield engine


@asynccontextmanager
async def working(
    engine: Engine, model_api: LineReader, side: FieldSide | None = None
) -> AsyncIterator[FieldExtraction]:
    """The service with its jobs worked, until the block ends and the process with it."""
    inbox = Inbox(engine)
    reader = FieldReader(
        engine, model_api, side or ShownCards(), model="m", prices=Prices(""), clock=lambda: 5.0
    )
    fields = FieldExtraction(engine, inbox, reader, clock=lambda: 5.0)
    inbox.register(FIELDS, fields.work, gave_up=fields.report_failure)
    async with inbox:
        yield fields


async def add(engine: Engine, id: str, *pages: str) -> Document:
    """A document of a channel that can be found."""
    given, index = document(id, person="U1", link=f"https://x/{id}"), DocumentIndex(engine)
    await engine.write(documents.add, given)
    sections = tuple(Section(text, page=n, place=f"page {n}") for n, text in enumerate(pages, 1))
    await index.put(id, cut_into_chunks(DocumentText("pdf", id, sections, len(pages))))
    await index.publish(id, now=2.0)
    found = await engine.read(documents.find, id)
    assert found is not None
    return found


async def form_at(fields: FieldExtraction, **what: Any) -> FieldForm:
    given = {"id": "", "team": "T", "channel": "C", "name": "invoice", "fields": INVOICE.fields}
    return await fields.save_form(FieldForm(**(given | what)), by="U9")


async def read(fields: FieldExtraction, given: Document, form: FieldForm) -> list[FieldRow]:
    run = await fields.start(given, form, by="U2", thread="1.0")
    assert run is not None

    async def done() -> bool:
        return (await fields.find_run(run.id)).state in ("done", "failed", "stopped")

    await until_true(done)
    return await fields.rows(form)


def list_tables_to_go(tx: Tx) -> list[Any]:
    jobs = tx.all("select payload from inbox where kind = :kind", kind=REMOVAL)
    return [decode_removal(job["payload"]).tables for job in jobs]


def count(tx: Tx) -> dict[str, int]:
    return {table: int((tx.one(f"select count(*) as n from {table}") or {})["n"]) for table in TABLES}


async def test_a_document_yields_typed_rows_with_page_and_quote(engine: Engine) -> None:
    side = ShownCards()
    async with working(engine, LineReader(), side) as fields:
        form = await form_at(fields)
        rows = await read(fields, await add(engine, "bills", bill(1), bill(2)), form)
        await until(lambda: side.states[-1][0] == "done")
    assert [row.page for row in rows] == [1, 2]
    second = {value.field: (value.value, value.page, value.quote, value.state) for value in rows[1].values}
    assert second["date"] == ("2026-04-03", 2, "Invoice date: 03.04.2026", "ok")
    assert second["total"] == ("EUR 12.50", 2, "Total: EUR 12.50", "ok")
    assert (side.states[0], side.states[-1]) == (("reading", 0, 0), ("done", 2, 2))


async def test_each_piece_is_asked_once_though_the_process_ends_in_between(engine: Engine) -> None:
    given = await add(engine, "bills", *(bill(n) for n in range(1, 8)))
    before, after = LineReader(held=3), LineReader()
    async with working(engine, before) as fields:
        form = await form_at(fields)
        await fields.start(given, form, by="U2")
        await before.waits.wait()
    async with working(engine, after) as fields:
        await until(lambda: len(after.shown) == 4)

        async def done() -> bool:
            return (await fields.list_runs("T", "C"))[0].state == "done"

        await until_true(done)
        rows = await fields.rows(form)
    asked = [shown["pages"][0]["page"] for shown in [*before.shown, *after.shown]]
    assert asked == [1, 2, 3, 4, 5, 6, 7]
    assert [row.piece for row in rows] == list(range(7))


async def test_it_ends_where_somebody_stops_it_and_goes_on_when_asked_again(engine: Engine) -> None:
    given, model_api = await add(engine, "bills", *map(bill, range(1, 6))), LineReader(held=2)
    async with working(engine, model_api) as fields:
        form = await form_at(fields)
        run = await fields.start(given, form, by="U2")
        assert run is not None
        assert await fields.start(given, form, by="U2") is None
        await model_api.waits.wait()
        assert await fields.stop(run.id)
    model_api = LineReader()
    async with working(engine, model_api) as fields:
        assert len(await fields.rows(form)) == 2
        assert len(await read(fields, given, form)) == 5
    assert len(model_api.shown) == 3


async def test_a_review_is_the_last_word_and_teaches(engine: Engine) -> None:
    model_api = LineReader()
    async with working(engine, model_api) as fields:
        form = await form_at(fields)
        (row,) = await read(fields, await add(engine, "one", bill(1, "$ 12.50")), form)
        assert row.state == "doubtful"
        with pytest.raises(NotUnderstood):
            await fields.review(row, "total", "a lot", by="U3")
        row = await fields.review(row, "total", "USD 12.50", by="U3")
        value = row.find("total")
        assert value is not None
        assert (value.state, value.value, value.open) == ("corrected", "USD 12.50", False)
        rows = await read(fields, await add(engine, "two", bill(2, "$ 13.00")), form)
        assert [one.state for one in rows] == ["ok", "ok"]
        assert await fields.rows(form, RowFilter(doubtful=True)) == []
        assert len(await fields.rows(form, RowFilter(values={"total": "13.00"}))) == 1
    acts = [entry.act for entry in await engine.read(audit.entries)]
    assert [act for act in acts if act.startswith(("form", "value"))] == ["form saved", "value reviewed"]


async def test_rows_leave_as_files_that_no_spreadsheet_computes(engine: Engine) -> None:
    async with working(engine, LineReader()) as fields:
        form = await form_at(fields)
        text = bill(1).replace("INV-1", '=HYPERLINK("http://x1")')
        await read(fields, await add(engine, "one", text), form)
        table, lines = await fields.export_csv(form), await fields.export_jsonl(form)
    head, line = table.splitlines()
    assert head == "document,page,state,number,date,supplier,total,to be looked at"
    assert ",=" not in line
    assert json.loads(lines)["fields"]["total"]["value"] == "EUR 12.50"


async def test_a_document_is_of_a_kind_by_the_words_it_begins_with(engine: Engine) -> None:
    async with working(engine, LineReader()) as fields:
        form = await form_at(fields)
        german = await add(engine, "re", bill(1).replace("Invoice", "Rechnung"))
        other = await add(engine, "letter", "Dear all, lunch is at noon.")
        assert [await fields.fits(each, form) for each in (german, other)] == [True, False]


async def test_rows_go_with_their_document_and_reviews_with_their_person(engine: Engine) -> None:
    async with working(engine, LineReader()) as fields:
        form = await form_at(fields)
        (row,) = await read(fields, await add(engine, "one", bill(1, "$ 12.50")), form)
        await fields.review(row, "total", "USD 12.50", by="U3")
        assert b"USD 12.50" in await engine.read(export_person, "T", "U3")
        await engine.write(forget_user, "T", "U3", now=9)
        (row,) = await fields.rows(form)
        assert row.state == "doubtful"
        await fields.review(row, "total", "USD 12.50", by="U4")
        await DocumentIndex(engine).remove(["one"], now=9)
        assert await engine.read(count) == dict.fromkeys(TABLES, 0) | {"field_forms": 1}
        with pytest.raises(Missing):
            await fields.review(row, "total", "USD 12.50", by="U4")
        await read(fields, await add(engine, "two", bill(1)), form)
        await engine.write(forget_user, "T", "U1", now=9)
        assert (await engine.read(count))["field_rows"] == 0


async def test_where_the_table_stands_is_told_to_the_job_that_removes_its_document(engine: Engine) -> None:
    side = ShownCards()
    async with working(engine, LineReader(), side) as fields:
        await read(fields, await add(engine, "one", bill(1)), await form_at(fields))
        await until(lambda: side.states[-1][0] == "done")
    await thin_out_person(engine, "T", "U1", now=9)
    assert await engine.read(list_tables_to_go) == [["C:9.9"]]
    assert (await engine.read(count))["field_runs"] == 0


async def test_a_table_on_its_way_while_its_document_goes_is_taken_back(engine: Engine) -> None:
    side = ShownCards()
    side.meanwhile = lambda: DocumentIndex(engine).remove(["one"], now=9)
    async with working(engine, LineReader(), side) as fields:
        await fields.start(await add(engine, "one", bill(1)), await form_at(fields), by="U2", thread="1.0")
        await until(lambda: side.gone == ["9.9"])


async def test_rows_of_what_is_not_to_be_found_just_now_are_not_shown(engine: Engine) -> None:
    async with working(engine, LineReader()) as fields:
        form = await form_at(fields)
        (row,) = await read(fields, await add(engine, "one", bill(1)), form)
        for reason, shown in (("unshared", 0), ("", 1), ("removed", 0)):
            await engine.write(documents.hide, ["one"], reason=reason)
            assert len(await fields.rows(form)) == shown
            assert ("INV-1" in await fields.export_csv(form)) == bool(shown)
        with pytest.raises(Missing):
            await fields.review(row, "total", "EUR 1.00", by="U1")


async def test_a_form_goes_with_all_that_was_read_for_it(engine: Engine) -> None:
    async with working(engine, LineReader()) as fields:
        form = await form_at(fields)
        given = await add(engine, "one", bill(1))
        await read(fields, given, form)
        await fields.remove_form(form, by="U9")
        assert await engine.read(count) == dict.fromkeys(TABLES, 0)
        assert await fields.start(given, form, by="U2") is None
        await form_at(fields)
        await engine.write(forget_team, "T", now=9)
        assert (await engine.read(count))["field_forms"] == 0


async def test_what_it_takes_is_told_before(engine: Engine) -> None:
    async with working(engine, LineReader()) as fields:
        form = await form_at(fields)
        given = await add(engine, "bills", *map(bill, range(1, 4)))
        cost = await fields.estimate([given], form)
    assert (cost.requests, cost.usd) == (3, None)
