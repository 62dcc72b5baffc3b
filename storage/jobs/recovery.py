"""What is found in the inbox after the end of a process: what died with it, and what waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from storage.engine import Tx
from storage.jobs.inbox import JOB, Job

# So long a job waits after so many deaths that it is charged with: a machine that kills its processes for a
# while, whatever they do, has stopped before an innocent job is parked for it.
WAITS_S = {2: 5.0, 3: 30.0, 4: 180.0}

# Of a process that is not on the list of the living. A process that has a file for itself is never on it.
ORPHANED = "worker not in (select id from workers)"
WAITING = (
    "select conversation, due_at, team || ' ' || person as owner, crashes + suspicions as deaths"
    " from inbox where running = 0 and seq in"
    " (select min(seq) from inbox where state = 'new' group by conversation)"
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A conversation with something to do: when its oldest job is due, whose it is, and how many process
    deaths it may be at fault for."""

    conversation: str
    due_at: float
    owner: str
    deaths: int


def recover(tx: Tx, *, max_crashes: int, now: float) -> list[Job]:
    """After a process's end: nothing of its runs any more, and what died too often is now parked; these jobs.

    Rows found running for nobody who lives died with their process. Only one that ran alone there is charged
    with it; of several, each is under suspicion. What did not run is a little less so: there is something
    else that ends processes.
    """
    tx.lock("recovery")
    died = tx.all(f"select seq, worker, crashes, due_at from inbox where running = 1 and {ORPHANED}")
    if died:
        tx.run(
            "update inbox set suspicions = suspicions - 1"
            " where state = 'new' and running = 0 and suspicions > 0"
        )
    for together in _group_by_worker(died):
        if len(together) == 1:
            _charge(tx, together[0], now=now)
        else:
            worker = together[0]["worker"]
            tx.run(
                "update inbox set running = 0, suspicions = suspicions + 1"
                f" where running = 1 and worker = :worker and {ORPHANED}",
                worker=worker,
            )
    parked = tx.all(
        "update inbox set state = 'parked', error = 'the process died while this ran'"
        f" where state = 'new' and running = 0 and crashes >= :max_crashes returning {JOB}",
        max_crashes=max_crashes,
    )
    return [Job(**row) for row in parked]


def _group_by_worker(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["worker"], []).append(row)
    return list(found.values())


def _charge(tx: Tx, row: dict[str, Any], *, now: float) -> None:
    """The only thing that a process did when it died."""
    tx.run(
        "update inbox set running = 0, crashes = crashes + 1, due_at = :due_at where seq = :seq",
        due_at=max(row["due_at"], now + wait_s(row["crashes"] + 1)),
        seq=row["seq"],
    )


def wait_s(crashes: int) -> float:
    """How long a job waits that was charged with so many deaths."""
    return WAITS_S.get(min(crashes, max(WAITS_S)), 0.0)


def waiting(tx: Tx) -> list[Waiting]:
    """The conversations that have something to do, the oldest first."""
    return [Waiting(**row) for row in tx.all(f"{WAITING} order by seq")]


def overdue(tx: Tx, *, since: float, beyond: float, limit: int) -> list[Waiting]:
    """Conversations with something to do that nobody has begun though it was due before `since`, the oldest
    first: who received it has died, or has too much to do. Nothing is put off beyond `beyond`: what is due
    later was stored by a clock that is ahead, or has been set back."""
    found = tx.all(
        f"{WAITING} and (due_at < :since or due_at > :beyond) order by due_at limit :limit",
        since=since,
        beyond=beyond,
        limit=limit,
    )
    return [Waiting(**row) for row in found]


def list_running(tx: Tx, worker: int) -> list[str]:
    """The conversations in which a process is at work, as far as the database knows."""
    rows = tx.all("select conversation from inbox where running = 1 and worker = :worker", worker=worker)
    return [row["conversation"] for row in rows]


def count_orphans(tx: Tx) -> int:
    """How many jobs are left running of processes that do not live any more."""
    row = tx.one(f"select count(*) as count from inbox where running = 1 and {ORPHANED}")
    return int(row["count"]) if row else 0


def has_orphans(tx: Tx) -> bool:
    """Whether something is left running of a process that does not live any more."""
    return tx.one(f"select 1 as found from inbox where running = 1 and {ORPHANED} limit 1") is not None
