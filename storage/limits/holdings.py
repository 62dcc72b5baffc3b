"""What each process on a database holds of the limits they share: one row for each, with all of it.

Who changes a row has seen the others' within the same lock, so that together they never hold more than there
is. Ages are told by the database's clock alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from storage.engine import Tx

FORGOTTEN_S = 300.0  # after a process's end


@dataclass(frozen=True, slots=True)
class Holding:
    """What another process wrote down, so many seconds ago, or before the clock was set back by so many.
    `lives`: it may still use it."""

    worker: int
    holdings: str
    age_s: float
    lives: bool


def count_living(tx: Tx) -> int:
    """How many processes are on the database."""
    row = tx.one("select count(*) as n from workers")
    return int(row["n"]) if row else 0


def exchange(tx: Tx, worker: int, divide: Callable[[Sequence[Holding]], str]) -> list[Holding]:
    """Writes down what `divide` makes of the others' rows; these. It has no other effect, for it may be run
    again."""
    tx.lock("limits")
    found = tx.all(
        "select worker, holdings, abs(unix_now() - at) as age_s,"
        " case when worker in (select id from workers) then 1 else 0 end as lives"
        " from limit_holdings where worker <> :worker order by worker",
        worker=worker,
    )
    others = [Holding(row["worker"], row["holdings"], row["age_s"], bool(row["lives"])) for row in found]
    tx.run(
        "insert into limit_holdings (worker, holdings, at) values (:worker, :holdings, unix_now())"
        " on conflict (worker) do update set holdings = :holdings, at = unix_now()",
        worker=worker,
        holdings=divide(others),
    )
    if any(not each.lives and each.age_s > FORGOTTEN_S for each in others):
        tx.run(
            "delete from limit_holdings where abs(unix_now() - at) > :forgotten_s"
            " and worker not in (select id from workers)",
            forgotten_s=FORGOTTEN_S,
        )
    return others
