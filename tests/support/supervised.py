"""The real bot as a process that is started again whenever it dies, as an orchestrator would do it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from tests.support.forked import DEVNULL, Process, start_module
from tests.support.workspace import environment

LAG_S = 0.3  # behind the fake's own: what a dying process sent is there by then


@dataclass
class Supervised:
    """A bot that is started again whenever it dies; its first lives end at the kill points, one each."""

    environ: dict[str, str]
    kill_points: list[str]
    lives: int = 0
    process: Process | None = None
    exits: list[int] = field(default_factory=list)

    async def run(self) -> None:
        while True:
            self.lives += 1
            point = self.kill_points.pop(0) if self.kill_points else ""
            environ = {**os.environ, **self.environ, "PARLEY_KILL_AT": point}
            self.process = await start_module(
                "tests.support.killed_bot", "serve", env=environ, stdout=DEVNULL
            )
            self.exits.append(await self.process.wait())

    def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)

    async def end(self) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
        return await self.process.wait()


@asynccontextmanager
async def supervised(
    slack: FakeSlack, model: FakeModel, tmp_path: Path, *, kill_at: Sequence[str] = (), **environ: str
) -> AsyncIterator[Supervised]:
    lag = {"PARLEY_HISTORY_LAG_S": str(slack.history_lag_s + LAG_S)}
    bot = Supervised(environment(slack, model, tmp_path) | lag | environ, list(kill_at))
    keeper = asyncio.create_task(bot.run())
    try:
        yield bot
    finally:
        keeper.cancel()
        await asyncio.wait([keeper])
        if bot.process is not None and bot.process.returncode is None:
            bot.process.kill()
            await bot.process.wait()
