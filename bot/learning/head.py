"""What a trainer needs to know of one kind of small model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bot.learning.examples import ExampleStore
from bot.learning.versions import ModelStore
from storage.place import Channel


@dataclass(frozen=True, slots=True)
class Fit:
    """A fitted model in its stored form, with what it takes to report on it."""

    model: bytes
    labels: Sequence[bool]  # of the rows it was fitted on
    held_out: Sequence[float]  # probability of each row by a model that was not shown it
    threshold: float
    embedder: str = ""  # name of the sentence embeddings it needs; empty: none
    better: bool = True  # than what judges without it; else it is kept and not put to use
    figures: Mapping[str, Any] = field(default_factory=dict)  # of its own, beside the report's
    learned_from: str = ""  # tells what it was fitted on beside the stored examples; kept with the version


class Head(Protocol):
    """A kind of small model of which each channel has its own."""

    @property
    def name(self) -> str: ...
    @property
    def examples(self) -> ExampleStore: ...
    @property
    def models(self) -> ModelStore: ...

    async def fit(self, at: Channel, stored: Sequence[dict[str, Any]]) -> Fit | None:
        """Fits a model on a channel's stored examples, beside the event loop; None with too few."""
        ...

    async def is_usable(self, at: Channel) -> bool:
        """Whether there is a model in use that can be used as it is."""
        ...

    def reload(self, at: Channel) -> None:
        """Another version is in use from now on."""
        ...
