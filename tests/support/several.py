"""Several processes of the real bot on one PostgreSQL, each started again whenever it dies."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.core.ids import read_message
from bot.sandbox.model.server import FakeModel
from bot.sandbox.postgres import ThrowawayPostgres
from bot.sandbox.slack.server import FakeSlack
from tests.support.promises import Books, accepted, books
from tests.support.rows import read_rows
from tests.support.standby import PRIMARY, Standby, standby_of
from tests.support.supervised import Supervised, supervised

NAME = "parley"
BACKENDS_AT_ONCE = 3  # of about fourteen that each process has


@dataclass
class Several:
    """The processes, and the server under them, which is theirs alone."""

    server: ThrowawayPostgres
    url: str
    bots: list[Supervised]
    standby: Standby | None = None

    def rows(self, sql: str) -> list[tuple[object, ...]]:
        return read_rows(self.url, sql)

    def books(self, slack: FakeSlack) -> Books:
        from tests.support.statements import open_statements

        with open_statements(self.url) as tx:
            return books(tx, accepted(slack))

    def order(self) -> dict[str, int]:
        """Posts as they were written down, by their ts."""
        found = self.rows("select key, seq from inbox where kind = 'message'")
        return {read_message(str(key)): int(str(seq)) for key, seq in found}

    def workers(self) -> dict[int, int]:
        """The ids of the processes on the list, by their numbers."""
        found = self.rows("select id, process from workers order by id")
        return {int(str(id)): int(str(process).rpartition(":")[2]) for id, process in found}

    def find(self, worker: int) -> Supervised:
        """The bot that has this number now."""
        pid = self.workers()[worker]
        return next(bot for bot in self.bots if bot.process and bot.process.pid == pid)

    async def kill_backends(self) -> None:
        """Some sessions of ours end in the middle of whatever they do."""
        await self.server.run(
            "select pg_terminate_backend(pid) from (select pid from pg_stat_activity"
            f" where application_name like 'parley%' order by random() limit {BACKENDS_AT_ONCE}) ours",
            database=NAME,
        )

    async def kill_server(self) -> None:
        """`kill -9` of the whole server, which is started again on what it had written down."""
        self.server.kill()
        await self.server.start()

    async def fail_over(self) -> None:
        """The server dies for good, and its standby takes its place."""
        assert self.standby is not None
        self.server.kill()
        await self.standby.take_over()


@asynccontextmanager
async def several(
    slack: FakeSlack,
    model: FakeModel,
    tmp_path: Path,
    count: int,
    *,
    with_standby: bool = False,
    **environ: str,
) -> AsyncIterator[Several]:
    """So many, all connected."""
    async with AsyncExitStack() as stack:
        # What was committed has to be there after a kill of the server: the system's cache outlives it.
        settings = PRIMARY if with_standby else {"synchronous_commit": "on"}
        server = await stack.enter_async_context(ThrowawayPostgres(**settings))
        url, standby = await server.create(NAME), None
        if with_standby:
            standby = await stack.enter_async_context(standby_of(server))
            url = standby.url(NAME)
        given = {"PARLEY_DATABASE": url, "PARLEY_LOG_LEVEL": "ERROR"} | environ
        bots = [
            await stack.enter_async_context(supervised(slack, model, tmp_path, **given)) for _ in range(count)
        ]
        await slack.until(lambda: len(slack.sockets.connections) >= count, 150)
        yield Several(server, url, bots, standby)


def exits(bots: Sequence[Supervised]) -> Counter[int]:
    """With what status their lives ended."""
    return Counter(status for bot in bots for status in bot.exits)


async def disturb(team: Several, dice: random.Random, *, server_too: bool) -> None:
    """A session or the server itself ends."""
    if server_too and dice.random() < 0.25:
        await team.kill_server()
    else:
        await team.kill_backends()
