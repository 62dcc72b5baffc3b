"""The end of a process, as the database knows it."""

from __future__ import annotations

from storage.engine import Engine, Tx

NOBODY = -1  # is on no list of the living


def orphan(tx: Tx) -> None:
    """What is under way belongs to a process that does not live any more."""
    tx.run("update inbox set worker = :nobody where running = 1", nobody=NOBODY)
    tx.run("update ledger set worker = :nobody where outcome = 'open'", nobody=NOBODY)


async def process_died(engine: Engine) -> None:
    await engine.write(orphan)
