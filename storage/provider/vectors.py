"""Sentence vectors of texts, kept by the hash of the text so that each is computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from storage.engine import Tx

KEPT_S = 180 * 86_400.0


def find(tx: Tx, embedder: str, digests: Sequence[str]) -> dict[str, bytes]:
    """Digest of a text → its stored vector, of those that are there."""
    found: dict[str, bytes] = {}
    for digest in digests:
        row = tx.one(
            "select vector from guard_vectors where embedder = :embedder and digest = :digest",
            embedder=embedder,
            digest=digest,
        )
        if row:
            found[digest] = row["vector"]
    return found


def add(tx: Tx, embedder: str, vectors: Mapping[str, bytes], *, now: float) -> None:
    """Keeps these, by the digest of their texts; what is there stays."""
    for digest, vector in sorted(vectors.items()):  # in one order, or two who keep the same wait in a circle
        tx.run(
            """insert into guard_vectors (embedder, digest, vector, made_at)
            values (:embedder, :digest, :vector, :now) on conflict (embedder, digest) do nothing""",
            embedder=embedder,
            digest=digest,
            vector=vector,
            now=now,
        )


def tidy(tx: Tx, *, now: float, limit: int = 500) -> int:
    """Housekeeping: drops what was computed long ago (it is computed again if it is needed); how many go.

    Repeat while it is not 0.
    """
    old = "select embedder, digest from guard_vectors where made_at < :before limit :limit"
    return tx.changed(
        f"delete from guard_vectors where (embedder, digest) in ({old})", before=now - KEPT_S, limit=limit
    )
