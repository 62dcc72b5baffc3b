"""The inbox's rows: what was received, in what order, and what became of it.

A row is `new` until it is `done` or `parked`. `attempts` counts every time a job was ever taken and is the
fence: whoever finishes must name the number it took, so a worker that was overtaken changes nothing.
`tries` (failures) and `crashes` (process deaths while it ran alone) decide about parking and start again at a
replay; the fence never does. `suspicions` are deaths while it ran beside others. What a start finds is
storage/jobs/recovery.py. Who runs what when is bot/jobs/inbox.py's business; `kind` and `payload` (ASCII
JSON) mean nothing here.

Where several processes share a database, `worker` is the one that took a running job. What changes who is
next in a conversation holds that conversation's lock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from bot.core.errors import Missing
from storage import audit
from storage.engine import Tx

DAY_S = 86_400.0
# How long the key of a done job refuses late deliveries. Slack may repeat one for 25 hours.
KEPT_S = 7 * DAY_S

TOGETHER = "answered with the one before"  # how a question ends that is part of another
TOLD = "too old, which was told with another one"

Effect = Callable[[Tx], object]


@dataclass(frozen=True, slots=True)
class Job:
    """A job that was taken. `attempts` includes this one; times are unix seconds."""

    seq: int
    key: str
    conversation: str
    kind: str
    payload: str
    attempts: int
    tries: int
    crashes: int
    received_at: float


@dataclass(frozen=True, slots=True)
class KeyedJob:
    """A job that waits, by its key, and the conversation it belongs to."""

    key: str
    conversation: str


JOB = "seq, key, conversation, kind, payload, attempts, tries, crashes, received_at"


def put(
    tx: Tx,
    key: str,
    conversation: str,
    kind: str,
    payload: str,
    *,
    team: str = "",
    person: str = "",
    now: float,
) -> bool:
    """Stores a job unless its key is known; False for one that was there already.

    `team` and `person` say whose words the payload holds, should that person want them forgotten.
    """
    tx.lock(conversation)
    return (
        tx.changed(
            "insert into inbox (key, conversation, kind, team, person, payload, due_at, received_at)"
            " values (:key, :conversation, :kind, :team, :person, :payload, :now, :now)"
            " on conflict (key) do nothing",
            key=key,
            conversation=conversation,
            kind=kind,
            team=team,
            person=person,
            payload=payload,
            now=now,
        )
        == 1
    )


def take(tx: Tx, conversation: str, *, worker: int = 0, now: float) -> Job | float | None:
    """The conversation's oldest job, now running; the time it is due; or None when there is nothing to take.

    A job that waits for its retry, or is running, holds back all that came after it.
    """
    tx.lock(conversation)
    row = tx.one(
        "update inbox set attempts = attempts + 1, running = 1, worker = :worker"
        " where due_at <= :now and seq ="
        " (select seq from inbox where conversation = :conversation and state = 'new' order by seq limit 1)"
        " and not exists (select 1 from inbox where conversation = :conversation and running = 1)"
        f" returning {JOB}",
        conversation=conversation,
        worker=worker,
        now=now,
    )
    if row is not None:
        return Job(**row)
    return due_at(tx, conversation)


def due_at(tx: Tx, conversation: str) -> float | None:
    """When the conversation's oldest job may run; None when there is none, or one is running."""
    row = tx.one(
        "select due_at from inbox where conversation = :conversation and state = 'new'"
        " and not exists (select 1 from inbox where conversation = :conversation and running = 1)"
        " order by seq limit 1",
        conversation=conversation,
    )
    return float(row["due_at"]) if row else None


def finish(tx: Tx, job: Job, *effects: Effect, now: float) -> bool:
    """Done, together with everything that must be true when it is; False (and no effect) when overtaken.

    What it held is erased after the effects: nobody needs it any more.
    """
    tx.lock(job.conversation)
    if not _close_taken(tx, job, "running = 0, state = 'done', done_at = :now, error = ''", now=now):
        return False
    for effect in effects:
        effect(tx)
    tx.run("update inbox set payload = null where seq = :seq", seq=job.seq)
    return True


def fail(tx: Tx, job: Job, error: str, *, due_at: float, counts: bool = True) -> bool:
    """Back into its old place, to be taken again at `due_at`; False when overtaken.

    `counts`: whether it was a failure, or only the wish of the other side to be asked later.
    """
    return _close_taken(
        tx,
        job,
        "running = 0, tries = tries + :one, due_at = :due_at, error = :error",
        one=int(counts),
        due_at=due_at,
        error=error,
    )


def park(tx: Tx, job: Job, error: str) -> bool:
    """Set aside, listed, until somebody replays or discards it; False when overtaken."""
    return _close_taken(
        tx, job, "running = 0, state = 'parked', tries = tries + 1, error = :error", error=error
    )


def give_back(tx: Tx, job: Job) -> bool:
    """Back into its old place as if it had not been taken, save for the fence; False when overtaken."""
    tx.wake()
    return _close_taken(tx, job, "running = 0")


def release(tx: Tx, conversation: str, *, worker: int = 0) -> None:
    """Whatever a process runs in a conversation does not; for whoever knows that it is not at work there."""
    tx.lock(conversation)
    tx.run(
        "update inbox set running = 0 where conversation = :conversation and state = 'new' and running = 1"
        " and worker = :worker",
        conversation=conversation,
        worker=worker,
    )


def _close_taken(tx: Tx, job: Job, change: str, **values: Any) -> bool:
    return (
        tx.changed(
            f"update inbox set {change}"
            " where seq = :seq and state = 'new' and running = 1 and attempts = :attempts",
            seq=job.seq,
            attempts=job.attempts,
            **values,
        )
        == 1
    )


def put_about(tx: Tx, job: Job, kind: str, payload: str, *, now: float) -> None:
    """Stores a job about another one, behind all of its conversation, as the words of the same person."""
    tx.lock(job.conversation)
    tx.run(
        "insert into inbox (key, conversation, kind, team, person, payload, due_at, received_at)"
        " select :key, conversation, :kind, team, person, :payload, :now, :now from inbox where seq = :seq",
        key=f"{job.key}:{kind}:{job.attempts}",
        kind=kind,
        payload=payload,
        now=now,
        seq=job.seq,
    )


def replay(tx: Tx, seq: int, *, now: float) -> str:
    """A parked job back in its old place with everything but the fence reset; its conversation. Missing."""
    row = tx.one(
        "update inbox set state = 'new', tries = 0, crashes = 0, suspicions = 0, due_at = :now, error = ''"
        " where seq = :seq and state = 'parked' and payload is not null returning conversation",
        seq=seq,
        now=now,
    )
    if row is None:
        raise Missing(f"no parked job {seq}")
    tx.wake()
    audit.note(tx, "replayed", f"job {seq}", now=now)
    return str(row["conversation"])


def discard(tx: Tx, seq: int, *, now: float) -> None:
    """A parked or waiting job is closed, what it held erased. Missing when there is none or it runs."""
    if not _close_waiting(tx, "seq = :seq", "discarded", now=now, seq=seq):
        raise Missing(f"no parked or waiting job {seq}")
    audit.note(tx, "discarded", f"job {seq}", now=now)


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


def amend(tx: Tx, key: str, change: Callable[[str], str]) -> None:
    """What a job that is not done yet holds, changed; one that runs has to be told as well."""
    while (payload := read_payload(tx, key)) is not None:
        changed = "update inbox set payload = :changed where key = :key and payload = :payload"
        if tx.changed(changed, changed=change(payload), key=key, payload=payload):
            return


def cancel(tx: Tx, key: str, *, now: float) -> bool:
    """Closes a job nobody wants done any more; False when it is running, done, or never was."""
    return _close_waiting(tx, "key = :key", "cancelled", now=now, key=key)


def close_answered(tx: Tx, key: str, *, now: float) -> None:
    """Closes a waiting job whose question was answered with the one before it."""
    _close_waiting(tx, "key = :key", TOGETHER, now=now, key=key)


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


def close_told(tx: Tx, key: str, *, now: float) -> None:
    """Closes a waiting job that got too old and was told of with another one."""
    _close_waiting(tx, "key = :key", TOLD, now=now, key=key)


def reopen_answered(tx: Tx, key: str, payload: str) -> None:
    """Puts a question that was answered with the one before it back into its place: that answer is gone."""
    tx.run(
        "update inbox set state = 'new', done_at = null, error = '', payload = :payload"
        " where key = :key and state = 'done' and error = :together",
        key=key,
        payload=payload,
        together=TOGETHER,
    )


def blank_parked(tx: Tx, key: str) -> None:
    """What a parked job holds is erased: it stays listed, and cannot be replayed."""
    tx.run("update inbox set payload = null where key = :key and state = 'parked'", key=key)


def _close_waiting(tx: Tx, which: str, error: str, **values: Any) -> bool:
    return (
        tx.changed(
            "update inbox set state = 'done', done_at = :now, payload = null, error = :error"
            f" where {which} and state in ('new', 'parked') and running = 0",
            error=error,
            **values,
        )
        == 1
    )


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


def tidy(tx: Tx, *, now: float, limit: int = 500) -> int:
    """Removes jobs that have long been done; how many. Repeat while it is not 0."""
    return tx.changed(
        "delete from inbox where seq in"
        " (select seq from inbox where state = 'done' and done_at < :before limit :limit)",
        before=now - KEPT_S,
        limit=limit,
    )
