"""What is asked of a model, and how often: whoever waits is overtaken by some of what comes later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from heapq import heapify, heapreplace
from math import exp

from bot.provider.waiting_line import BACKGROUND, PEOPLE, Path

LASTS_S = 600.0  # after so long a request weighs a third in how often such are expected
LEAST_S = 120.0  # what was seen for less is taken to have come in so long
MOST_APART_S = 1800.0  # what comes less often is not expected
KEPT_S = 3600.0  # so long after somebody asked last
SPREAD = 0.618  # golden section: no two of those expected come together


@dataclass(frozen=True, slots=True)
class Ask:
    """What wants to go out. `limit_tokens`: the longest answer it allows."""

    channel: str
    person: str
    kind: str
    prompt_tokens: float
    limit_tokens: float
    background: bool = False

    @property
    def path(self) -> Path:
        return (BACKGROUND if self.background else PEOPLE, self.channel, self.person)


@dataclass(slots=True)
class _Seen:
    ask: Ask
    count: float
    at: float

    def count_at(self, now: float) -> float:
        return self.count * exp((self.at - now) / LASTS_S)


class Arrivals:
    """Of one line, by who asks."""

    def __init__(self, now: float) -> None:
        self._began = now
        self._seen: dict[Path, _Seen] = {}  # who asked last is the last one

    def __len__(self) -> int:
        """How many people in channels are known to ask."""
        return len(self._seen)

    def note(self, ask: Ask, now: float) -> None:
        while self._seen and next(iter(self._seen.values())).at < now - KEPT_S:
            del self._seen[next(iter(self._seen))]
        seen = self._seen.pop(ask.path, None)
        if seen is None:
            self._seen[ask.path] = _Seen(ask, 1.0, now)
            return
        count = seen.count_at(now) + 1
        prompt = seen.ask.prompt_tokens + (ask.prompt_tokens - seen.ask.prompt_tokens) / count
        limit = seen.ask.limit_tokens + (ask.limit_tokens - seen.ask.limit_tokens) / count
        self._seen[ask.path] = _Seen(replace(ask, prompt_tokens=prompt, limit_tokens=limit), count, now)

    def expected(self, now: float) -> Iterator[tuple[float, Ask]]:
        """What comes from now on if everybody goes on as before, and when: without end."""
        known_s = max(LEAST_S, LASTS_S * (1 - exp((self._began - now) / LASTS_S)))
        coming = list[tuple[float, int, float, Ask]]()
        for number, (path, seen) in enumerate(list(self._seen.items())):
            apart_s = known_s / seen.count_at(now)
            if apart_s > MOST_APART_S:
                del self._seen[path]
            else:
                coming.append((now + apart_s * ((number + 1) * SPREAD % 1), number, apart_s, seen.ask))
        heapify(coming)
        while coming:
            at, number, apart_s, ask = coming[0]
            yield at, ask
            heapreplace(coming, (at + apart_s, number, apart_s, ask))
