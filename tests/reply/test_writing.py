"""A post is written down as sent when it is its turn, and not while it waits for that."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from bot.core.values import Conversation, Incoming
from handlers.reply.bodies import Bodies
from handlers.reply.progress import Untracked
from handlers.reply.writing import ReplyWriter
from handlers.slack.pacing import Pacing
from handlers.slack.status import StatusLine
from tests.support.virtual_time import now, run

ASKED = Incoming("k", Conversation("T", "C", "1.0"), "U", "1.0", "hello", datetime.now(UTC))


class Slack:
    """Takes every post at once."""

    def __init__(self) -> None:
        self.pacing = Pacing(20, now)
        self.sent: list[float] = []

    async def send(self, method: str, **arguments: Any) -> dict[str, Any]:
        self.sent.append(now())
        return {"ts": f"{1_800_000_000 + now():.6f}"}


class Noted(Untracked):
    """When it was written down that something is sent."""

    def __init__(self, times: list[float]) -> None:
        super().__init__([])
        self._times = times

    async def note_sending(self) -> None:
        self._times.append(now())


def test_what_waits_for_its_turn_is_not_written_down_as_sent() -> None:
    async def story() -> tuple[list[float], list[float]]:
        slack, noted = Slack(), list[float]()

        async def post(id: str) -> None:
            bodies = Bodies(id)
            line = StatusLine(slack, "C", "1.0")  # type: ignore[arg-type]
            writer = ReplyWriter(slack, ASKED, bodies, Noted(noted), line)  # type: ignore[arg-type]
            await writer.post(bodies.make("hello", [])[0])

        await asyncio.gather(*map(post, "abc"))
        return noted, slack.sent

    noted, sent = run(story())
    assert all(abs(a - b) < 0.01 for a, b in zip(noted, sent, strict=True))
    assert sent[-1] > 1.9
