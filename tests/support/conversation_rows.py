"""Rows of a conversation, everything that is kept of them, and jobs worked through."""

from __future__ import annotations

from bot.core.values import Conversation
from storage.conversation import messages, replies
from storage.engine import Tx
from storage.jobs import inbox
from storage.jobs.inbox import Job
from storage.voice import recordings
from tests.support.rows import table_names

HERE = Conversation("T", "C", "1")


def say(tx: Tx, message: str, text: str = "", *, place: Conversation = HERE, person: str = "U1") -> bool:
    return messages.append(
        tx, place, role="human", message=message, person=person, text=text or f"text {message}", now=1.0
    )


def everything(tx: Tx) -> str:
    return repr([tx.all(f'select * from "{table}"') for table in table_names(tx)])


def work_through(tx: Tx, key: str, place: Conversation, person: str, *, parked: bool = False) -> None:
    """A question as it passes through every table."""
    inbox.put(tx, key, place.key, "m", f'"secret of {person}"', team="T", person=person, now=0)
    job = inbox.take(tx, place.key, now=0)
    assert isinstance(job, Job)
    if parked:
        inbox.park(tx, job, "no")
        return
    replies.begin(tx, f"r-{key}", job.seq, place, person, sending=False, now=0)
    say(tx, key, f"secret of {person}", place=place, person=person)
    owner = recordings.Owner("T", place.key, person)
    recordings.put_part(tx, key, owner, "transcribe", recordings.StoredPart(0, f"secret of {person}", None))
    recordings.put_card(tx, f"{key}-other", owner, f"secret of {person}", now=0)
    messages.append(
        tx, place, role="assistant", message=f"r-{key}", person=person, text=f"secret of {person}!", now=0
    )
    replies.mark_answered(tx, f"r-{key}", f'"secret of {person}"')
    inbox.finish(tx, job, lambda tx: replies.mark_sent(tx, f"r-{key}", ["9"], retryable=True, now=0), now=0)
    replies.judge(tx, f"r-{key}", "T", person, 1, now=0)
