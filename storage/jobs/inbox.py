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
from typing import Any

from bot.core.errors import Missing
from storage import audit
from storage.engine import Tx
from storage.jobs import queries

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


def amend(tx: Tx, key: str, change: Callable[[str], str]) -> None:
    """What a job that is not done yet holds, changed; one that runs has to be told as well."""
    while (payload := queries.read_payload(tx, key)) is not None:
        changed = "update inbox set payload = :changed where key = :key and payload = :payload"
        if tx.changed(changed, changed=change(payload), key=key, payload=payload):
            return


def cancel(tx: Tx, key: str, *, now: float) -> bool:
    """Closes a job nobody wants done any more; False when it is running, done, or never was."""
    return _close_waiting(tx, "key = :key", "cancelled", now=now, key=key)


def close_answered(tx: Tx, key: str, *, now: float) -> None:
    """Closes a waiting job whose question was answered with the one before it."""
    _close_waiting(tx, "key = :key", TOGETHER, now=now, key=key)


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


def tidy(tx: Tx, *, now: float, limit: int = 500) -> int:
    """Removes jobs that have long been done; how many. Repeat while it is not 0."""
    return tx.changed(
        "delete from inbox where seq in"
        " (select seq from inbox where state = 'done' and done_at < :before limit :limit)",
        before=now - KEPT_S,
        limit=limit,
    )
