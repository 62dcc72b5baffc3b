"""What is erased of documents is gone from every table and the disk: chunks, words, vectors, indexes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.core.values import Conversation
from bot.knowledge.index import DocumentIndex
from bot.privacy.portions import thin_out, work_off
from storage.database import open_engine
from storage.engine import Engine
from storage.knowledge.documents import Document, name_thread
from storage.privacy import retention
from storage.privacy.forget import forget, forget_team, forget_user
from storage.privacy.portions import Whose
from tests.support.engines import database_url
from tests.support.indexed import HERE, SCOPE, WordEmbedder, ask, document, put
from tests.support.rows import FILE, kept, on_disk

pytestmark = pytest.mark.both_engines
SECRET = "xylophon"  # as it is indexed
FILLING = [f"Something else number {n}." for n in range(40)]


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(database_url(tmp_path / FILE)) as engine:
        yield engine


async def erase_removed(engine: Engine) -> None:
    await DocumentIndex(engine).remove(["it"], by="U1", now=9)


async def erase_of_person(engine: Engine) -> None:
    await thin_out(engine, Whose("T", "U1"), now=9)
    await engine.write(forget_user, "T", "U1", now=9)


async def erase_of_person_at_once(engine: Engine) -> None:
    await engine.write(forget_user, "T", "U1", now=9)


async def erase_of_team(engine: Engine) -> None:
    await thin_out(engine, Whose("T"), now=9)
    await engine.write(forget_team, "T", now=9)


async def erase_of_thread(engine: Engine) -> None:
    await engine.write(forget, Conversation("T", "C", "1"), now=9)


async def erase_of_direct_conversation(engine: Engine) -> None:
    await engine.write(forget, Conversation("T", "C", "2", whole=True), now=9)


async def erase_by_age(engine: Engine) -> None:
    assert await work_off(engine, retention.erase_attached, before=5, within="T:C:") == 42


MINE = document("it", person="U1")
ATTACHED = document("it", audience="thread", conversation="T:C:1")
KEPT_THREAD = replace(MINE, person="U2", source="thread", name=name_thread("C", "1"))


@pytest.mark.parametrize(
    ("given", "erase"),
    [
        (MINE, erase_removed),
        (MINE, erase_of_person),
        (MINE, erase_of_person_at_once),
        (replace(MINE, person="U2", source="thread", authors=" U1 U3 "), erase_of_person),
        (MINE, erase_of_team),
        (ATTACHED, erase_of_thread),
        (KEPT_THREAD, erase_of_thread),
        (KEPT_THREAD, erase_of_direct_conversation),
        (ATTACHED, erase_by_age),
    ],
    ids=[
        "removed",
        "person",
        "person at once",
        "author",
        "workspace",
        "thread",
        "kept thread",
        "kept in one conversation",
        "age",
    ],
)
async def test_nothing_of_an_erased_document_is_left(
    tmp_path: Path, engine: Engine, given: Document, erase: Callable[[Engine], Awaitable[None]]
) -> None:
    index = DocumentIndex(engine, WordEmbedder("one"))
    stays = document("stays", team="T2", person="U9")
    for one, text in ((given, f"The {SECRET}es play."), (stays, "Trumpets play.")):
        await put(engine, index, one, text, *FILLING)
        await index.embed(one.id, scope=SCOPE)
    assert "document_chunks" in kept(tmp_path, SECRET)
    await erase(engine)
    await engine.scrub()
    assert kept(tmp_path, SECRET) == []
    assert on_disk(tmp_path, SECRET) == []
    assert await ask(index, SECRET) == []
    theirs = replace(HERE, team="T2")
    assert (await ask(index, "trumpets", theirs))[0] == ("stays", 1)
    for table in ("document_chunks", "document_vectors", "document_words"):
        teams = await engine.read(
            lambda tx, table=table: {row["team"] for row in tx.all(f"select team from {table}")}
        )
        assert teams == {"T2"}, table


async def test_what_others_added_stays_when_a_person_is_forgotten(engine: Engine) -> None:
    index = DocumentIndex(engine)
    await put(engine, index, document("theirs", person="U2"), "The deposit.")
    await erase_of_person(engine)
    assert await ask(index, "deposit") == [("theirs", 1)]


async def test_documents_outlast_the_questions_about_them(engine: Engine) -> None:
    index = DocumentIndex(engine)
    await put(engine, index, document("added"), "The deposit.")
    assert await work_off(engine, retention.erase_attached, before=5) == 0
    assert await ask(index, "deposit") == [("added", 1)]


async def test_another_thread_that_is_kept_stays_when_one_is_forgotten(engine: Engine) -> None:
    index = DocumentIndex(engine)
    await put(engine, index, replace(KEPT_THREAD, name=name_thread("C", "11")), "The deposit.")
    await erase_of_thread(engine)
    assert await ask(index, "deposit") == [("it", 1)]
