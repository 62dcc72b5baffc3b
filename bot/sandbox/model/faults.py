"""Lists what can go wrong with a model API, and decides which fault the next request meets.

How a fault looks to the client is decided in fault_frames.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# kind: what it does, as the page shows it
KINDS: dict[str, str] = {
    "rate_limit": "429 with Retry-After",
    "quota": "429 insufficient_quota",
    "credentials": "401 that repeats part of the key",
    "ended": "404 model_not_found",
    "server_error": "500",
    "overloaded": "503",
    "loading": "503 of a server that restarts and loads its model",
    "context_length": "400 context_length_exceeded",
    "content_policy": "400 content_filter",
    "unsupported": "400 unsupported_parameter naming `value`",
    "timeout": "accepts and never answers",
    "drop": "accepts, then closes without an answer",
    "html": "200 with a web page",
    "reset": "connection reset in mid-answer",
    "eof": "answer ends without a finish reason",
    "stall": "answer stops and the line stays open",
    "error_event": "error event in mid-answer",
    "bad_json": "broken JSON",
    "bad_utf8": "bytes that are not UTF-8",
    "empty_choices": "no choices",
    "empty": "an answer without a word",
    "length": "finish reason length",
    "content_filter": "finish reason content_filter",
    "no_usage": "no usage reported",
    "usage": "usage replaced by `value`",
    "other_model": "answers under the name `value`",
    "slow": "first token after `delay_s`, then `value` tokens a second",
}


@dataclass(slots=True)
class ModelFault:
    """One fault for the next requests that match. `times` 0 means until cleared or until `for_s` is over."""

    kind: str
    endpoint: str = ""  # "" matches every endpoint
    model: str = ""  # likewise
    times: int = 1
    after: int = 0  # requests let through first
    after_chunks: int = 3  # answer chunks sent before it happens, for faults in mid-answer
    retry_after_s: float | None = None
    delay_s: float = 0.0
    for_s: float = 0.0
    value: Any = None
    until: float = field(default=0.0, repr=False)
    hits: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}; known: {', '.join(KINDS)}")


class ModelFaults:
    """The faults in force, oldest first; each request meets at most one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._faults: list[ModelFault] = []

    def add(self, kind: str, **given: Any) -> ModelFault:
        """Put a fault in force; ValueError for a kind not in KINDS."""
        fault = ModelFault(kind, **given)
        if fault.for_s:
            fault.until = self._clock() + fault.for_s
            fault.times = given.get("times", 0)
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        self._faults.clear()

    def take(self, endpoint: str, model: str = "") -> ModelFault | None:
        """The fault this request meets, if any; used up faults are gone."""
        self._faults = [f for f in self._faults if not f.until or f.until > self._clock()]
        for fault in self._faults:
            if fault.endpoint not in ("", endpoint) or fault.model not in ("", model):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.hits += 1
            if fault.times and fault.hits >= fault.times:
                self._faults.remove(fault)
            return fault
        return None

    def active(self) -> list[ModelFault]:
        return list(self._faults)
