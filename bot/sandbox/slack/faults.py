"""Makes faults on order: what Slack answers, loses or delivers wrongly, a few times or for a while.

Two kinds: a `SlackFault` on a Web API method (or a file host), a `DeliveryFault` on what is pushed to the
app. Dropping, freezing and refreshing sockets are acts, not faults, and are in delivery/socket.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from bot.sandbox.slack import codes


@dataclass(slots=True)
class SlackFault:
    """One order for a method, or for all that a pattern names ("*", "chat.*"); "files.download" and
    "files.upload" are the file hosts.

    accepted: the request is carried out first, and only then answered with the fault.
    lose_response: carried out, then the connection is reset. delay_s passes before anything happens,
    hold_s after the request was carried out. retry_after_s None: no header; a str is sent as it is (junk).
    times 0: until it is cleared, or its time is over.
    """

    method: str
    status: int = 200
    error: str = ""
    html: bool = False
    retry_after_s: float | str | None = None
    times: int = 1
    after: int = 0
    accepted: bool = False
    lose_response: bool = False
    delay_s: float = 0.0
    hold_s: float = 0.0
    until: float = 0.0  # clock time at which the order ends; 0: never
    where: Mapping[str, Any] | None = None  # arguments that have to be equal, e.g. {"channel": "C1"}
    location: str = ""  # for redirects of the file host

    @property
    def answers(self) -> bool:
        """Whether the client gets the fault instead of Slack's own answer."""
        return bool(self.error or self.html or self.status != 200)

    def describe(self, now: float) -> str:
        what = (self.error or str(self.status)) if self.answers else "the answer is lost"
        left = f"for {self.until - now:.0f} s" if self.until else _describe_times(self.times)
        return f"{self.method}: {what}, {left}"


@dataclass(slots=True)
class DeliveryFault:
    """One order for deliveries whose kind or event type is `match` ("*": all).

    copies: how many more times it is sent at once. delay_s: it is sent that much later, so that others
    overtake it. lose_acks: so many of its acknowledgements are not heard. drop: never sent at all.
    """

    match: str = "*"
    times: int = 1
    after: int = 0
    copies: int = 0
    delay_s: float = 0.0
    lose_acks: int = 0
    drop: bool = False

    def describe(self) -> str:
        kinds = {"twice": self.copies, "late": self.delay_s, "ack lost": self.lose_acks, "never": self.drop}
        how = ", ".join(kind for kind, given in kinds.items() if given)
        return f"{self.match}: delivered {how}, {_describe_times(self.times)}"


class SlackFaults:
    """The orders that are still open, taken in the order in which they were given."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.methods: list[SlackFault] = []
        self.deliveries: list[DeliveryFault] = []

    def add(self, method: str, *, for_s: float = 0.0, **order: Any) -> SlackFault:
        """Order a `SlackFault`; with for_s it holds that long instead of for a number of times."""
        if for_s:
            order = {"times": 0, "until": self._clock() + for_s} | order
        if order.get("status") == 429:
            order.setdefault("error", codes.RATELIMITED)
        fault = SlackFault(method, **order)
        self.methods.append(fault)
        return fault

    def deliver(self, match: str = "*", **order: Any) -> DeliveryFault:
        """Order a `DeliveryFault`."""
        fault = DeliveryFault(match, **order)
        self.deliveries.append(fault)
        return fault

    def clear(self) -> None:
        self.methods.clear()
        self.deliveries.clear()

    def open(self) -> list[str]:
        """The orders that are not used up, in words."""
        now = self._clock()
        methods = [f for f in self.methods if not f.until or f.until > now]
        return [f.describe(now) for f in methods] + [f.describe() for f in self.deliveries]

    def take(self, method: str, arguments: Mapping[str, Any]) -> SlackFault | None:
        """The fault this request meets, if any; used up by taking it."""
        for fault in self.methods:
            if not fnmatchcase(method, fault.method) or not _matches(fault.where, arguments):
                continue
            if fault.until and self._clock() >= fault.until:
                self.methods.remove(fault)
                return self.take(method, arguments)
            return fault if self._use(self.methods, fault) else None
        return None

    def take_delivery(self, *names: str) -> DeliveryFault | None:
        """The fault this delivery (its kind, its event type) meets, if any; used up by taking it."""
        for fault in self.deliveries:
            if fault.match == "*" or fault.match in names:
                return fault if self._use(self.deliveries, fault) else None
        return None

    @staticmethod
    def _use(orders: list[Any], fault: Any) -> bool:
        if fault.after > 0:
            fault.after -= 1
            return False
        if fault.times == 1:
            orders.remove(fault)
        fault.times = max(fault.times - 1, 0)
        return True


def _matches(where: Mapping[str, Any] | None, arguments: Mapping[str, Any]) -> bool:
    return not where or all(arguments.get(name) == value for name, value in where.items())


def _describe_times(times: int) -> str:
    return f"{times} more" if times else "until it is cleared"
