"""What an edit and a deletion change in the rows of a post."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.conversation import edits, late_edits, records
from bot.conversation.recollection import Recollection
from bot.conversation.turn_values import Turn
from bot.core.codec import decode, encode
from bot.core.ids import message_key, reply_id
from bot.core.values import Completion, File, Incoming, Message, Reply, Usage
from bot.knowledge.document_question import DocumentAnswer
from storage.conversation import messages, replies, summaries
from storage.guard import verdicts
from storage.jobs import inbox, queries
from storage.jobs.inbox import Job
from storage.knowledge.document_days import DocumentDay, list_days
from storage.place import Channel
from storage.sqlite.writer import SqliteTx
from storage.unanswered import questions
from storage.unanswered.questions import OpenQuestion
from tests.support.conversation_rows import HERE, everything
from tests.support.rows import open_rows

ASKED = Incoming(message_key("T", "C", "1"), HERE, "U1", "1", "two plus two", datetime.fromtimestamp(1, UTC))
ADDED = replace(ASKED, key=message_key("T", "C", "2"), message="2", text="and four")
EDITED = replace(ASKED, text="three plus three", sent_at=datetime.fromtimestamp(2, UTC))
NOW = datetime.fromtimestamp(3, UTC)
FOUR = Completion("Four.", "stop", "m", Usage())


@pytest.fixture
def tx(tmp_path: Path) -> Iterator[SqliteTx]:
    with open_rows(tmp_path / "rows.db") as rows:
        yield rows


def put(tx: SqliteTx, asked: Incoming) -> None:
    inbox.put(tx, asked.key, HERE.key, records.MESSAGE, encode(asked), team="T", person=asked.user, now=0)


def give_up(tx: SqliteTx, asked: Incoming) -> None:
    put(tx, asked)
    job = inbox.take(tx, HERE.key, now=0)
    assert isinstance(job, Job)
    inbox.park(tx, job, "no")
    inbox.put_about(tx, job, "gave_up", '{"times": 4}', now=0)


def test_a_question_that_was_given_up_on_can_be_edited_before_that_is_told(tx: SqliteTx) -> None:
    give_up(tx, ASKED)
    assert edits.edit_message(tx, EDITED, now=1)
    payload = queries.read_payload(tx, ASKED.key)
    assert payload
    assert decode(payload).text == EDITED.text


def test_a_question_that_was_given_up_on_and_is_deleted_has_its_report_take_back_what_is_shown(
    tx: SqliteTx,
) -> None:
    give_up(tx, ASKED)
    assert records.forget_message(tx, ASKED.key, "T", "C", "1", now=1)
    (waiting,) = queries.list_jobs(tx, "new")
    assert waiting["kind"] == "gave_up"
    assert "two plus two" not in everything(tx)


def answer(tx: SqliteTx, *posts: Incoming) -> Reply | None:
    """A question in several posts has its answer."""
    id = reply_id(posts[0].key)
    job = inbox.take(tx, HERE.key, now=0)
    assert isinstance(job, Job)
    replies.begin(tx, id, job.seq, HERE, "U1", sending=False, now=0)
    turn = Turn(Reply("Four."), completion=Completion("Four.", "stop", "m", Usage()), unanswered="")
    return records.remember_turn(tx, posts, id, turn, disclosure="", kept=True, day="2026-11-30", now=1)


def test_nothing_is_remembered_of_a_question_whose_deletion_another_process_heard(tx: SqliteTx) -> None:
    put(tx, ASKED)
    records.forget_message(tx, ASKED.key, "T", "C", "1", now=1)
    put(tx, ADDED)
    assert answer(tx, ASKED) is None
    assert "Four." not in everything(tx)
    assert "two plus two" not in everything(tx)


def test_a_post_whose_deletion_another_process_heard_is_no_part_of_a_question_any_more(tx: SqliteTx) -> None:
    put(tx, ASKED)
    put(tx, ADDED)
    records.forget_message(tx, ADDED.key, "T", "C", "2", now=1)
    assert answer(tx, ASKED, ADDED)
    assert [m.text for m in messages.recall(tx, HERE.key).messages] == ["two plus two", "Four."]
    assert ADDED.text not in everything(tx)


def test_who_deletes_a_post_takes_back_what_was_judged_together_with_it_and_came_to_no_answer(
    tx: SqliteTx,
) -> None:
    put(tx, ASKED)
    put(tx, ADDED)
    words = f"{ASKED.text}\n\n{ADDED.text}"
    judged: dict[str, Any] = dict.fromkeys(("rung", "reason", "action"), "") | {
        "conversation": HERE.key, "person": "U1", "message": "1", "text": words, "on_topic": 0,
        "probability": None, "threshold": None, "cost": None, "shadow": 0, "version": None, "judged_at": 1.0,
    }  # fmt: skip
    verdicts.add_verdict(tx, Channel("T", "C"), judged)
    verdicts.label_verdict(tx, "T", 1, True, by="U2", now=2)
    verdicts.add_verdict(tx, Channel("T", "C"), judged | {"person": "U2", "text": "another's"})
    records.forget_message(tx, ADDED.key, "T", "C", "2", now=3)
    assert [row["text"] for row in tx.all("select text from guard_verdicts")] == ["", "another's"]
    assert ADDED.text not in everything(tx)


def test_every_wording_of_a_post_is_deleted_with_it_though_its_jobs_are_long_gone(tx: SqliteTx) -> None:
    records.remember_post(tx, ASKED, now=0)
    anew = replace(EDITED, key=f"{ASKED.key}:2.000000", asked_anew=True)
    records.remember_post(tx, anew, now=1)
    records.remember_post(tx, replace(ASKED, message="10", text="another"), now=2)
    seq = messages.recall(tx, HERE.key).messages[1].seq
    summaries.summarise(tx, HERE.key, "three plus three", upto=seq, tokens=1, erasures=0, now=3)
    records.forget_message(tx, ASKED.key, "T", "C", "1", now=4)
    recalled = messages.recall(tx, HERE.key)
    assert [m.text for m in recalled.messages] == ["another"]
    assert recalled.summary == ""


def test_a_quote_that_slack_adds_to_an_edited_post_belongs_to_its_new_words(tx: SqliteTx) -> None:
    put(tx, ASKED)
    assert edits.edit_message(tx, EDITED, now=1)
    joined = records.add_to_post(tx, replace(EDITED, quoted="what the link leads to"))
    assert joined
    assert (joined.text, joined.quoted) == (EDITED.text, "what the link leads to")


def test_what_slack_adds_goes_to_the_newest_wording_and_leaves_the_old_one_alone(tx: SqliteTx) -> None:
    put(tx, ASKED)
    anew = replace(EDITED, key=f"{ASKED.key}:2.000000", asked_anew=True, edited=True)
    put(tx, anew)
    joined = records.add_to_post(tx, replace(EDITED, quoted="what the link leads to"))
    assert joined
    assert (joined.key, joined.quoted) == (anew.key, "what the link leads to")
    old = queries.read_payload(tx, ASKED.key)
    assert old
    assert decode(old) == ASKED


def test_a_late_event_of_the_old_words_adds_files_and_no_word_to_the_new_ones(tx: SqliteTx) -> None:
    put(tx, ASKED)
    assert edits.edit_message(tx, replace(EDITED, text="3+3"), now=1)
    file = File("F1", "plan.pdf", "application/pdf", 4, "https://files")
    joined = records.add_to_post(tx, replace(ASKED, quoted="an old quote", files=(file,)))
    assert joined
    assert (joined.text, joined.quoted, joined.files) == ("3+3", "", (file,))


def test_while_new_words_wait_for_their_answer_the_old_ones_stay_with_theirs(tx: SqliteTx) -> None:
    records.remember_post(tx, ASKED, now=0)
    anew = replace(EDITED, key=f"{ASKED.key}:2.000000", asked_anew=True, edited=True)
    put(tx, anew)
    assert edits.edit_message(tx, replace(EDITED, text="3+3"), now=2)
    assert [m.text for m in messages.recall(tx, HERE.key).messages] == ["two plus two"]
    payload = queries.read_payload(tx, anew.key)
    assert payload
    assert decode(payload).text == "3+3"


@pytest.mark.parametrize(("text", "follows"), [("two plus two", True), ("three plus three", False)])
def test_other_words_than_those_of_an_answer_that_is_ready_change_nothing_of_its_question(
    tx: SqliteTx, text: str, follows: bool
) -> None:
    put(tx, ASKED)
    job = inbox.take(tx, HERE.key, now=0)
    assert isinstance(job, Job)
    replies.begin(tx, reply_id(ASKED.key), job.seq, HERE, "U1", sending=False, now=0)
    replies.mark_answered(tx, reply_id(ASKED.key), '"Four."')
    assert edits.edit_message(tx, replace(EDITED, text=text), now=1) is follows
    payload = queries.read_payload(tx, ASKED.key)
    assert payload
    assert decode(payload).text == "two plus two"


def test_an_edit_changes_no_wording_that_is_being_answered_already(tx: SqliteTx) -> None:
    put(tx, ASKED)
    anew = replace(EDITED, key=f"{ASKED.key}:2.000000", asked_anew=True, edited=True)
    assert not edits.change_waiting_edit(tx, EDITED), "the first words are no edit"
    put(tx, anew)
    assert edits.change_waiting_edit(tx, replace(EDITED, text="3+3"))
    inbox.discard(tx, 1, now=1)
    assert isinstance(inbox.take(tx, HERE.key, now=1), Job)
    assert not edits.change_waiting_edit(tx, replace(EDITED, text="4+4"))


def test_an_edit_is_one_question_whoever_finds_out_first_that_it_is_to_be_asked(tx: SqliteTx) -> None:
    """The process that received it, or the end of the turn that had shown an answer to the old words."""
    put(tx, ASKED)
    job = inbox.take(tx, HERE.key, now=0)
    assert isinstance(job, Job)
    inbox.amend(tx, ASKED.key, lambda _: encode(EDITED))
    received = replace(EDITED, key=f"{ASKED.key}:2.000000", asked_anew=True, edited=True)
    put(tx, received)
    late_edits.ask_unheard(tx, job, ASKED, now=NOW)
    assert [row["key"] for row in queries.list_jobs(tx, "new")] == [ASKED.key, received.key]

    assert inbox.finish(tx, job, now=1)
    following = inbox.take(tx, HERE.key, now=1)
    assert isinstance(following, Job)
    assert edits.join_edit(tx, EDITED), "it is worked on"
    changed = replace(EDITED, text="4+4")
    assert not edits.join_edit(tx, changed)
    inbox.amend(tx, received.key, lambda _: encode(replace(received, text="4+4")))
    late_edits.ask_unheard(tx, following, received, now=NOW)
    assert [decode(queries.show(tx, row["seq"])["payload"]).text for row in queries.list_jobs(tx, "new")] == [
        "4+4",
        "4+4",
    ]


def test_once_slack_has_all_of_the_answer_other_words_change_what_is_remembered(tx: SqliteTx) -> None:
    put(tx, ASKED)
    job = inbox.take(tx, HERE.key, now=0)
    assert isinstance(job, Job)
    replies.begin(tx, reply_id(ASKED.key), job.seq, HERE, "U1", sending=False, now=0)
    replies.mark_answered(tx, reply_id(ASKED.key), '"Four."')
    records.remember_post(tx, ASKED, now=0)
    assert edits.edit_message(tx, EDITED, given=True, now=1)
    assert [m.text for m in messages.recall(tx, HERE.key).messages] == [EDITED.text]


def test_what_went_with_a_question_that_is_gone_from_slack_is_asked_by_itself(tx: SqliteTx) -> None:
    """Its answer is taken back before its deletion is delivered."""
    added = replace(ASKED, key=message_key("T", "C", "2"), message="2", text="and four?")
    put(tx, ASKED)
    put(tx, added)
    job = inbox.take(tx, HERE.key, now=0)
    assert isinstance(job, Job)
    records.begin_reply(tx, job, ASKED, sending=False, now=0)
    inbox.close_answered(tx, added.key, now=2)
    replies.amend_question(tx, reply_id(ASKED.key), lambda _: encode(replace(ASKED, added=(added,))))
    records.withdraw_reply(tx, ASKED, reply_id(ASKED.key), now=3)
    assert [row["key"] for row in queries.list_jobs(tx, "new")] == [ASKED.key, added.key]


@pytest.mark.parametrize(
    ("turn", "outcome"),
    [
        (Turn(Reply("no"), unanswered=""), "refused"),
        (Turn(Reply("Four."), completion=FOUR, documents=DocumentAnswer(FOUR)), "answered"),
        (Turn(Reply("Four."), completion=FOUR, documents=DocumentAnswer(FOUR, refused=True)), "general"),
        (Turn(Reply("Fo", whole=False), completion=FOUR, documents=DocumentAnswer(FOUR)), None),
        (Turn(Reply("Four."), completion=FOUR), None),
    ],
)
def test_a_question_to_documents_counts_as_what_became_of_it(turn: Turn, outcome: str | None) -> None:
    assert records.find_outcome(turn) == outcome


def test_an_answer_and_its_count_are_committed_together(tx: SqliteTx) -> None:
    put(tx, ASKED)
    assert answer(tx, ASKED)
    assert list_days(tx, "T", "C", since="") == [DocumentDay("2026-11-30", refused=1)]


def refuse(
    tx: SqliteTx, text: str, *, past: Recollection | None = None, kept: bool = True
) -> list[OpenQuestion]:
    """What waits for the channel's owner after a refusal."""
    refusal = Turn(Reply("No."), past, Completion("No.", "stop", "m", Usage()), unanswered="House rules")
    posts = [replace(ASKED, text=text)]
    records.remember_refusal(tx, posts, "r1", refusal, kept=kept, now=5)
    return questions.list_open(tx, Channel("T", "C"))


def test_a_refused_question_waits_with_its_refusal_and_not_where_no_words_are_kept(tx: SqliteTx) -> None:
    assert refuse(tx, "Who has the key?", kept=False) == []
    (waiting,) = refuse(tx, "Who has the key?")
    assert (waiting.question, waiting.message, waiting.reply) == ("Who has the key?", "1", "r1")
    assert (waiting.nearest, waiting.person, waiting.conversation) == ("House rules", "U1", HERE.key)


def test_a_refused_follow_up_says_what_it_means_until_what_it_follows_is_erased(tx: SqliteTx) -> None:
    before = "Is the office in Porto open on Sundays?"
    messages.append(tx, HERE, role="human", message="0", person="U2", text=before, now=1)
    past = Recollection(messages=(Message("human", before),))
    (waiting,) = refuse(tx, "and in Leeds?", past=past)
    assert waiting.meant == "Is the office in Leeds open on Sundays?"
    messages.delete(tx, "T", "C", "0", now=2)
    (waiting,) = questions.list_open(tx, Channel("T", "C"))
    assert waiting.meant == "and in Leeds?"
    (waiting,) = refuse(tx, "and in Leeds?", past=past)
    assert waiting.meant == "and in Leeds?", "it was erased while the answer was made"
