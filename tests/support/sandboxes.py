"""The sandbox's environment in tests, and the answer under a message in it."""

from __future__ import annotations

import os
from typing import Any

from bot.sandbox.run import Sandbox

HERE = {"PATH": os.environ["PATH"]}


async def answered(
    running: Sandbox, ts: str, channel: str = "#general", timeout_s: float = 60
) -> dict[str, Any]:
    """The app's finished reply under a message."""
    slack = running.slack

    def reply() -> Any:
        said = [m for m in slack.thread(channel, ts)[1:] if m.get("bot_id") and not m.get("streaming")]
        return said[-1] if said and running.slack.workspace.streams == {} else None

    found: dict[str, Any] = await slack.until(reply, timeout_s)
    return found
