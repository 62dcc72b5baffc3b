"""What whoever waits for a limit of Slack's may know of the question that it is for: when it was asked, and
how its place in the queue is given away meanwhile.

bot/conversation/service.py says so of the question it works on; handlers/slack/pacing.py asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass

ForAsLong = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class OnBehalf:
    """`aside` is entered while it is waited. `asked_at`: unix seconds; None where nobody asked anything."""

    aside: ForAsLong = nullcontext
    asked_at: float | None = None


NOBODYS = OnBehalf()
_current: ContextVar[OnBehalf] = ContextVar("on_behalf", default=NOBODYS)


def find_question() -> OnBehalf:
    return _current.get()


@contextmanager
def waiting_for(asked_at: float, aside: ForAsLong) -> Iterator[None]:
    """Whatever is waited for within this is waited for on behalf of one question."""
    token = _current.set(OnBehalf(aside, asked_at))
    try:
        yield
    finally:
        _current.reset(token)
