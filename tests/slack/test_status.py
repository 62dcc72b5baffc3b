"""That somebody is at work is shown only where it can be taken back, whatever becomes of this process."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handlers.slack.pacing import Pacing
from handlers.slack.status import Session, SessionEnds
from tests.support.virtual_time import now, run


class Slack:
    """Takes every status."""

    def __init__(self) -> None:
        self.pacing = Pacing(20, now)
        self.shown: list[str] = []

    async def send(self, method: str, **arguments: Any) -> dict[str, Any]:
        self.shown.append(arguments["status"])
        return {}


@pytest.mark.parametrize(
    ("left_open", "writes", "shown"),
    [
        (False, True, ["processing", "active"]),
        (False, False, []),
        (True, False, ["active"]),  # what was shown before is taken back all the same
    ],
)
def test_what_cannot_be_written_down_is_not_shown(left_open: bool, writes: bool, shown: list[str]) -> None:
    async def story() -> list[str]:
        slack = Slack()

        async def note(_: bool) -> bool:
            return writes

        session = Session(
            slack,  # type: ignore[arg-type]
            SessionEnds(slack),  # type: ignore[arg-type]
            "C",
            "1.0",
            left_open=left_open,
            note=note,
        )
        session.begin()
        await asyncio.sleep(5)
        await session.end()
        return slack.shown

    assert run(story()) == shown
