"""Threads in which only mentions are answered."""

from __future__ import annotations

from storage.engine import Tx
from storage.place import Place


def is_quiet(tx: Tx, conversation: str) -> bool:
    """Whether only mentions are to be answered in a thread."""
    quiet = "select 1 as found from quiet_threads where conversation = :conversation"
    return tx.one(quiet, conversation=conversation) is not None


def set_quiet(tx: Tx, place: Place, quiet: bool, *, now: float) -> None:
    """From now on only mentions are answered in a thread, or again what follows its answers.

    That stays when the thread is forgotten, as it stays known that we take part in it.
    """
    if quiet:
        tx.run(
            "insert into quiet_threads (conversation, team, at) values (:key, :team, :now)"
            " on conflict do nothing",
            key=place.key,
            team=place.team,
            now=now,
        )
    else:
        tx.run("delete from quiet_threads where conversation = :key", key=place.key)
