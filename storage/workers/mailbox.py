"""Messages to single processes, until they have read them: something they work on, or keep in memory, was
changed by another one.

A message is left in the transaction that changes what it is about, and names it without its words: what is
true is read where it stands. So it may come late, or twice, and be lost together with its process.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.engine import Tx


@dataclass(frozen=True, slots=True)
class WorkerMessage:
    """`text`: ids, as the topic has them."""

    topic: str
    text: str


def put(tx: Tx, worker: int, topic: str, text: str) -> None:
    """Leaves a message with one process, which looks at once."""
    tx.run(
        "insert into worker_messages (worker, topic, text) values (:worker, :topic, :text)",
        worker=worker,
        topic=topic,
        text=text,
    )
    tx.wake()


def put_to_all(tx: Tx, topic: str, text: str) -> None:
    """Leaves a message with every living process, this one too; with none where one has a file for itself."""
    told = tx.changed(
        "insert into worker_messages (worker, topic, text) select id, :topic, :text from workers",
        topic=topic,
        text=text,
    )
    if told:
        tx.wake()


def has_any(tx: Tx, worker: int) -> bool:
    """Whether there is something to take."""
    found = "select 1 as found from worker_messages where worker = :worker limit 1"
    return tx.one(found, worker=worker) is not None


def take(tx: Tx, worker: int) -> list[WorkerMessage]:
    """What was left with a process, the oldest first; it is gone then."""
    rows = tx.all(
        "delete from worker_messages where worker = :worker returning id, topic, text", worker=worker
    )
    return [WorkerMessage(row["topic"], row["text"]) for row in sorted(rows, key=lambda row: row["id"])]


def drop_undeliverable(tx: Tx) -> int:
    """Removes what was left with processes that have died; how many."""
    return tx.changed("delete from worker_messages where worker not in (select id from workers)")
