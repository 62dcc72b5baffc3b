"""A question that is to be asked again: the job that does it, and how it comes into the inbox.

Together with what makes it worth while (a document that can be found, an owner's wish), or not at all; each
question at most once at a time.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from bot.jobs.inbox import Job
from storage.engine import Tx
from storage.jobs import inbox, queries
from storage.knowledge.documents import Document
from storage.place import Channel
from storage.unanswered import questions
from storage.unanswered.questions import OpenQuestion

AGAIN = "ask again"  # the kind of job
DOCUMENT = "document"  # how the reason begins that is one


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """What such a job holds: which question, and, where no document is to be asked, the answer (a reply as it
    is encoded). `document`: what was added for it, which an answer has to quote: all else was there when it
    was refused."""

    team: str
    channel: str
    question: int
    answer: str = ""
    document: str = ""


def decode_asked_again(job: Job) -> AskedAgain:
    return AskedAgain(**json.loads(job.payload))


def ask_for_document(tx: Tx, document: Document) -> None:
    """Has the questions asked again that a document was added to answer, now that it can be found."""
    if document.repairs and (at := _find_channel(tx, document)):
        why = f"{DOCUMENT} {document.id} {document.embedded}"  # again once it is found by meaning, too
        now = document.searchable_at or document.added_at
        ask_topic(tx, at, document.repairs, why, document=document.id, now=now)


def _find_channel(tx: Tx, document: Document) -> Channel | None:
    """Where the questions were asked: a topic has the number of its first question, and a document of the
    workspace is in no channel."""
    first = questions.find(tx, document.team, document.repairs)
    channel = document.channel or (first.channel if first else "")
    return Channel(document.team, channel) if channel else None


def ask_topic(tx: Tx, at: Channel, topic: int, why: str, *, document: str = "", now: float) -> int:
    """Has every open question of a topic asked again; of how many. `why`: each question once for it."""
    found = questions.list_of_topic(tx, at, topic)
    return sum(ask_question(tx, at, question, why, document=document, now=now) for question in found)


def ask_question(
    tx: Tx,
    at: Channel,
    question: OpenQuestion,
    why: str,
    *,
    answer: str = "",
    document: str = "",
    now: float,
) -> bool:
    """Has one asked again, or told the `answer`; False where that waits to be done already."""
    about = f"{AGAIN}:{question.id}:"
    if not answer and not document and _is_waiting(tx, about):
        return False
    tx.wake()
    return inbox.put(
        tx,
        f"{about}{why}",
        question.conversation,
        AGAIN,
        json.dumps(asdict(AskedAgain(at.team, at.channel, question.id, answer, document))),
        team=at.team,
        person=question.person,
        now=now,
    )


def _is_waiting(tx: Tx, about: str) -> bool:
    """Whether a question waits to be asked of everything; of one document is less."""
    waiting = queries.list_waiting(tx, about, AGAIN)
    return any(not one.key.startswith(f"{about}{DOCUMENT} ") for one in waiting)
