"""What opens a file is forked from a process that has imported all for it, which costs more than the work.

It takes on its limits as it does anywhere. Tests about the process itself ask for `started_by_itself`.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from tests.support.forked import CAN_FORK, start_limited
from tests.support.forking import LIMITED

by_itself = asyncio.create_subprocess_exec
COMMAND = (sys.executable, "-P", "-m", "bot.core.limited_child")


async def start(*command: Any, **how: Any) -> Any:
    """asyncio.create_subprocess_exec, which is the way to start one."""
    if command[:4] != COMMAND or command[4] not in LIMITED:
        return await by_itself(*command, **how)
    files = {name: how[name] for name in ("stdin", "env", "limit")}
    return start_limited(*command[4:], **files)


if CAN_FORK:
    asyncio.create_subprocess_exec = start


@pytest.fixture
def started_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process is started as where no test runs."""
    monkeypatch.setattr(asyncio, "create_subprocess_exec", by_itself)
