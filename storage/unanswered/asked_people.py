"""People who know: whom a channel named, which questions they were asked, and the post that is the answer.

A question that goes (forgotten, or by its age) takes all of that along, for it stands in its row.
"""

from __future__ import annotations

from collections.abc import Sequence

from storage import audit
from storage.engine import Tx
from storage.place import Channel


def list_named(tx: Tx, at: Channel) -> list[str]:
    """The people of a channel who know, as they were named."""
    which = "select who from people_who_know where team = :team and channel = :channel order by at, who"
    return [str(row["who"]) for row in tx.all(which, **at.key)]


def set_named(tx: Tx, at: Channel, people: Sequence[str], *, by: str, now: float) -> bool:
    """Names these people and nobody else; whether that changes anything."""
    before = list_named(tx, at)
    if set(before) == set(people):
        return False
    tx.run("delete from people_who_know where team = :team and channel = :channel", **at.key)
    for who in dict.fromkeys(people):
        tx.run(
            "insert into people_who_know (team, channel, who, at) values (:team, :channel, :who, :now)",
            who=who,
            now=now,
            **at.key,
        )
    detail = f"people who know: {', '.join(people) or 'nobody'}"
    audit.note(tx, "channel setting", at.channel, team=at.team, person=by, detail=detail, now=now)
    return True


def note_asked(tx: Tx, at: Channel, question: int, *, by: str, now: float) -> bool:
    """People are asked an open question; False when they were, or it is open no more."""
    asked = tx.changed(
        f"update guard_unanswered set people_asked_at = :now where {_OPEN} and id = :id"
        " and people_asked_at is null",
        id=question,
        now=now,
        **at.key,
    )
    if asked:
        detail = f"question {question}"
        audit.note(tx, "people asked", at.channel, team=at.team, person=by, detail=detail, now=now)
    return bool(asked)


def may_be_asked(tx: Tx, team: str, question: int) -> bool:
    """Whether there are people who know, other than whoever asked, and they were not asked yet."""
    which = (
        "q.team = :team and q.id = :id and q.closed_at is null and q.people_asked_at is null"
        " and exists (select 1 from people_who_know p where p.team = q.team and p.channel = q.channel"
        " and p.who <> q.person)"
    )
    found = f"select 1 as n from guard_unanswered q where {which}"
    return tx.one(found, team=team, id=question) is not None


def find_asked_in(tx: Tx, at: Channel, conversation: str) -> tuple[int, str] | None:
    """The newest question in a thread that people were asked and that has no answer yet, and whose it is."""
    row = tx.one(
        f"select id, person from guard_unanswered where {_OPEN} and conversation = :conversation"
        " and people_asked_at is not null and answer = '' order by id desc limit 1",
        conversation=conversation,
        **at.key,
    )
    return (int(row["id"]), str(row["person"])) if row else None


def confirm(tx: Tx, at: Channel, question: int, message: str, *, by: str, now: float) -> bool:
    """A post is the answer, says its author; False when another one is, or the question is not open."""
    confirmed = tx.changed(
        f"update guard_unanswered set answer = :message where {_OPEN} and id = :id"
        " and people_asked_at is not null and answer = ''",
        id=question,
        message=message,
        **at.key,
    )
    if confirmed:
        detail = f"question {question}"
        audit.note(tx, "answer confirmed", at.channel, team=at.team, person=by, detail=detail, now=now)
    return bool(confirmed)


_OPEN = "team = :team and channel = :channel and closed_at is null"
