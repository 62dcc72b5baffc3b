"""The real bot twice on one PostgreSQL, between one fake Slack that delivers to either and one fake model."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from storage.engine import Tx
from tests.support.workspace import MANIFEST, Workspace, started

CONNECTIONS = 2  # of each


@dataclass
class TwoBots:
    """Two processes' worth of Parley in one team. Each question is worked on where it arrives."""

    first: Workspace
    second: Workspace
    sockets: tuple[frozenset[str], frozenset[str]]

    @property
    def slack(self) -> FakeSlack:
        return self.first.slack

    @property
    def model(self) -> FakeModel:
        return self.first.model

    def deliver_to(self, bot: Workspace) -> None:
        """Whatever Slack has to deliver from now on arrives there."""
        self.slack.sockets.choose(self.sockets[0 if bot is self.first else 1])

    async def settled(self) -> None:
        """Everything was delivered and nothing is worked on."""
        for bot in (self.first, self.second):
            await bot.quiet()

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        def read(tx: Tx) -> list[dict[str, Any]]:
            return tx.all(sql)

        return await self.first.bot.services.engine.read(read)


@asynccontextmanager
async def two_bots(
    tmp_path: Path,
    *,
    slack: Mapping[str, Any] | None = None,
    model: Mapping[str, Any] | None = None,
    **environ: str,
) -> AsyncIterator[TwoBots]:
    """Both connected; as tests.support.workspace.workspace."""
    async with (
        FakeSlack(**{"manifest": MANIFEST, "rate_limits": False, **(slack or {})}) as fake_slack,
        FakeModel(**(model or {})) as fake_model,
        started(fake_slack, fake_model, tmp_path, **environ) as first,
    ):
        await fake_slack.until(lambda: len(fake_slack.sockets.connections) == CONNECTIONS, 60)
        firsts = frozenset(fake_slack.sockets.connections)
        async with started(fake_slack, fake_model, tmp_path, **environ) as second:
            await fake_slack.until(lambda: len(fake_slack.sockets.connections) == 2 * CONNECTIONS, 60)
            seconds = frozenset(fake_slack.sockets.connections) - firsts
            yield TwoBots(first, second, (firsts, seconds))
