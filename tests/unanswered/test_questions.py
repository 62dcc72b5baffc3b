"""What becomes of questions that could not be answered, on both engines, and who is told of how many."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import BudgetExceeded, StorageError
from bot.core.values import Conversation
from bot.knowledge.index import DocumentIndex
from bot.unanswered.service import UnansweredQuestions
from storage.database import open_engine
from storage.engine import Engine, Tx
from storage.knowledge import answer_examples, documents
from storage.knowledge.documents import Document
from storage.place import Channel
from storage.privacy import forget
from storage.unanswered import questions
from tests.support.engines import database_url

pytestmark = pytest.mark.both_engines

AT, ELSEWHERE = Channel("T1", "C1"), Channel("T1", "C2")
DOGS = "Can I bring my dog to the office?"


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        yield engine


def ask(
    tx: Tx, text: str, *, at: Channel = AT, person: str = "U1", message: str = "1", now: float = 1
) -> int:
    thread = Conversation(at.team, at.channel, message)
    return questions.add_question(
        tx, at, text, "House rules", person=person, conversation=thread.key, message=message,
        reply=f"r{message}", now=now,
    )  # fmt: skip


def unanswered(engine: Engine, embedder: Any = None) -> UnansweredQuestions:
    return UnansweredQuestions(engine, embedder, clock=lambda: 100.0)


async def test_an_owner_sees_topics_with_how_often_and_by_how_many_they_were_asked(engine: Engine) -> None:
    await engine.write(ask, DOGS, message="1", now=1)
    await engine.write(ask, "can i bring a dog to the office?", person="U2", message="2", now=2)
    await engine.write(ask, DOGS, person="U2", message="3", now=3)
    await engine.write(ask, "What is the password of the guest wifi?", message="4", now=4)
    await engine.write(ask, DOGS, at=ELSEWHERE, person="U9", message="5", now=5)
    dogs, wifi = await unanswered(engine).list_topics(AT)
    assert (dogs.question, dogs.times, dogs.people) == (DOGS, 3, 2)
    assert (dogs.first_at, dogs.last_at, dogs.nearest) == (1, 3, "House rules")
    assert [one.person for one in dogs.questions] == ["U1", "U2", "U2"], "and none of another channel"
    assert (wifi.times, wifi.people) == (1, 1)


async def test_what_is_nearest_is_told_as_long_as_its_document_is_there(engine: Engine) -> None:
    """It may be the title of somebody's note, and their name."""
    for id, author in (("note", "U7"), ("file", "U8")):
        await engine.write(documents.add, Document(id, "T1", "channel", id, 1, channel="C1", person=author))
        asked: dict[str, str] = {
            "person": "U1",
            "conversation": f"T1:C1:{id}",
            "message": id,
            "nearest_document": id,
        }
        await engine.write(questions.add_question, AT, f"{id}?", f"{id} by {author}", **asked, now=1)

    async def nearest() -> list[str]:
        return [one.nearest for one in await engine.read(questions.list_open, AT)]

    assert await nearest() == ["file by U8", "note by U7"]
    await engine.write(documents.hide, ["file"], reason="unshared")
    assert await nearest() == ["", "note by U7"]
    await engine.write(documents.hide, ["file"], reason="")
    await engine.write(forget.forget_user, "T1", "U7", now=2)
    assert await nearest() == ["file by U8", ""]
    await DocumentIndex(engine).remove(["file"], now=2)
    kept = await engine.read(lambda tx: tx.all("select nearest from guard_unanswered"))
    assert [row["nearest"] for row in kept] == ["", ""]


async def test_what_somebody_wants_answered_comes_first(engine: Engine) -> None:
    for number in (1, 2):
        await engine.write(ask, DOGS, message=str(number))
    wifi = await engine.write(ask, "What is the password of the guest wifi?", message="3")
    assert await engine.write(questions.want, AT, wifi)
    assert not await engine.write(questions.want, AT, wifi), "said once"
    assert not await engine.write(questions.want, ELSEWHERE, wifi), "not from another channel"
    first, _ = await unanswered(engine).list_topics(AT)
    assert (first.questions[0].id, first.wanted) == (wifi, True)


async def test_a_topic_keeps_its_number_while_questions_come_and_go(engine: Engine) -> None:
    listed = unanswered(engine)
    first = await engine.write(ask, DOGS, message="1")
    (topic,) = await listed.list_topics(AT)
    await engine.write(ask, DOGS, message="2", person="U2")
    await listed.list_topics(AT)
    await engine.write(questions.set_topic, AT, [first + 1], 99)  # as another process would, too late
    await engine.write(forget.forget_user, "T1", "U1", now=5)
    assert [one.topic for one in await engine.read(questions.list_open, AT)] == [first]
    (again,) = await listed.list_topics(AT)
    assert (topic.id, again.id, again.times) == (first, first, 1)
    new = await engine.write(ask, DOGS, message="3", person="U3")
    assert await listed.find_topic(AT, new) == first
    assert await listed.find_topic(ELSEWHERE, new) == 0


async def test_what_is_not_ours_goes_off_the_list_with_all_that_mean_the_same(engine: Engine) -> None:
    listed = unanswered(engine)
    for number in (1, 2):
        await engine.write(ask, DOGS, message=str(number))
    (topic,) = await listed.list_topics(AT)
    assert await listed.close_as_not_ours(ELSEWHERE, topic.id, by="U0", shared=False) == []
    closed = await listed.close_as_not_ours(AT, topic.id, by="U0", shared=False)
    assert (len(closed), await listed.list_topics(AT), await listed.count(AT)) == (2, [], 0)
    row = await engine.read(questions.find, "T1", closed[0].id)
    assert row is not None and (row.outcome, row.closed_at, row.told_at) == ("not ours", 100.0, None)
    assert await engine.write(questions.close, AT, [row.id], "answered", now=200.0) == [], "it is closed"


async def test_what_is_not_ours_is_closed_and_taught_together_or_not_at_all(engine: Engine) -> None:
    listed = unanswered(engine)
    await engine.write(ask, DOGS)
    (topic,) = await listed.list_topics(AT)
    await engine.write(lambda tx: tx.run("alter table answer_examples rename to kept"))
    with pytest.raises(StorageError):
        await listed.close_as_not_ours(AT, topic.id, by="U0", shared=False)
    assert await listed.count(AT) == 1
    await engine.write(lambda tx: tx.run("alter table kept rename to answer_examples"))
    assert await listed.close_as_not_ours(AT, topic.id, by="U0", shared=False)
    (taught,) = await engine.read(answer_examples.list_examples, AT)
    assert (taught["question"], taught["answerable"], taught["source"]) == (DOGS, 0, "not ours")


async def test_where_another_company_reads_along_what_is_not_ours_teaches_nothing(engine: Engine) -> None:
    listed = unanswered(engine)
    await engine.write(ask, DOGS)
    (topic,) = await listed.list_topics(AT)
    assert await listed.close_as_not_ours(AT, topic.id, by="U0", shared=True)
    assert await engine.read(answer_examples.list_examples, AT) == []


async def test_a_post_that_is_refused_again_is_one_question_and_found_by_its_last_refusal(
    engine: Engine,
) -> None:
    first = await engine.write(ask, DOGS)
    await unanswered(engine).list_topics(AT)
    assert await engine.write(ask, DOGS) == first
    row = await engine.read(questions.find_by_reply, "T1", "r1")
    assert row is not None and (row.id, row.topic) == (first, first)
    await engine.write(ask, "What is the password of the guest wifi?")
    row = await engine.read(questions.find, "T1", first)
    assert row is not None and (row.question[:4], row.topic) == ("What", 0), "other words are grouped anew"


async def test_a_post_that_was_answered_is_off_the_list_and_other_words_of_it_are_gone(
    engine: Engine,
) -> None:
    same, other = await engine.write(ask, DOGS), await engine.write(ask, DOGS, message="2")
    await engine.write(questions.note_answered, AT, "1", DOGS, now=7)
    await engine.write(questions.note_answered, AT, "2", "And cats?", now=7)
    row = await engine.read(questions.find, "T1", same)
    assert row is not None and (row.outcome, row.told_at) == ("answered", 7)
    assert await engine.read(questions.find, "T1", other) is None


async def test_a_question_is_forgotten_with_its_post_its_thread_and_its_person(engine: Engine) -> None:
    for number, person in enumerate(("U1", "U1", "U2"), 1):
        await engine.write(ask, DOGS, message=str(number), person=person)
    assert await engine.write(forget.forget_judged, "T1", "C1", "1")
    await engine.write(forget.forget, Conversation("T1", "C1", "2"), now=5)
    await engine.write(forget.forget_user, "T1", "U2", now=5)
    assert await engine.read(questions.list_open, AT) == []


async def test_the_digest_counts_what_was_refused_and_what_was_answered_after_all(engine: Engine) -> None:
    early = await engine.write(ask, DOGS, message="1", now=1)
    await engine.write(ask, DOGS, message="2", now=11)
    await engine.write(ask, DOGS, message="3", at=Channel("T1", "D1"), now=12)
    await engine.write(questions.close, AT, [early], "answered", now=13)
    counted = await engine.read(questions.count_by_channel, "T1", since=10, until=20)
    assert counted == [{"channel": "C1", "refused": 1, "answered": 1}], "direct messages are nobody else's"


class SpentEmbedder:
    """An embedder for which the money is spent."""

    name, unrelated = "spent", 0.1

    async def embed(self, texts: Any, scope: Any, *, kept: bool = True, passages: bool = False) -> Any:
        raise BudgetExceeded("monthly", "tomorrow")


async def test_where_the_money_is_spent_questions_are_grouped_by_words(engine: Engine) -> None:
    for number in (1, 2):
        await engine.write(ask, DOGS, message=str(number))
    (topic,) = await unanswered(engine, SpentEmbedder()).list_topics(AT)
    assert topic.times == 2
