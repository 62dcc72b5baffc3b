"""Keeps requests and deliveries, for tests and the side panel, and waits for either.

The lists are rings, so that a long run does not grow; the counters never forget. Nothing is copied.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SlackRequest:
    """One Web API request as it arrived, and what was answered. `status` 0: the answer was lost."""

    method: str
    arguments: dict[str, Any]
    at: float
    status: int
    response: dict[str, Any]
    team: str = ""

    @property
    def ok(self) -> bool:
        return bool(self.response.get("ok"))

    @property
    def error(self) -> str:
        return str(self.response.get("error", ""))


@dataclass(slots=True)
class DeliveryAttempt:
    """One try to deliver. outcome: waiting, acked, or why it failed (Slack's retry reasons)."""

    number: int  # 0 is the first, 1 … 3 are retries
    at: float
    reason: str = ""  # why it was tried again
    via: str = ""  # "http" or the connection's id
    outcome: str = "waiting"


@dataclass(slots=True)
class Delivery:
    """One thing Slack pushes to the app. kind: events_api, slash_commands or interactive."""

    kind: str
    payload: dict[str, Any]
    team: str
    at: float
    attempts: list[DeliveryAttempt] = field(default_factory=list)
    acked_after_s: float | None = None  # from the start of the attempt that was acknowledged
    response: dict[str, Any] = field(default_factory=dict)  # what came with the acknowledgement
    lose_acks: int = 0
    over: bool = False  # acknowledged, or given up
    id: int = 0
    waiter: asyncio.Future[None] | None = None

    @property
    def acked(self) -> bool:
        return self.acked_after_s is not None

    @property
    def name(self) -> str:
        """The event's type, the command, or the type of the interaction."""
        event = self.payload.get("event")
        if event:
            return str(event["type"])
        return str(self.payload.get("command") or self.payload.get("type"))

    async def wait_finished(self) -> Delivery:
        """Itself, once it is acknowledged or given up."""
        if not self.over:
            self.waiter = self.waiter or asyncio.get_running_loop().create_future()
            await asyncio.shield(self.waiter)
        return self

    def finish(self) -> None:
        self.over = True
        if self.waiter and not self.waiter.done():
            self.waiter.set_result(None)


class Record:
    """Rings of requests and deliveries with counters, and `until`, which waits for a state of things."""

    def __init__(self, ring: int, *, keeping: bool) -> None:
        self.keeping = keeping  # False: only the counters go on
        self.requests: deque[SlackRequest] = deque(maxlen=ring)
        self.deliveries: deque[Delivery] = deque(maxlen=ring)
        self.counts: Counter[str] = Counter()  # by method, "method:error", delivery kind and outcome
        self.refused: Counter[str] = Counter()  # by method: answered with 429
        self._deliveries = 0
        self._watchers: set[asyncio.Event] = set()

    def request(self, request: SlackRequest) -> None:
        self.counts[request.method] += 1
        if not request.ok:
            self.counts[f"{request.method}:{request.error or request.status}"] += 1
        if request.status == 429:
            self.refused[request.method] += 1
        if self.keeping:
            self.requests.append(request)
        self.notify()

    def delivery(self, delivery: Delivery) -> None:
        delivery.id = self._deliveries = self._deliveries + 1
        self.counts[delivery.kind] += 1
        if self.keeping:
            self.deliveries.append(delivery)

    def clear(self) -> None:
        self.requests.clear()
        self.deliveries.clear()
        self.counts.clear()
        self.refused.clear()

    def notify(self) -> None:
        for event in self._watchers:
            event.set()

    async def until(self, predicate: Callable[[], T], timeout_s: float = 60.0) -> T:
        """The first truthy value of `predicate`, asked again whenever something happens; TimeoutError."""
        event = asyncio.Event()
        self._watchers.add(event)
        try:
            async with asyncio.timeout(timeout_s):
                while not (value := predicate()):
                    event.clear()
                    await self._wait_for_change(event)
                return value
        finally:
            self._watchers.discard(event)

    @staticmethod
    async def _wait_for_change(event: asyncio.Event) -> None:
        # The predicate may look at something outside, so ask again now and then without news.
        try:
            async with asyncio.timeout(0.05):
                await event.wait()
        except TimeoutError:
            return
