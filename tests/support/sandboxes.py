"""The sandbox in tests: its environment, its bot without waiting for imports, the answer under a message."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

from bot.sandbox.bot_process import BOT
from bot.sandbox.run import Sandbox, sandbox
from tests.support.forked import Process, start_module
from tests.support.workspace import MANIFEST

HERE = {"PATH": os.environ["PATH"]}


def forked_sandbox(
    environ: Mapping[str, str] = HERE, *, with_scene: bool = False, processes: int = 1
) -> AbstractAsyncContextManager[Sandbox]:
    """The sandbox, whose bots are forked from a process that has imported everything."""
    return sandbox(MANIFEST, environ=environ, create=start_forked, with_scene=with_scene, processes=processes)


async def start_forked(
    *command: str, env: Mapping[str, str], stdout: Any, stderr: Any, **as_plain: Any
) -> Process:
    assert command == BOT
    return await start_module("bot", "serve", env=env, stdout=stdout, stderr=stderr)


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
