"""What the start of a process finds in the inbox: what died with the one before, and what waits."""

from __future__ import annotations

from dataclasses import dataclass

from storage.engine import Tx
from storage.jobs.inbox import JOB, Job

# So long a job waits after so many deaths that it is charged with: a machine that kills its processes for a
# while, whatever they do, has stopped before an innocent job is parked for it.
WAITS_S = {2: 5.0, 3: 30.0, 4: 180.0}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A conversation with something to do: when its oldest job is due, whose it is, and how many process
    deaths it may be at fault for."""

    conversation: str
    due_at: float
    owner: str
    deaths: int


def recover(tx: Tx, *, max_crashes: int, now: float) -> list[Job]:
    """After a process's end: nothing runs any more, and what died too often is now parked; these jobs.

    Rows found running died with the process. Only one that ran alone is charged with it; of several, each is
    under suspicion. What did not run is a little less so: there is something else that ends processes.
    """
    died = tx.all("select seq, crashes, due_at from inbox where running = 1")
    if died:
        tx.run(
            "update inbox set suspicions = suspicions - 1"
            " where state = 'new' and running = 0 and suspicions > 0"
        )
    if len(died) == 1:
        [row] = died
        due_at = max(row["due_at"], now + wait_s(row["crashes"] + 1))
        tx.run(
            "update inbox set running = 0, crashes = crashes + 1, due_at = :due_at where seq = :seq",
            due_at=due_at,
            seq=row["seq"],
        )
    elif died:
        tx.run("update inbox set running = 0, suspicions = suspicions + 1 where running = 1")
    parked = tx.all(
        "update inbox set state = 'parked', error = 'the process died while this ran'"
        f" where state = 'new' and crashes >= :max_crashes returning {JOB}",
        max_crashes=max_crashes,
    )
    return [Job(**row) for row in parked]


def wait_s(crashes: int) -> float:
    """How long a job waits that was charged with so many deaths."""
    return WAITS_S.get(min(crashes, max(WAITS_S)), 0.0)


def waiting(tx: Tx) -> list[Waiting]:
    """The conversations that have something to do, the oldest first."""
    found = tx.all(
        "select conversation, due_at, team || ' ' || person as owner, crashes + suspicions as deaths"
        " from inbox where seq in"
        " (select min(seq) from inbox where state = 'new' group by conversation) order by seq"
    )
    return [Waiting(**row) for row in found]
