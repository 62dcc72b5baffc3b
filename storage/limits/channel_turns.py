"""Whose turn it is where only one may go at a time, and the next one a while later: posts in a channel.

Whoever takes a turn holds the place for a moment, and then says when it is free for the next one. All times
are the database's, so nobody's own clock matters; what a process that died holds is free again by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.engine import Tx

ASKED_S = 5.0  # so long after another process was turned away, a place counts as contested
GIVES_WAY_S = 0.04  # how much later the last one there may come, where another one waits
FORGOTTEN_S = 60.0
LONGEST_S = 600.0  # a place that is held for longer is free: the clock has been set back


@dataclass(frozen=True, slots=True)
class ChannelTurn:
    """`wait_s`: 0 when it was taken, else how long the place is held. `contested`: others come there, too."""

    wait_s: float
    contested: bool


def take(tx: Tx, place: str, worker: int, *, hold_s: float) -> ChannelTurn:
    """Takes the next turn at a place for `hold_s`, if nobody holds it. Whom nobody else waits for may go on:
    how far apart its own turns are, a process knows itself."""
    row = tx.one(
        "insert into channel_turns (place, worker, free_at, asked_at)"
        " values (:place, :worker, unix_now() + :hold_s, 0)"
        " on conflict (place) do update set worker = :worker, free_at = unix_now() + :hold_s"
        " where channel_turns.free_at > unix_now() + :longest_s or case"
        " when channel_turns.worker <> :worker then channel_turns.free_at <= unix_now()"
        " when channel_turns.asked_at < unix_now() - :asked_s then 1 = 1"
        " else channel_turns.free_at <= unix_now() - :gives_way_s end"
        " returning case when asked_at < unix_now() - :asked_s then 0 else 1 end as contested",
        place=place,
        worker=worker,
        hold_s=hold_s,
        asked_s=ASKED_S,
        gives_way_s=GIVES_WAY_S,
        longest_s=LONGEST_S,
    )
    if row is not None:
        return ChannelTurn(0.0, bool(row["contested"]))
    row = tx.one(
        "update channel_turns set asked_at = case when worker = :worker then asked_at else unix_now() end"
        " where place = :place returning free_at - unix_now() as wait_s",
        place=place,
        worker=worker,
    )
    wait_s = max(row["wait_s"], 0.0) if row else 0.0
    if wait_s > hold_s / 2:  # whoever holds it will have said by then when it is free
        wait_s -= hold_s / 2
    return ChannelTurn(wait_s + GIVES_WAY_S / 2, contested=True)


def set_free(tx: Tx, place: str, worker: int, *, in_s: float) -> None:
    """Who has had its turn says when the place is free; nothing happens if it is somebody else's by now."""
    tx.run(
        "update channel_turns set free_at = unix_now() + :in_s where place = :place and worker = :worker",
        place=place,
        worker=worker,
        in_s=in_s,
    )


def tidy(tx: Tx) -> int:
    """Forgets places where nobody has been for long; how many."""
    return tx.changed("delete from channel_turns where free_at < unix_now() - :old_s", old_s=FORGOTTEN_S)
