"""Labelled examples of a head; where they are kept is the head's storage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from storage.engine import Tx
from storage.place import Channel


class ExampleStore(Protocol):
    """Keeps a head's examples; a module of storage is one, such as storage/guard/examples.py."""

    def add_examples(
        self, tx: Tx, at: Channel, given: Sequence[tuple[Any, bool]], *, source: str, now: float
    ) -> None: ...

    def list_examples(self, tx: Tx, at: Channel) -> list[dict[str, Any]]: ...
