"""What is asked of the inbox's rows without changing any: what waits, and what is asked about a post.

How a job goes through the inbox: storage/jobs/inbox.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from bot.core.errors import Missing
from storage.engine import Tx


@dataclass(frozen=True, slots=True)
class KeyedJob:
    """A job that waits, by its key, and the conversation it belongs to."""

    key: str
    conversation: str


def read_first(tx: Tx, conversation: str, kind: str, *, keys: str) -> str | None:
    """What a job of a kind that is not done yet holds, in a conversation: the first by its key, of those that
    are not before `keys`."""
    row = tx.one(
        "select payload from inbox where conversation = :conversation and state = 'new' and kind = :kind"
        " and key >= :keys order by key limit 1",
        conversation=conversation,
        kind=kind,
        keys=keys,
    )
    return None if row is None else str(row["payload"])


def list_behind(tx: Tx, conversation: str, seq: int, kind: str, *, limit: int) -> list[str]:
    """What the jobs directly behind one hold, the oldest first: up to the first one that is of another kind
    or was begun before."""
    rows = tx.all(
        "select kind, attempts, payload from inbox"
        " where conversation = :conversation and state = 'new' and seq > :seq order by seq limit :limit",
        conversation=conversation,
        seq=seq,
        limit=limit,
    )
    fresh = takewhile(lambda row: row["kind"] == kind and row["attempts"] == 0, rows)
    return [row["payload"] for row in fresh]


def read_payload(tx: Tx, key: str) -> str | None:
    """What a job that is not done yet holds; None when it is done, or was never put in."""
    row = tx.one("select payload from inbox where key = :key and payload is not null", key=key)
    return None if row is None else str(row["payload"])


def list_waiting(tx: Tx, key: str, kind: str) -> list[KeyedJob]:
    """Jobs of a kind whose keys begin so and that nobody has begun, the oldest first."""
    rows = tx.all(
        "select key, conversation from inbox where key >= :first and key < :behind and kind = :kind"
        " and state = 'new' and running = 0 and attempts = 0 order by seq",
        first=key,
        behind=key[:-1] + chr(ord(key[-1]) + 1),
        kind=kind,
    )
    return [KeyedJob(**row) for row in rows]


def list_keys(tx: Tx, key: str, *, kind: str = "", waiting: bool = False) -> list[str]:
    """The keys of everything asked about one post: its own, and those that go on from it behind a colon.

    Of one `kind`, if there is any; `waiting`: only what nobody is at work on yet.
    """
    of_kind = " and kind = :kind" if kind else ""
    idle = " and state = 'new' and running = 0" if waiting else ""
    rows = tx.all(
        f"select key from inbox where (key = :key or (key >= :first and key < :behind)){of_kind}{idle}"
        " order by seq",
        kind=kind,
        key=key,
        first=f"{key}:",
        behind=f"{key};",
    )
    return [row["key"] for row in rows]


def list_conversations(tx: Tx, key: str) -> list[str]:
    """Where everything asked about one post is done: see `list_keys`."""
    rows = tx.all(
        "select distinct conversation from inbox where key = :key or (key >= :first and key < :behind)"
        " order by conversation",
        key=key,
        first=f"{key}:",
        behind=f"{key};",
    )
    return [row["conversation"] for row in rows]


def list_recent(tx: Tx, team: str, person: str, *, conversations: str, since: float) -> list[str]:
    """Keys of the posts of one person received after `since`, in conversations that begin so.

    Reads only what came since, from its end: so it costs the same however much is kept.
    """
    rows = tx.all(
        "select key from inbox where seq > coalesce("
        "(select seq from inbox where received_at <= :since order by seq desc limit 1), 0)"
        " and received_at > :since and team = :team and person = :person and key like 'm:%'"
        " and substr(conversation, 1, cast(:length as integer)) = :conversations",
        team=team,
        person=person,
        since=since,
        conversations=conversations,
        length=len(conversations),
    )
    return [row["key"] for row in rows]


def knows_conversation(tx: Tx, conversation: str) -> bool:
    """Whether something waits or runs in a conversation."""
    found = "select 1 as found from inbox where conversation = :conversation and state = 'new' limit 1"
    return tx.one(found, conversation=conversation) is not None


def list_jobs(tx: Tx, state: str, *, limit: int = 100) -> list[dict[str, Any]]:
    """Jobs that are 'new' or 'parked', oldest first, without what they hold."""
    return tx.all(
        "select seq, key, kind, conversation, running, attempts, tries, crashes, due_at, received_at, error"
        " from inbox where state = :state order by seq limit :limit",
        state=state,
        limit=limit,
    )


def show(tx: Tx, seq: int) -> dict[str, Any]:
    """Every column of a job. Missing when there is none."""
    row = tx.one("select * from inbox where seq = :seq", seq=seq)
    if row is None:
        raise Missing(f"no job {seq}")
    return row


def depth(tx: Tx) -> dict[str, Any]:
    """How many jobs wait, run and are parked, and since when the oldest waits (unix seconds or None)."""
    row = tx.one(
        "select count(*) as waiting, coalesce(sum(running), 0) as running, min(received_at) as oldest_at"
        " from inbox where state = 'new'"
    )
    parked = tx.one("select count(*) as parked from inbox where state = 'parked'")
    assert row is not None
    assert parked is not None
    return row | parked
