"""What was deleted or forgotten leaves a digest of its message id, so that it is not read in again."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from storage.engine import Tx

NOT_FORGOTTEN = "not exists (select 1 from tombstones where digest = :digest)"  # of a message's `digest`
BURIED_TOGETHER = (200, 20, 1)  # each size is a statement to be kept


def lock(tx: Tx, team: str, channel: str, message: str) -> None:
    """For whoever remembers a message unless it was forgotten, and whoever forgets it before it is there."""
    tx.lock(f"message {team}:{channel}:{message}")


def bury(tx: Tx, team: str, channel: str, messages: list[str], *, now: float) -> None:
    """These messages are never to be remembered again, however they come back."""
    bury_rows(tx, [{"team": team, "channel": channel, "message": message} for message in messages], now=now)


def bury_rows(tx: Tx, rows: list[dict[str, Any]], *, now: float) -> None:
    """As `bury`, by the team, channel and message of each; in the order of the index, many in a statement."""
    digests = sorted(digest_of(row["team"], row["channel"], row["message"]) for row in rows)
    for size in BURIED_TOGETHER:
        while len(digests) >= size:
            given = {f"d{n}": digest for n, digest in enumerate(digests[:size])}
            del digests[:size]
            places = ", ".join(f"(:{name}, :now)" for name in given)
            tx.run(
                f"insert into tombstones (digest, at) values {places} on conflict (digest) do nothing",
                now=now,
                **given,
            )


def forgotten(tx: Tx, team: str, channel: str, message: str) -> bool:
    """Whether a message was deleted or forgotten, and must not be read in again."""
    found = "select 1 as found from tombstones where digest = :digest"
    return tx.one(found, digest=digest_of(team, channel, message)) is not None


def digest_of(team: str, channel: str, message: str) -> str:
    """What stays of a message's id."""
    return blake2b(f"{team}\n{channel}\n{message}".encode(), digest_size=16).hexdigest()
