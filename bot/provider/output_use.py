"""How many tokens the answers to each kind of request really have."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import sqrt

LAST, ENOUGH, SHARE = 50, 10, 0.95


@dataclass(slots=True)
class _Seen:
    outputs: deque[int] = field(default_factory=lambda: deque(maxlen=LAST))
    most: float = 0.0
    mean: float = 0.0


class OutputUse:
    """Of the answers of one model. As long as little is known, an answer takes all that it may."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Seen] = {}

    def note(self, kind: str, output_tokens: int) -> None:
        seen = self._kinds.setdefault(kind, _Seen())
        seen.outputs.append(output_tokens)
        ordered = sorted(seen.outputs)
        seen.most, seen.mean = ordered[int(len(ordered) * SHARE)], sum(ordered) / len(ordered)

    def most(self, kind: str, limit: float, *, beside: int) -> float:
        """What 19 of 20 keep to, within the limit of this one. Where others are under way beside it, longer
        and shorter ones even out: what all of them keep to together grows with the root of their number."""
        seen = self._known(kind)
        return min(limit, seen.mean + (seen.most - seen.mean) / sqrt(beside + 1)) if seen else limit

    def mean(self, kind: str, limit: float) -> float:
        seen = self._known(kind)
        return min(limit, seen.mean) if seen else limit

    def _known(self, kind: str) -> _Seen | None:
        seen = self._kinds.get(kind)
        return seen if seen and len(seen.outputs) >= ENOUGH else None
