"""Rows for tests of an engine: one is written, all are counted."""

from __future__ import annotations

from storage.engine import Tx


def learn(tx: Tx, model: str) -> None:
    tx.run("insert into learned_ratios (model, ratio, at) values (:model, 1, 0)", model=model)


def count(tx: Tx) -> int:
    row = tx.one("select count(*) as n from learned_ratios")
    assert row is not None
    return int(row["n"])
