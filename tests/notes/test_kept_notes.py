"""Notes in storage: listed from where they may be found, due once, and gone with their author or thread."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.values import Conversation
from bot.knowledge.index import DocumentIndex
from bot.privacy.portions import thin_out, work_off
from storage.database import open_engine
from storage.engine import Engine
from storage.knowledge import documents, notes
from storage.knowledge.documents import Document, name_note
from storage.privacy import retention
from storage.privacy.export import export_person
from storage.privacy.forget import forget, forget_user
from storage.privacy.portions import Whose
from tests.support.engines import database_url
from tests.support.indexed import HERE, document, put
from tests.support.rows import FILE, kept, on_disk

pytestmark = pytest.mark.both_engines
SECRET = "xylophon"
NOTE = document("note", person="U1", source="note", name=name_note("C", "1.5", "1.6"))
OTHER = document("other", person="U2", source="note", name=name_note("C", "1.55", "1.7"))


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(database_url(tmp_path / FILE)) as engine:
        yield engine


async def keep(engine: Engine, *given: Document) -> None:
    for one in given:
        await put(engine, DocumentIndex(engine), one, f"The {SECRET} of {one.id}.")


async def list_ids(engine: Engine) -> list[str]:
    return [note.id for note in await engine.read(notes.list_visible, HERE)]


async def test_a_note_is_listed_where_it_may_be_found_and_documents_are_not(engine: Engine) -> None:
    mine = replace(OTHER, id="mine", audience="person", channel="D", name="note D - 1")
    theirs = replace(OTHER, id="theirs", channel="C2", name="note C2 - 1")
    await keep(engine, NOTE, mine, theirs, document("file"))
    assert await list_ids(engine) == ["note"]
    in_direct = replace(HERE, channel="D", person="U2")
    assert [note.id for note in await engine.read(notes.list_visible, in_direct)] == ["mine"]
    assert await engine.read(notes.list_visible, replace(HERE, open=False)) == []
    assert await engine.read(notes.find, "T2", "note") is None


async def test_a_note_is_due_once(engine: Engine) -> None:
    await keep(engine, replace(NOTE, look_again_at=5.0), OTHER)
    assert await engine.read(notes.list_due, now=4.0, limit=9) == []
    (due,) = await engine.read(notes.list_due, now=5.0, limit=9)
    assert await engine.write(notes.take_due, due)
    assert not await engine.write(notes.take_due, due)
    assert await engine.read(notes.list_due, now=9.0, limit=9) == []


async def test_nothing_of_a_note_is_left_when_its_author_is_forgotten_or_whoever_it_was_changed_from(
    tmp_path: Path, engine: Engine
) -> None:
    await keep(engine, NOTE, replace(OTHER, authors=" U1 "))
    assert SECRET in json.dumps(json.loads(await engine.read(export_person, "T", "U1"))["notes"])
    await thin_out(engine, Whose("T", "U1"), now=9)
    await engine.write(forget_user, "T", "U1", now=9)
    await engine.scrub()
    assert kept(tmp_path, SECRET) == []
    assert on_disk(tmp_path, SECRET) == []


async def test_a_note_goes_with_its_thread_when_that_is_forgotten_and_not_by_its_age(engine: Engine) -> None:
    await keep(engine, NOTE, OTHER)
    assert await work_off(engine, retention.erase_attached, before=99, within="T:C:") == 0
    await engine.write(forget, Conversation("T", "C", "1.5"), now=9)
    assert await list_ids(engine) == ["other"]


async def test_a_note_is_found_by_the_message_that_it_was_made_of(engine: Engine) -> None:
    await keep(engine, NOTE, OTHER)
    found = await engine.read(documents.list_notes_of_message, "T", "C", "1.6")
    assert [one.id for one in found] == ["note"]
