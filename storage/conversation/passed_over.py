"""Threads in which something was posted that nobody asked us, by the newest such post."""

from __future__ import annotations

from storage.engine import Tx
from storage.place import Place

KEPT_S = 26 * 3600.0  # Slack may deliver a mention for 25 hours


def note(tx: Tx, place: Place, message: str, *, now: float) -> None:
    """Remembers that a post of a thread was passed over, unless a later one was."""
    tx.run(
        "insert into passed_over (conversation, team, message, at) values (:key, :team, :message, :now)"
        " on conflict (conversation) do update set message = excluded.message, at = excluded.at"
        " where excluded.message > passed_over.message",
        key=place.key,
        team=place.team,
        message=message,
        now=now,
    )


def find(tx: Tx, conversation: str) -> str:
    """The newest post that was passed over in a thread; "" where there is none."""
    row = tx.one("select message from passed_over where conversation = :key", key=conversation)
    return str(row["message"]) if row else ""


def tidy(tx: Tx, *, now: float, limit: int = 500) -> int:
    """Removes what no late mention can stand before any more; how many. Repeat while it is not 0."""
    return tx.changed(
        "delete from passed_over where conversation in"
        " (select conversation from passed_over where at < :before limit :limit)",
        before=now - KEPT_S,
        limit=limit,
    )
