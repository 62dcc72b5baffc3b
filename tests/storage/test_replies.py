"""The outbox: one row per reply, whatever happens on the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.errors import Conflict, Missing, NotPermitted, TriedAgain
from bot.core.values import Conversation
from storage.conversation import replies
from storage.jobs import inbox
from storage.jobs.inbox import Job
from storage.provider import model_traits
from storage.sqlite.writer import SqliteTx
from tests.support.rows import open_rows

pytestmark = pytest.mark.both_engines

PLACE = Conversation("T", "C", "1")


@pytest.fixture
def tx(tmp_path: Path) -> Iterator[SqliteTx]:
    with open_rows(tmp_path / "p.db") as tx:
        yield tx


def begin(tx: SqliteTx, reply_id: str = "r") -> replies.ReplyRow:
    inbox.put(tx, "key", PLACE.key, "m", '"question"', now=0)
    return replies.begin(tx, reply_id, 1, PLACE, "U1", sending=False, now=1)


def test_a_reply_goes_from_opening_to_sent(tx: SqliteTx) -> None:
    row = begin(tx)
    assert (row.state, row.messages, row.payload, row.asker) == ("opening", (), None, "U1")
    replies.mark_opened(tx, "r", ["9.1"])
    assert replies.get(tx, "r").state == "open"
    replies.mark_answered(tx, "r", '"final"')
    row = replies.get(tx, "r")
    assert (row.state, row.payload, row.messages) == ("answered", '"final"', ("9.1",))
    replies.mark_sent(tx, "r", ["9.1", "9.2"], now=2)
    row = replies.get(tx, "r")
    assert (row.state, row.payload, row.messages) == ("sent", None, ("9.1", "9.2"))


def test_a_second_attempt_finds_the_row_as_the_first_left_it(tx: SqliteTx) -> None:
    begin(tx)
    replies.mark_opened(tx, "r", ["9.1"])
    replies.mark_answered(tx, "r", '"final"')
    again = begin(tx)
    assert (again.state, again.payload, again.messages) == ("answered", '"final"', ("9.1",))


def test_news_of_an_opened_message_that_comes_late_changes_no_final_reply(tx: SqliteTx) -> None:
    begin(tx)
    replies.mark_sent(tx, "r", ["9.1", "9.2"], now=2)
    replies.mark_opened(tx, "r", ["9.1"])
    assert replies.get(tx, "r").messages == ("9.1", "9.2")


def test_unfinished_are_those_neither_sent_nor_withdrawn(tx: SqliteTx) -> None:
    for reply_id in "abc":
        begin(tx, reply_id)
    replies.mark_sent(tx, "a", [], now=2)
    replies.mark_withdrawn(tx, "b", now=2)
    assert tx.all("select id from replies where sent_at is null") == [{"id": "c"}]


def test_a_withdrawn_reply_says_nothing_any_more(tx: SqliteTx) -> None:
    begin(tx)
    replies.mark_answered(tx, "r", '"secret"')
    replies.mark_withdrawn(tx, "r", now=2)
    row = tx.one("select * from replies")
    assert row is not None
    assert (row["payload"], row["question"], row["messages"]) == (None, None, "[]")


@pytest.mark.parametrize("change", ["mark_answered", "mark_sent", "mark_withdrawn", "get"])
def test_a_reply_that_never_was_is_missing(tx: SqliteTx, change: str) -> None:
    with pytest.raises(Missing):
        {
            "mark_answered": lambda: replies.mark_answered(tx, "none", ""),
            "mark_sent": lambda: replies.mark_sent(tx, "none", [], now=0),
            "mark_withdrawn": lambda: replies.mark_withdrawn(tx, "none", now=0),
            "get": lambda: replies.get(tx, "none"),
        }[change]()


# Trying again


def test_the_asker_may_try_again_once(tx: SqliteTx) -> None:
    begin(tx)
    replies.mark_sent(tx, "r", [], now=2, retryable=True)
    with pytest.raises(NotPermitted):
        replies.retryable(tx, "r", "U2")
    question = replies.retryable(tx, "r", "U1")
    assert question == '"question"'
    replies.use_retry(tx, "r", "U1", question, now=3)
    with pytest.raises(TriedAgain):
        replies.use_retry(tx, "r", "U1", question, now=3)


def test_a_question_that_was_edited_meanwhile_is_not_asked_again_as_it_was(tx: SqliteTx) -> None:
    begin(tx)
    replies.mark_sent(tx, "r", [], now=2, retryable=True)
    replies.amend_question(tx, "r", lambda question: '"another"')
    with pytest.raises(Conflict):
        replies.use_retry(tx, "r", "U1", '"question"', now=3)
    replies.use_retry(tx, "r", "U1", '"another"', now=3)


def test_the_question_outlives_its_job_only_for_a_reply_that_can_be_tried_again(tx: SqliteTx) -> None:
    begin(tx)
    job = inbox.take(tx, PLACE.key, now=1)
    assert isinstance(job, Job)
    assert inbox.finish(tx, job, lambda tx: replies.mark_sent(tx, "r", [], now=2), now=2)
    with pytest.raises(Missing):
        replies.retryable(tx, "r", "U1")


def test_a_deleted_question_is_not_tried_again(tx: SqliteTx) -> None:
    begin(tx)
    replies.mark_sent(tx, "r", [], now=2, retryable=True)
    replies.erase_question(tx, "r")
    with pytest.raises(Missing):
        replies.retryable(tx, "r", "U1")


def test_questions_are_kept_for_a_week(tx: SqliteTx) -> None:
    begin(tx)
    replies.mark_sent(tx, "r", [], now=0, retryable=True)
    assert replies.tidy(tx, now=6 * 86_400.0) == 0
    assert replies.tidy(tx, now=8 * 86_400.0) == 1


# What people think of it


def test_everybody_has_one_voice_and_may_change_it(tx: SqliteTx) -> None:
    begin(tx)
    replies.judge(tx, "r", "T", "U1", 1, now=1)
    replies.judge(tx, "r", "T", "U2", 1, now=1)
    replies.judge(tx, "r", "T", "U1", -1, now=2)
    assert tx.all("select person, verdict from feedback order by person") == [
        {"person": "U1", "verdict": -1},
        {"person": "U2", "verdict": 1},
    ]


def test_there_is_no_voice_about_nothing_and_no_other_word_than_good_or_bad(tx: SqliteTx) -> None:
    with pytest.raises(Missing):
        replies.judge(tx, "none", "T", "U1", 1, now=1)
    begin(tx)
    with pytest.raises(ValueError):
        replies.judge(tx, "r", "T", "U1", 5, now=1)


# What was learned about models


def test_refused_parameters_and_ratios_are_remembered(tx: SqliteTx) -> None:
    for parameter in ("top_p", "stop", "stop"):
        model_traits.refuse(tx, "m", parameter, now=1)
    model_traits.set_ratio(tx, "m", 1.2, now=1)
    model_traits.set_ratio(tx, "m", 1.3, now=2)
    assert model_traits.refused(tx) == {"m": frozenset({"top_p", "stop"})}
    assert model_traits.ratios(tx) == {"m": 1.3}
