"""The processes on a database that several share. What keeps the list is storage/postgres/presence.py."""

from __future__ import annotations

from storage.engine import Tx


def silent_s(tx: Tx) -> list[float]:
    """How long ago each of them gave a sign of life; empty where one has the database alone."""
    rows = tx.all("select unix_now() - seen_at as silent from workers order by id")
    return [max(row["silent"], 0.0) for row in rows]
