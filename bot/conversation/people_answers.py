"""A post in a thread in which people who know were asked: its author is offered that it is the answer.

The job that offers it is put in the transaction that takes the post in. What the offer leads to is
bot/unanswered/people_who_know.py's.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from bot.core.values import Incoming
from storage.engine import Tx
from storage.jobs import inbox
from storage.place import Channel
from storage.unanswered import asked_people

OFFER = "offer answer"  # the kind of job


@dataclass(frozen=True, slots=True)
class PersonsAnswer:
    """A post that answers, or may answer, a question that people were asked."""

    team: str
    channel: str
    thread: str
    question: int
    person: str  # who wrote it
    message: str  # "" where only the question is meant

    @property
    def at(self) -> Channel:
        return Channel(self.team, self.channel)


def offer_answer(tx: Tx, post: Incoming, *, now: float) -> bool:
    """Whether a post that does not mention us stands where people were asked and did not answer yet: it is
    said to them, or by them, and is no question to us. Those who were asked are offered that it is the
    answer."""
    place = post.conversation
    at = Channel(place.team, place.channel)
    found = None if post.message == place.thread else asked_people.find_asked_in(tx, at, place.key)
    if found is None:
        return False
    question, asker = found
    may = post.user != asker and not post.external and post.text.strip()
    if may and post.user in asked_people.list_named(tx, at):
        offered = PersonsAnswer(place.team, place.channel, place.thread, question, post.user, post.message)
        put_job(tx, f"{OFFER}:{post.key}", OFFER, offered, now=now)
    return True


def put_job(tx: Tx, key: str, kind: str, about: PersonsAnswer, *, now: float) -> bool:
    """Puts a job about such a post; False when it is known."""
    tx.wake()
    return inbox.put(
        tx,
        key,
        f"{about.team}:{about.channel}:{about.thread}:people",
        kind,
        json.dumps(asdict(about)),
        team=about.team,
        person=about.person,
        now=now,
    )
