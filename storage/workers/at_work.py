"""Which other process is at work in a conversation, on a post, on a reply. `me`: who asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from storage.engine import Tx
from storage.jobs.inbox import JOB, Job
from storage.place import Place

_RUNNING = "running.state = 'new' and running.running = 1 and running.worker <> :me"


@dataclass(frozen=True, slots=True)
class AtWork:
    """A process, and the conversation (of jobs) in which it works."""

    worker: int
    conversation: str


def find_in(tx: Tx, conversation: str, *, me: int) -> AtWork | None:
    """Who works in a conversation."""
    found = _list(
        tx,
        f"select worker, conversation from inbox running where conversation = :conversation and {_RUNNING}",
        conversation=conversation,
        me=me,
    )
    return found[0] if found else None


def list_on_post(tx: Tx, key: str, *, me: int) -> list[AtWork]:
    """Who works in conversations where a post was asked, by its key."""
    return _list(
        tx,
        "select distinct running.worker, running.conversation from inbox asked"
        " join inbox running on running.conversation = asked.conversation"
        f" where (asked.key = :key or (asked.key >= :first and asked.key < :behind)) and {_RUNNING}",
        key=key,
        first=f"{key}:",
        behind=f"{key};",
        me=me,
    )


def list_on_replies(tx: Tx, place: Place, *, me: int) -> list[AtWork]:
    """Who works on what is answered in a thread."""
    return _list(
        tx,
        "select distinct running.worker, running.conversation from replies"
        " join inbox running on running.seq = replies.job"
        " where replies.conversation = :conversation and replies.thread = :thread"
        f" and replies.sent_at is null and {_RUNNING}",
        conversation=place.key,
        thread=place.thread,
        me=me,
    )


def list_unshown(tx: Tx, team: str, person: str, *, conversations: str, kind: str, me: int) -> list[Job]:
    """What others work on of a person's, in conversations that begin so, and of which nothing is to be seen
    in Slack."""
    columns = ", ".join(f"running.{name}" for name in JOB.split(", "))
    rows = tx.all(
        f"select {columns} from inbox running left join replies on replies.job = running.seq"
        " where running.team = :team and running.person = :person and running.kind = :kind"
        " and substr(running.conversation, 1, cast(:length as integer)) = :conversations"
        f" and coalesce(replies.state, 'opening') = 'opening' and {_RUNNING} order by running.seq",
        team=team,
        person=person,
        kind=kind,
        conversations=conversations,
        length=len(conversations),
        me=me,
    )
    return [Job(**row) for row in rows]


def _list(tx: Tx, sql: str, **values: Any) -> list[AtWork]:
    return [AtWork(row["worker"], row["conversation"]) for row in tx.all(sql, **values)]
