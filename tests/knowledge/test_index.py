"""Documents are found from where they may be found, by their words and by their meaning."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.knowledge import vector_forms, vectors
from bot.knowledge.index import Audience, DocumentIndex
from bot.ml import minilm
from storage.database import open_engine
from storage.engine import Engine
from storage.knowledge import documents
from tests.support.engines import database_url
from tests.support.indexed import HERE, SCOPE, WordEmbedder, ask, cut, document, put

pytestmark = pytest.mark.both_engines

PRICES = ("The deposit is 40 euros and is paid back.", "Dogs are welcome in every room.")


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        yield engine


async def test_a_document_is_found_once_it_is_published_and_not_once_it_is_removed(engine: Engine) -> None:
    index = DocumentIndex(engine)
    await engine.write(documents.add, document("prices"))
    for _ in range(2):  # again is harmless
        await index.put("prices", cut(PRICES))
    assert await ask(index, "How much is the deposit?") == []
    await index.publish("prices", now=2.0)
    assert await ask(index, "How much is the deposit?") == [("prices", 1)]
    assert await ask(index, "May I bring my dog?") == [("prices", 2)]
    await index.remove(["prices"], now=3.0)
    assert await ask(index, "How much is the deposit?") == []
    for table in ("documents", "document_chunks", "document_words"):
        assert await engine.read(lambda tx, table=table: tx.all(f"select * from {table}")) == []


async def test_a_document_that_changed_while_it_was_put_in_says_only_what_it_says_now(engine: Engine) -> None:
    index = DocumentIndex(engine)
    await put(engine, index, document("it"), *(f"The deposit is {n} euros." for n in range(20)))
    await index.empty("it")
    await index.put("it", cut(["The rent is 4 euros."]))
    assert await ask(index, "deposit") == []
    assert await ask(index, "rent") == [("it", 1)]
    stored = await engine.read(documents.find, "it")
    assert stored
    assert (stored.chunks, stored.characters) == (1, 20)


async def test_nothing_is_put_into_a_document_that_is_being_erased(engine: Engine) -> None:
    index = DocumentIndex(engine)
    await put(engine, index, document("it"), "The deposit.")
    await engine.write(documents.hide, ["it"], reason="removed")
    await index.empty("it")
    await index.put("it", cut(["The rent."]))
    assert await engine.read(lambda tx: tx.all("select id from document_chunks")) == []


async def test_a_newer_version_takes_the_place_of_the_older_when_it_can_be_found(engine: Engine) -> None:
    index = DocumentIndex(engine)
    await put(engine, index, document("old"), *PRICES)
    newer = replace(document("new"), replaces="old")
    await engine.write(documents.add, newer)
    await index.put("new", cut(["The deposit is 50 euros."]))
    assert await ask(index, "deposit") == [("old", 1)]
    await index.publish("new", now=3.0)
    assert await ask(index, "deposit") == [("new", 1)]
    assert await engine.read(documents.find, "old") is None


WHOSE = {
    "channel": document("channel"),
    "other channel": document("other-channel", channel="C2"),
    "workspace": document("workspace", audience="workspace", channel=""),
    "person": document("person", audience="person", channel="D1", person="U1"),
    "thread": document("thread", audience="thread", conversation="T:C:1"),
    "other team": document("other-team", team="T2"),
    "other team's workspace": document("other-workspace", team="T2", audience="workspace", channel=""),
}


@pytest.mark.parametrize(
    ("audience", "found"),
    [
        (HERE, {"channel", "workspace", "thread"}),
        (replace(HERE, conversation="T:C:2"), {"channel", "workspace"}),
        (replace(HERE, workspace=False), {"channel", "thread"}),
        (replace(HERE, open=False), set()),
        (Audience("T", "D1", "T:D1:", person="U1"), {"person", "workspace"}),
        (Audience("T", "D2", "T:D2:", person="U2"), {"workspace"}),
        (Audience("T2", "C", "T2:C:1"), {"other-team", "other-workspace"}),
    ],
)
async def test_only_what_belongs_to_where_somebody_asks_is_found(
    engine: Engine, audience: Audience, found: set[str]
) -> None:
    index = DocumentIndex(engine, WordEmbedder("one"))
    for given in WHOSE.values():
        await put(engine, index, given, PRICES[0])
        await index.embed(given.id, scope=SCOPE)
    assert {id for id, _ in await ask(index, "How much is the deposit?", audience)} == found
    whole = await index.whole(audience, most_tokens=1000, model="")
    assert {passage.document for passage in whole or ()} == found


async def test_what_is_hidden_is_not_found_and_does_not_crowd_out_what_is_not(engine: Engine) -> None:
    index = DocumentIndex(engine)
    await put(engine, index, document("seen"), PRICES[0])
    await put(engine, index, document("hidden"), *["The deposit."] * 250)
    assert ("seen", 1) not in (await ask(index, "deposit"))[:5]
    await engine.write(documents.hide, ["hidden"], reason="the file was deleted")
    assert await ask(index, "deposit") == [("seen", 1)]
    await engine.write(documents.hide, ["hidden"], reason="")
    assert ("hidden", 1) in await ask(index, "deposit")


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("下周在京都开会，费用由公司承担。", "京都会议的费用"),
        ("会議は京都で開かれます。費用は会社が払います。", "京都の会議はいつですか"),
        ("회의는 서울에서 열립니다.", "서울 회의"),
        ("Die Häuser werden im Frühjahr gestrichen.", "Wann wird das Haus gestrichen?"),
        ("Crêpes à volonté.", "crepe"),
        ("The treaties were signed in Maastricht.", "Which treaty?"),
        ("It costs 1,200 dollars.", "1200"),
    ],
)
async def test_words_are_found_as_people_write_them(engine: Engine, text: str, question: str) -> None:
    index = DocumentIndex(engine)
    await put(engine, index, document("it"), text, "Something else entirely.")
    assert (await ask(index, question))[:1] == [("it", 1)]


async def test_a_question_of_small_words_alone_is_searched_all_the_same(engine: Engine) -> None:
    index = DocumentIndex(engine)
    await put(engine, index, document("it"), "Who we are: a bakery.", "Prices of bread.")
    assert await ask(index, "who are you") == [("it", 1)]
    assert await ask(index, "?!") == []
    assert await ask(index, "") == []


async def test_all_of_it_is_given_where_it_fits_and_nothing_where_it_does_not(engine: Engine) -> None:
    index = DocumentIndex(engine)
    await put(engine, index, document("prices"), *PRICES)
    whole = await index.whole(HERE, most_tokens=30, model="")
    assert [passage.text for passage in whole or ()] == list(PRICES)
    assert await index.whole(HERE, most_tokens=5, model="") is None


# By meaning


@pytest.mark.parametrize("numpy", [True, False])
async def test_what_means_the_same_is_found_without_a_word_in_common(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, numpy: bool
) -> None:
    monkeypatch.setattr(vectors, "has_numpy", lambda: numpy)
    index = DocumentIndex(engine, WordEmbedder("one"))
    await put(engine, index, document("prices"), *PRICES)
    assert await ask(index, "canine surety") == []
    told = list[tuple[int, int]]()
    await index.embed("prices", scope=SCOPE, progress=lambda done, of: told.append((done, of)))
    assert told == [(2, 2)]
    hits = await index.search(HERE, ["canine"], scope=SCOPE)
    assert [(hit.passage.page, hit.word_rank, hit.vector_rank) for hit in hits] == [
        (2, None, 1),
        (1, None, 2),
    ]
    assert hits[0].nearness
    assert hits[0].nearness > 0.8 > (hits[1].nearness or 0)


async def test_a_document_that_speaks_of_nothing_else_is_before_one_that_does_by_chance(
    engine: Engine,
) -> None:
    index = DocumentIndex(engine, WordEmbedder("one"))
    await put(engine, index, document("flyer"), "Dogs here.", "Rooms have beds.", "Tea is at four.")
    await put(engine, index, document("kennel"), *("Dogs sleep here." for _ in range(3)))
    for name in ("flyer", "kennel"):
        await index.embed(name, scope=SCOPE)
    hits = await index.search(HERE, ["canine"], scope=SCOPE)
    assert hits[0].passage.document == "kennel"
    nearest = max(hits, key=lambda hit: hit.nearness or 0.0)
    assert (nearest.passage.document, nearest.passage.page) == ("flyer", 1)


async def test_words_are_all_there_is_while_the_model_does_not_answer(engine: Engine) -> None:
    embedder = WordEmbedder("one")
    index = DocumentIndex(engine, embedder)
    await put(engine, index, document("prices"), *PRICES)
    await index.embed("prices", scope=SCOPE)
    embedder.fails = True
    assert await ask(index, "deposit") == [("prices", 1)]


async def test_another_embedder_takes_over_document_by_document_while_the_old_one_serves(
    engine: Engine,
) -> None:
    old, new = WordEmbedder("old"), WordEmbedder("new")
    index = DocumentIndex(engine, old)
    for id in ("first", "second"):
        await put(engine, index, document(id), f"Dogs of the {id}.", *["Something else."] * 20)
        await index.embed(id, scope=SCOPE)
    changed = DocumentIndex(engine, new, earlier={"old": old}.get)
    assert await changed.list_incomplete() == ["first", "second"]
    assert {id for id, _ in (await ask(changed, "canine"))[:2]} == {"first", "second"}
    await changed.embed("first", scope=SCOPE)
    assert await changed.list_incomplete() == ["second"]
    assert {id for id, _ in (await ask(changed, "canine"))[:2]} == {"first", "second"}
    await changed.embed("second", scope=SCOPE)
    old.fails = True
    assert {id for id, _ in (await ask(changed, "canine"))[:2]} == {"first", "second"}
    left = await engine.read(lambda tx: tx.all("select distinct embedder from document_vectors"))
    assert left == [{"embedder": "new"}]
    assert new.passages == 42


async def test_a_chunk_is_found_by_the_one_sentence_that_is_about_it(engine: Engine) -> None:
    index = DocumentIndex(engine, WordEmbedder(minilm.NAME))
    about_much = " ".join([*["Something else entirely is said here."] * 4, "Dogs are welcome."])
    half = "Dogs eat bread or meat, or so it is said, and are elsewhere most of the day and night, whatever."
    await put(engine, index, document("it"), half, about_much)
    await index.embed("it", scope=SCOPE)
    assert await ask(index, "canine") == [("it", 2), ("it", 1)]


async def test_vectors_as_they_were_made_before_serve_until_a_document_has_all_new_ones(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder = WordEmbedder(minilm.NAME)
    with monkeypatch.context() as before:
        before.setattr(vector_forms, "FORMS", {})
        index = DocumentIndex(engine, embedder)
        two = "One sentence, which says little of anything. And another one that is as long."
        await put(engine, index, document("it"), *PRICES, two)
        await index.embed("it", scope=SCOPE)
    index = DocumentIndex(engine, embedder)
    assert await index.list_incomplete() == ["it"]
    assert (await ask(index, "canine"))[0] == ("it", 2)
    await index.embed("it", scope=SCOPE)
    assert await index.list_incomplete() == []
    assert (await ask(index, "canine"))[0] == ("it", 2)
    parts = await engine.read(lambda tx: tx.all("select chunk, part from document_vectors"))
    assert sorted(Counter(row["chunk"] for row in parts).values()) == [1, 1, 3]


# Written otherwise


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Die Kündigungsfrist beträgt drei Monate.", "Welche Frist gilt?"),
        ("Die Frist für die Kündigung beträgt drei Monate.", "Wie lang ist die Kündigungsfrist?"),
        ("Dübellöcher dürfen bleiben.", "Muss ich die Löcher schließen?"),
        ("Kreissäge und Drehbank sind im Keller.", "Wo ist die Säge?"),
        ("Reimbursement takes ten days.", "How long does a reimbursment take?"),
        ("The greenhouse is closed.", "Is the greenhuose open?"),
    ],
)
async def test_compounds_and_misspelt_words_are_found(engine: Engine, text: str, question: str) -> None:
    index = DocumentIndex(engine)
    await put(engine, index, document("it"), "Etwas ganz anderes.", text, "Something else entirely.")
    assert (await ask(index, question))[:1] == [("it", 2)]
