"""What four processes write at the same moment is as if one had written after the other."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.conversation.records import forget_message
from bot.core.errors import Missing, TriedAgain
from bot.core.ids import message_key
from bot.core.values import Conversation
from bot.guard.ladder import keep_verdict
from bot.voice.message_clips import put_clip
from storage import audit
from storage.conversation import messages, replies, summaries
from storage.engine import Tx
from storage.guard import examples, models, verdicts
from storage.jobs import deliveries, inbox, queries
from storage.place import Channel
from storage.privacy import forget
from storage.privacy.portions import Whose, erase_said
from storage.provider import vectors
from storage.retirement import endings
from storage.voice import clips
from storage.voice.clips import Clip
from storage.voice.recordings import Caps, Owner, StoredPart, begin_recording, put_part
from storage.welcome import disclosures
from tests.support.at_once import PROCESSES, Four, Transact
from tests.support.engines import POSTGRESQL, SERIALIZABLE, database_url
from tests.support.statements import open_statements

pytestmark = [
    pytest.mark.parametrize("database_engine", [POSTGRESQL, SERIALIZABLE], indirect=True),
    pytest.mark.usefixtures("database_engine"),
]
TEAM, CHANNEL = "T1", "C1"
AT = Channel(TEAM, CHANNEL)
ROUNDS = 20


@pytest.fixture
def url(tmp_path: Path, database_engine: str) -> str:
    return database_url(tmp_path / "parley.db")


@pytest.fixture
def tx(url: str) -> Iterator[Tx]:
    with open_statements(url) as tx:
        yield tx


@pytest.fixture
def four(url: str) -> Iterator[Four]:
    with Four(url) as four:
        yield four


def thread(turn: int) -> Conversation:
    return Conversation(TEAM, CHANNEL, f"{turn}")


def say(tx: Tx, turn: int, message: str, *, place: Conversation | None = None) -> bool:
    """By a person of this turn."""
    where = place or thread(turn)
    return messages.append(
        tx, where, role="human", message=message, person=f"U{turn}", text="a secret", now=1
    )


def erase_of_person(tx: Tx, turn: int) -> int:
    return erase_said(tx, whose=Whose(TEAM, f"U{turn}"), first=0, last=1 << 40, now=2)


def count(tx: Tx, table: str, which: str = "true") -> int:
    row = tx.one(f"select count(*) as n from {table} where {which}")
    assert row
    return int(row["n"])


# The list of what was done


def note(transact: Transact, process: int, turn: int) -> None:
    transact(audit.note, "looked at", f"{process} {turn}", now=float(turn))


def test_every_entry_of_the_audit_list_follows_from_the_one_before(four: Four, tx: Tx) -> None:
    four.run(note)
    found = list(audit.every(tx))
    assert len(found) == PROCESSES * ROUNDS
    assert audit.broken(found) is None


# What was said


def say_or_look(transact: Transact, process: int, turn: int) -> list[list[int]]:
    if process:
        transact(say, turn, f"{process} {turn}", place=thread(0))
        return []
    found = [transact(messages.recall, thread(0).key).messages for _ in range(4)]
    return [[message.seq for message in looked] for looked in found]


def test_nothing_comes_before_what_was_already_seen_of_a_conversation(four: Four, tx: Tx) -> None:
    seen = four.run(say_or_look, rounds=30)
    there = [message.seq for message in messages.recall(tx, thread(0).key).messages]
    assert len(there) == (PROCESSES - 1) * 30
    assert all(numbers == there[: len(numbers)] for looked in seen for numbers in looked)


def say_or_delete(transact: Transact, process: int, turn: int) -> None:
    if process < 2:
        transact(say, turn, f"{turn}")
    else:
        transact(messages.delete, TEAM, CHANNEL, f"{turn}", now=2)


def test_a_deleted_message_does_not_come_back(four: Four, tx: Tx) -> None:
    four.run(say_or_delete)
    assert count(tx, "messages") == 0


def say_or_erase(transact: Transact, process: int, turn: int) -> None:
    if process < 2:
        transact(say, turn, f"{turn}")
    else:
        transact(erase_of_person, turn)


def test_what_a_person_said_does_not_come_back_when_it_is_read_again(four: Four, tx: Tx) -> None:
    for turn in range(ROUNDS):
        say(tx, turn, f"{turn}")
    four.run(say_or_erase)
    assert count(tx, "messages") == 0


def summarise_or_erase(transact: Transact, process: int, turn: int) -> None:
    if process < 2:
        past = transact(messages.recall, thread(turn).key)
        told = {"upto": 1 << 40, "tokens": 1, "erasures": past.erasures, "now": 1}
        if past.messages:
            transact(summaries.summarise, thread(turn).key, "a secret", **told)
    elif process == 2:
        transact(messages.delete, TEAM, CHANNEL, f"{turn}", now=2)
    else:
        transact(erase_of_person, turn)


def test_no_summary_is_left_of_what_was_erased(four: Four, tx: Tx) -> None:
    for turn in range(ROUNDS):
        say(tx, turn, f"{turn}")
    four.run(summarise_or_erase)
    assert (count(tx, "messages"), count(tx, "summaries")) == (0, 0)


def listen_or_delete(transact: Transact, process: int, turn: int) -> None:
    owner = Owner(TEAM, thread(turn).key, "U1", CHANNEL, f"{turn}")
    if process < 3:
        time.sleep(random.random() / 50)  # a deletion takes longer
    if process == 0:
        transact(put_part, f"r{turn}", owner, "transcribe", StoredPart(0, "a secret", None))
    elif process == 1:
        transact(put_clip, clip_of(turn))
    elif process == 2:
        verdict = verdict_on(turn) | {"person": "U1"}
        transact(keep_verdict, AT, verdict, [f"{turn}"])
    else:
        transact(forget_message, message_key(TEAM, CHANNEL, f"{turn}"), TEAM, CHANNEL, f"{turn}", now=2)
        for clip in transact(clips.of_message, TEAM, CHANNEL, f"{turn}"):
            transact(clips.forget, clip, by="", now=3)
        transact(clips.forget_unshown, TEAM, owner.conversation, owner.person)


def clip_of(turn: int) -> Clip:
    return Clip(f"c{turn}", f"s{turn}", TEAM, CHANNEL, thread(turn).key, f"{turn}", "U1", "a secret")


def test_nothing_is_kept_of_a_message_that_is_deleted_while_it_is_listened_to_and_judged(
    four: Four, tx: Tx
) -> None:
    assert set(four.run(listen_or_delete, rounds=2 * ROUNDS)) <= {None, Missing}
    assert (count(tx, "recording_parts"), count(tx, "clips")) == (0, 0)
    assert count(tx, "guard_verdicts") == count(tx, "guard_verdicts", "text = ''") == 2 * ROUNDS


# Replies and jobs


def begin(tx: Tx, turn: int) -> str:
    return replies.begin(tx, f"r{turn}", turn, thread(turn), "U1", sending=False, now=1).id


def begin_reply(transact: Transact, process: int, turn: int) -> str:
    return str(transact(begin, turn))


def test_a_reply_is_begun_once_and_found_by_the_others(four: Four, tx: Tx) -> None:
    assert Counter(four.run(begin_reply)) == {f"r{turn}": PROCESSES for turn in range(ROUNDS)}
    assert count(tx, "replies") == ROUNDS


def use_retry(transact: Transact, process: int, turn: int) -> None:
    transact(replies.use_retry, f"r{turn}", "U1", "asked", now=3)


def test_a_failed_answer_is_tried_again_once(four: Four, tx: Tx) -> None:
    for turn in range(ROUNDS):
        inbox.put(tx, f"{turn}", f"{turn}", "m", "asked", now=0)
        replies.begin(tx, f"r{turn}", turn + 1, thread(turn), "U1", sending=False, now=1)
    assert Counter(four.run(use_retry)) == {None: ROUNDS, TriedAgain: (PROCESSES - 1) * ROUNDS}


def add_letter(transact: Transact, process: int, turn: int) -> None:
    transact(inbox.amend, "k", lambda payload: f"{payload}{process}")
    transact(replies.amend_question, "r1", lambda question: f"{question}{process}")


def test_changes_of_a_question_come_together(four: Four, tx: Tx) -> None:
    inbox.put(tx, "k", "T1:C1:1", "m", "", now=0)
    begin(tx, 1)
    four.run(add_letter)
    assert Counter(queries.read_payload(tx, "k") or "") == {f"{n}": ROUNDS for n in range(PROCESSES)}
    assert Counter(replies.find_question(tx, "r1") or "") == {f"{n}": ROUNDS for n in range(PROCESSES)}


def finish_or_change(transact: Transact, process: int, turn: int) -> None:
    if process:
        transact(inbox.amend, f"{turn}", lambda payload: f"{payload} {process}")
    else:
        job = transact(inbox.take, f"{turn}", now=1)
        transact(inbox.finish, job, now=1)


def test_a_job_that_is_done_holds_nothing_any_more(four: Four, tx: Tx) -> None:
    for turn in range(ROUNDS):
        inbox.put(tx, f"{turn}", f"{turn}", "m", "a secret", now=0)
    four.run(finish_or_change)
    assert count(tx, "inbox", "payload is null") == ROUNDS


def take_delivery(transact: Transact, process: int, turn: int) -> bool:
    return bool(transact(deliveries.take, f"{turn}", now=float(turn), kept_s=5))


def test_a_signed_delivery_is_carried_out_once(four: Four) -> None:
    assert Counter(four.run(take_delivery)) == {True: ROUNDS, False: (PROCESSES - 1) * ROUNDS}


# Guard


def train(transact: Transact, process: int, turn: int) -> int | None:
    if process == 3:
        transact(models.roll_back, AT, 1 + turn % 3, by="U1", now=1)
        return None
    trained: int = transact(models.add_model, AT, b"", embedder="", examples=(), report="{}", now=1)
    return trained


def test_each_trained_model_has_a_version_of_its_own_and_one_is_in_use(four: Four, tx: Tx) -> None:
    versions = [version for version in four.run(train) if version]
    assert sorted(versions) == list(range(1, 3 * ROUNDS + 1))
    assert count(tx, "guard_models", "in_use = 1") == 1


def train_or_forget(transact: Transact, process: int, turn: int) -> None:
    at = Channel(TEAM, f"C{turn}")
    if process < 2:
        transact(models.add_model, at, b"a secret", embedder="", examples=(turn + 1,), report="{}", now=2)
    else:
        transact(forget.forget_user, TEAM, f"U{turn}", now=3)


def teach(tx: Tx, turn: int) -> None:
    examples.add_example(
        tx, Channel(TEAM, f"C{turn}"), "a secret", True, source="feedback", origin="slack", now=1,
        person=f"U{turn}",
    )  # fmt: skip


def test_no_model_is_left_that_was_made_from_what_was_erased(four: Four, tx: Tx) -> None:
    for turn in range(ROUNDS):
        teach(tx, turn)
    four.run(train_or_forget)
    assert (count(tx, "guard_examples"), count(tx, "guard_models")) == (0, 0)


def overturn_or_forget(transact: Transact, process: int, turn: int) -> None:
    if process < 2:
        transact(verdicts.label_verdict, TEAM, turn + 1, bool(process), by="U9", now=2)
    else:
        transact(forget.forget_user, TEAM, f"U{turn}", now=3)


def judge(tx: Tx, turn: int) -> int:
    return verdicts.add_verdict(tx, AT, verdict_on(turn))


def verdict_on(turn: int) -> dict[str, Any]:
    return dict.fromkeys(("rung", "reason", "action"), "") | {
        "conversation": thread(turn).key, "person": f"U{turn}", "message": f"{turn}", "text": "a secret",
        "on_topic": 0, "probability": None, "threshold": None, "cost": None, "shadow": 0, "version": None,
        "judged_at": 1.0,
    }  # fmt: skip


def test_nothing_is_learned_from_what_is_being_forgotten(four: Four, tx: Tx) -> None:
    assert [judge(tx, turn) for turn in range(ROUNDS)] == list(range(1, ROUNDS + 1))
    four.run(overturn_or_forget)
    assert (count(tx, "guard_examples"), count(tx, "guard_verdicts")) == (0, 0)
    assert audit.broken(audit.every(tx)) is None


# Once each


def listen(transact: Transact, process: int, turn: int) -> str:
    caps = Caps(since=0, person_s=1e9, team_s=1_000)
    given = Owner(TEAM, "", f"U{process}")
    told: str = transact(begin_recording, f"{process} {turn}", given, length_s=90, now=1, caps=caps)
    return told


def test_recordings_of_a_day_pass_no_cap(four: Four) -> None:
    assert Counter(four.run(listen))[""] == 1_000 // 90


def claim(transact: Transact, process: int, turn: int) -> bool:
    return bool(transact(disclosures.claim, TEAM, f"U{turn}", channel=CHANNEL, source=f"r{process}", now=1))


def test_a_person_is_told_once_that_an_ai_answers(four: Four) -> None:
    assert Counter(four.run(claim)) == {True: ROUNDS, False: (PROCESSES - 1) * ROUNDS}


def keep_vectors(transact: Transact, process: int, turn: int) -> None:
    digests = [f"{turn} {n}" for n in range(4)]
    given = dict.fromkeys(digests if process % 2 else digests[::-1], b"")
    transact(vectors.add, "embedder", given, now=1)
    transact(endings.put_reported, f"server {turn}", {f"m{n}": "" for n in range(4)}, now=1)


def test_what_all_find_out_at_once_is_kept_once(four: Four, tx: Tx) -> None:
    assert set(four.run(keep_vectors)) == {None}
    assert (count(tx, "guard_vectors"), count(tx, "model_endings")) == (4 * ROUNDS, 4 * ROUNDS)
