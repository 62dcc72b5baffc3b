"""Trained versions of a channel's model; where they are kept is the head's storage."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from storage.engine import Tx
from storage.place import Channel


class ModelStore(Protocol):
    """Keeps a head's models; a module of storage is one, such as storage/guard/models.py."""

    def add_model(
        self,
        tx: Tx,
        at: Channel,
        model: bytes,
        *,
        embedder: str,
        examples: Collection[int],
        report: str,
        now: float,
        use: bool = True,
    ) -> int:
        """`examples`: the ids of those that it was made from."""

    def roll_back(self, tx: Tx, at: Channel, version: int, *, by: str, now: float) -> bool: ...

    def list_models(self, tx: Tx, at: Channel) -> list[dict[str, Any]]: ...

    def is_up_to_date(self, tx: Tx, at: Channel) -> bool: ...


@dataclass(frozen=True, slots=True)
class Version:
    """A trained model of a channel and how it does on examples it was not shown."""

    version: int
    rows: int
    report: dict[str, Any]  # bot.ml.classification_report.Report as JSON
    in_use: bool
    trained_at: float


def read_version(row: dict[str, Any]) -> Version:
    """A version as its storage lists it."""
    report = json.loads(row["report"])
    return Version(row["version"], report["rows"], report, bool(row["in_use"]), row["trained_at"])
