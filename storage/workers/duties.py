"""Duties: what one process of several does for all, for as long as it lives."""

from __future__ import annotations

from storage.engine import Tx


def find_holder(tx: Tx, name: str) -> int | None:
    """The living process that has a duty; None when it is free."""
    row = tx.one(
        "select worker from duties where name = :name and worker in (select id from workers)", name=name
    )
    return None if row is None else int(row["worker"])


def claim(tx: Tx, name: str, worker: int) -> int | None:
    """Takes a duty that no living process has; from whom (0: nobody), None when it is not to be had.

    Locked first: only what is read after that shows a process that registered meanwhile.
    """
    tx.lock(f"duty {name}")
    before = tx.one("select worker from duties where name = :name", name=name)
    taken = tx.changed(
        "insert into duties (name, worker, since) values (:name, :worker, unix_now())"
        " on conflict (name) do update set worker = excluded.worker, since = excluded.since"
        " where duties.worker = excluded.worker or duties.worker not in (select id from workers)",
        name=name,
        worker=worker,
    )
    return (int(before["worker"]) if before else 0) if taken else None


def give_up(tx: Tx, name: str, worker: int) -> None:
    """Leaves a duty to whoever wants it."""
    tx.run("delete from duties where name = :name and worker = :worker", name=name, worker=worker)
