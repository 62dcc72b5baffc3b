"""A workspace whose usage page is open to browsers, and the link to it."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from handlers.costs import blocks
from tests.support.spending import run_command, spend
from tests.support.workspace import Workspace, workspace


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@asynccontextmanager
async def open_to_browsers(tmp_path: Path, *, spent: bool = True, **environ: str) -> AsyncIterator[Workspace]:
    """Bob and Carol share #general; the private #leads is Alice's and Bob's."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with workspace(tmp_path, PORT=str(port), PARLEY_PUBLIC_URL=url, **environ) as team:
        if spent:
            await spend(team, "#general", "bob", 2)
            await spend(team, "#general", "carol", 1, kind="transcription")
            await spend(team, "#leads", "bob", 8)
        yield team


async def link(team: Workspace, user: str) -> str:
    """The address behind the button that somebody is shown."""
    shown = await run_command(team, user, "usage month by channel")
    (button,) = [
        element
        for block in shown["blocks"]
        for element in block.get("elements", ())
        if element.get("action_id") == blocks.OPEN_PAGE
    ]
    return str(button["url"])
