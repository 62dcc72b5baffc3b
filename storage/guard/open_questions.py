"""Questions that a channel's passages did not answer. They hold people's words."""

from __future__ import annotations

from typing import Any

from storage import audit
from storage.engine import Tx
from storage.place import Channel


def add_question(
    tx: Tx, at: Channel, question: str, nearest: str, *, person: str, conversation: str, now: float
) -> None:
    tx.run(
        """insert into guard_unanswered (team, channel, conversation, person, question, nearest, asked_at)
        values (:team, :channel, :conversation, :person, :question, :nearest, :now)""",
        conversation=conversation,
        person=person,
        question=question,
        nearest=nearest,
        now=now,
        **at.key,
    )


def list_questions(tx: Tx, at: Channel, *, limit: int = 50) -> list[dict[str, Any]]:
    """id, question, nearest, person, asked_at of the open ones, newest first."""
    return tx.all(
        """select id, question, nearest, person, asked_at from guard_unanswered
        where team = :team and channel = :channel and closed_at is null order by id desc limit :limit""",
        limit=limit,
        **at.key,
    )


def close_question(tx: Tx, at: Channel, id: int, *, by: str, now: float) -> None:
    """It is done with; nothing when it was before."""
    closed = tx.changed(
        """update guard_unanswered set closed_at = :now
        where id = :id and team = :team and channel = :channel and closed_at is null""",
        id=id,
        now=now,
        **at.key,
    )
    if closed:
        audit.note(
            tx, "question closed", at.channel, team=at.team, person=by, detail=f"question {id}", now=now
        )
