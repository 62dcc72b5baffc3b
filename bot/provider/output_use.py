"""How many tokens the answers to each kind of request really have."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import sqrt

LAST, ENOUGH, SHARE = 50, 10, 0.95
FEW = 3  # from so many on a mean is better than nothing
AS_OTHERS = 3  # a channel's answers are taken to be as those of others, as if it had had so many of these


@dataclass(slots=True)
class _Seen:
    outputs: deque[int] = field(default_factory=lambda: deque(maxlen=LAST))
    most: float = 0.0
    mean: float = 0.0

    def note(self, output_tokens: int) -> None:
        self.outputs.append(output_tokens)
        ordered = sorted(self.outputs)
        self.most, self.mean = ordered[int(len(ordered) * SHARE)], sum(ordered) / len(ordered)


class OutputUse:
    """Of the answers of one model. As long as little is known, an answer takes all that it may."""

    def __init__(self) -> None:
        self._kinds: dict[str, _Seen] = {}
        self._channels: dict[tuple[str, str], _Seen] = {}

    def note(self, kind: str, output_tokens: int, *, channel: str) -> None:
        self._kinds.setdefault(kind, _Seen()).note(output_tokens)
        self._channels.setdefault((kind, channel), _Seen()).note(output_tokens)

    def most(self, kind: str, limit: float, *, beside: int) -> float:
        """What 19 of 20 keep to, within the limit of this one. Where others are under way beside it, longer
        and shorter ones even out: what all of them keep to together grows with the root of their number."""
        seen = self._kinds.get(kind)
        if seen is None or len(seen.outputs) < ENOUGH:
            return limit
        return min(limit, seen.mean + (seen.most - seen.mean) / sqrt(beside + 1))

    def mean(self, kind: str, limit: float, *, channel: str) -> float:
        """What answers in a channel have."""
        seen, own = self._kinds.get(kind), self._channels.get((kind, channel))
        if seen is None or len(seen.outputs) < FEW:
            return limit
        if own is None:
            return min(limit, seen.mean)
        number = len(own.outputs)
        return min(limit, (own.mean * number + seen.mean * AS_OTHERS) / (number + AS_OTHERS))
