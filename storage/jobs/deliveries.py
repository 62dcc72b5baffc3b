"""Signed deliveries that were carried out, so that none is carried out twice: a digest each, for minutes."""

from __future__ import annotations

from storage.engine import Tx


def take(tx: Tx, digest: str, *, now: float, kept_s: float) -> bool:
    """Whether a delivery has not been taken before; from now on it has. What is older than `kept_s` goes."""
    tx.run("delete from taken_deliveries where at < :before", before=now - kept_s)
    taken = tx.changed(
        "insert into taken_deliveries (digest, at) values (:digest, :now) on conflict (digest) do nothing",
        digest=digest,
        now=now,
    )
    return taken > 0
