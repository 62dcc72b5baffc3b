"""What is remembered of conversations, and what is not remembered any more."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.values import Conversation
from storage import schema
from storage.conversation import messages, summaries, tombstones
from storage.conversation.messages import Recalled
from storage.conversation.storable import storable
from storage.engine import Tx
from storage.jobs import inbox, queries
from storage.jobs.inbox import Job
from storage.privacy.forget import forget, forget_user
from storage.sqlite.writer import SqliteTx
from tests.support.conversation_rows import HERE, everything, say, work_through
from tests.support.rows import open_rows, table_names

pytestmark = pytest.mark.both_engines

THERE = Conversation("T", "C", "2")


@pytest.fixture
def tx(tmp_path: Path) -> Iterator[SqliteTx]:
    with open_rows(tmp_path / "p.db") as tx:
        yield tx


def answer(tx: Tx, message: str, *, place: Conversation = HERE, person: str = "U1") -> bool:
    return messages.append(
        tx, place, role="assistant", message=message, person=person, text=f"answer {message}", now=2.0
    )


def texts(recalled: Recalled) -> list[str]:
    return [message.text for message in recalled.messages]


def recall(tx: Tx, place: Conversation = HERE, **kw: Any) -> Recalled:
    return messages.recall(tx, place.key, **kw)


def summarise(tx: Tx, text: str, upto: int, *, erasures: int | None = None) -> bool:
    known = recall(tx).erasures if erasures is None else erasures
    return summaries.summarise(tx, HERE.key, text, upto=upto, tokens=7, erasures=known, now=3.0)


# Remembering


def test_a_conversation_is_recalled_in_the_order_it_was_said(tx: SqliteTx) -> None:
    assert say(tx, "10", "hello")
    assert answer(tx, "r1")
    assert say(tx, "11", "again", person="U2")
    say(tx, "12", "elsewhere", place=THERE)
    recalled = recall(tx)
    assert texts(recalled) == ["hello", "answer r1", "again"]
    assert [m.person for m in recalled.messages] == ["U1", "U1", "U2"]
    assert (recalled.turns, recalled.last_at, recalled.complete) == (1, 1.0, True)


def test_a_message_is_remembered_once(tx: SqliteTx) -> None:
    assert say(tx, "10")
    assert not say(tx, "10", "something else")
    assert texts(recall(tx)) == ["text 10"]


def test_a_conversation_never_seen_is_empty(tx: SqliteTx) -> None:
    assert recall(tx) == Recalled()
    assert not messages.knows_conversation(tx, HERE.key)


def test_a_summary_stands_for_what_was_said_before(tx: SqliteTx) -> None:
    for n in range(6):
        say(tx, f"{n}")
    upto = recall(tx).messages[3].seq
    assert summarise(tx, "so far", upto)
    recalled = recall(tx)
    assert (recalled.summary, recalled.summary_tokens, recalled.upto) == ("so far", 7, upto)
    assert texts(recalled) == ["text 4", "text 5"]


def test_only_the_newest_messages_are_read_and_that_is_said(tx: SqliteTx) -> None:
    for n in range(10):
        say(tx, f"{n}")
    recalled = recall(tx, limit=3)
    assert texts(recalled) == ["text 7", "text 8", "text 9"]
    assert not recalled.complete
    assert recall(tx, limit=10).complete


def test_cut_answers_stay_marked_as_cut(tx: SqliteTx) -> None:
    messages.append(tx, HERE, role="assistant", message="r", person="U1", text="half", whole=False, now=1)
    assert recall(tx).messages[0].whole is False


@settings(max_examples=30)
@given(text=st.text(st.characters(), max_size=50))
def test_any_text_can_be_remembered(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    with open_rows(tmp_path_factory.mktemp("any") / "p.db") as tx:
        say(tx, "10", "x" + text)
        assert texts(recall(tx)) == [storable("x" + text)]


@pytest.mark.parametrize("text", ["\ud800 alone", "a\0b"])
def test_what_no_database_takes_is_replaced(text: str) -> None:
    stored = storable(text)
    assert "\0" not in stored
    assert stored.encode()


# Changing and deleting


def test_an_edit_takes_the_place_of_the_old_text_and_of_summaries_of_it(tx: SqliteTx) -> None:
    for n in range(4):
        say(tx, f"{n}")
    first, second, *_ = (m.seq for m in recall(tx).messages)
    summarise(tx, "early", first)
    summarise(tx, "with the old text", second)
    assert messages.edit(tx, "T", "C", "1", "new text", now=9)
    recalled = recall(tx)
    assert recalled.summary == "early"
    assert texts(recalled) == ["new text", "text 2", "text 3"]


def test_an_edit_that_changes_nothing_or_nothing_of_ours_drops_nothing(tx: SqliteTx) -> None:
    say(tx, "1")
    summarise(tx, "summary", recall(tx).messages[0].seq)
    assert not messages.edit(tx, "T", "C", "1", "text 1", now=9)
    assert not messages.edit(tx, "T", "C", "99", "new", now=9)
    assert not messages.edit(tx, "T", "OTHER", "1", "new", now=9)
    assert recall(tx).summary == "summary"


def test_a_deleted_message_is_in_no_summary_and_does_not_come_back(tx: SqliteTx) -> None:
    for n in range(4):
        say(tx, f"{n}")
    seqs = [m.seq for m in recall(tx).messages]
    summarise(tx, "before it", seqs[0])
    summarise(tx, "with it", seqs[2])
    assert messages.delete(tx, "T", "C", "2", now=9)
    assert not say(tx, "2")
    assert tombstones.forgotten(tx, "T", "C", "2")
    recalled = recall(tx)
    assert recalled.summary == "before it"
    assert texts(recalled) == ["text 1", "text 3"]


def test_a_message_deleted_before_it_arrived_is_not_remembered(tx: SqliteTx) -> None:
    assert not messages.delete(tx, "T", "C", "5", now=9)
    assert not say(tx, "5")


def test_a_summary_made_while_something_was_deleted_is_not_kept(tx: SqliteTx) -> None:
    say(tx, "1", "secret")
    say(tx, "2")
    before = recall(tx)
    messages.delete(tx, "T", "C", "1", now=9)
    assert not summarise(tx, "secret", before.messages[-1].seq, erasures=before.erasures)
    assert recall(tx).summary == ""
    assert summarise(tx, "clean", before.messages[-1].seq)


def test_what_was_written_of_a_conversation_to_search_with_goes_with_any_of_its_messages(
    tx: SqliteTx,
) -> None:
    for n in range(3):
        say(tx, f"{n}")
        answer(tx, f"{n}/r{n}")
        messages.set_searched(tx, HERE.key, f"{n}/r{n}", f"text 0, in {n}", erasures=recall(tx).erasures)
    assert messages.find_searched(tx, HERE.key, "r2") == "text 0, in 2"
    before = recall(tx)
    messages.delete(tx, "T", "C", "1", now=9)
    assert [messages.find_searched(tx, HERE.key, f"r{n}") for n in range(3)] == ["", "", ""]
    messages.set_searched(tx, HERE.key, "2/r2", "made before that", erasures=before.erasures)
    assert messages.find_searched(tx, HERE.key, "r2") == ""


# Forgetting


def test_forgetting_a_person_leaves_not_one_word_of_theirs(tx: SqliteTx) -> None:
    work_through(tx, "1", HERE, "U1")
    work_through(tx, "2", HERE, "U2")
    work_through(tx, "3", THERE, "U1", parked=True)
    summarise(tx, "secret of U1", recall(tx).messages[-1].seq)
    assert forget_user(tx, "T", "U1", now=9) == 2
    left = everything(tx)
    assert "secret of U1" not in left
    assert "secret of U2" in left
    assert texts(recall(tx)) == ["secret of U2", "secret of U2!"]
    assert not say(tx, "1", "secret of U1")
    assert queries.list_jobs(tx, "parked") == []


def test_the_same_user_id_in_another_workspace_keeps_everything(tx: SqliteTx) -> None:
    work_through(tx, "1", HERE, "U1")
    assert forget_user(tx, "OTHER", "U1", now=9) == 0
    assert "secret of U1" in everything(tx)


def test_forgetting_a_conversation_leaves_others_and_that_we_take_part(tx: SqliteTx) -> None:
    work_through(tx, "1", HERE, "U1")
    work_through(tx, "2", THERE, "U2")
    summarise(tx, "secret of U1", recall(tx).messages[-1].seq)
    assert forget(tx, HERE, now=9) == 2
    assert "secret of U1" not in everything(tx)
    recalled = recall(tx)
    assert (texts(recalled), recalled.summary, recalled.forgotten_at) == ([], "", 9)
    assert messages.knows_conversation(tx, HERE.key)
    assert texts(recall(tx, THERE)) == ["secret of U2", "secret of U2!"]
    assert say(tx, "3")
    assert texts(recall(tx)) == ["text 3"]


def test_a_question_that_waits_survives_forgetting_and_is_answered(tx: SqliteTx) -> None:
    inbox.put(tx, "k", HERE.key, "m", '"question"', team="T", person="U1", now=0)
    forget(tx, HERE, now=9)
    forget_user(tx, "T", "U1", now=9)
    job = inbox.take(tx, HERE.key, now=9)
    assert isinstance(job, Job)
    assert job.payload == '"question"'


def test_a_question_survives_forgetting_also_where_it_got_a_thread_of_its_own_since(tx: SqliteTx) -> None:
    """The one before it, with which it was one question, was deleted and took its thread along."""
    key = "m:T:C:1.5"
    inbox.put(tx, key, HERE.key, "m", '"question"', team="T", person="U1", now=0)
    say(tx, "1.5", place=THERE)
    forget_user(tx, "T", "U1", now=9)
    assert texts(recall(tx, THERE)) == ["text 1.5"]
    assert not tombstones.forgotten(tx, "T", "C", "1.5")


@pytest.mark.sqlite_file  # both have the same tables
def test_every_table_is_declared_to_hold_peoples_words_or_not(tx: SqliteTx) -> None:
    engines = ("sqlite_", "_", "chunk_words", "word_letters")
    tables = {name for name in table_names(tx) if not name.startswith(engines)}
    declared = schema.WORDS_OF.keys() | schema.NO_WORDS.keys()
    assert tables == declared, "declare new tables in storage/schema.py: WORDS_OF or NO_WORDS"
    assert not schema.WORDS_OF.keys() & schema.NO_WORDS.keys()
    for table, column in schema.WORDS_OF.items():
        columns = {row["name"] for row in tx.all(f"pragma table_info({table})")}
        assert {"team", column} <= columns, table


# Costs


def test_recalling_an_old_conversation_costs_as_much_as_a_young_one(tx: SqliteTx) -> None:
    def seconds(place: Conversation, count: int) -> float:
        tx.run("begin")
        for n in range(count):
            say(tx, f"{place.thread}-{n}", place=place)
        tx.run("commit")
        upto = recall(tx, place).messages[-5].seq
        summaries.summarise(tx, place.key, "s", upto=upto, tokens=1, erasures=0, now=1)
        assert len(recall(tx, place).messages) == 4
        best = 9.0
        for _ in range(30):
            begun = time.process_time()
            recall(tx, place)
            best = min(best, time.process_time() - begun)
        return best

    assert seconds(THERE, 3_000) < 5 * seconds(HERE, 10) + 0.001
