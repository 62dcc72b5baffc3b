"""A second PostgreSQL that has all that the first one commits, and takes its place."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote, urlencode

from bot.sandbox.postgres import PORT, STARTED_WITHIN_S, ThrowawayPostgres
from bot.sandbox.postgres_files import OWNER, ServerFiles, call

# What the first one needs to have a second.
PRIMARY = {"wal_level": "replica", "max_wal_senders": "4", "synchronous_commit": "on"}


class Standby:
    """Follows `primary`; a commit there is answered when it stands here as well."""

    def __init__(self, primary: ThrowawayPostgres) -> None:
        self._primary = primary
        self._files = ServerFiles()
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, name: str) -> str:
        """Names both servers: whoever connects gets the one that can be written to."""
        hosts = f"{self._primary.folder},{self._files.folder}"
        query = urlencode({"host": hosts, "port": f"{PORT},{PORT}", "target_session_attrs": "read-write"})
        return f"postgresql://{OWNER}@/{name}?{query}"

    async def begin(self) -> None:
        await asyncio.to_thread(self._copy_and_start)
        await self._primary.run("alter system set synchronous_standby_names = '*'")
        await self._primary.run("select pg_reload_conf()")
        following = "select count(*) from pg_stat_replication where sync_state = 'sync'"
        while await self._primary.run(following) != "1":  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    async def take_over(self) -> None:
        """The primary is dead: from now on this one is written to."""
        await asyncio.to_thread(self._ask, "select pg_promote(true, 30)")

    def end(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
        self._files.delete()

    def _copy_and_start(self) -> None:
        files = self._files
        source = f"postgresql://{OWNER}@/?host={quote(str(self._primary.folder))}&port={PORT}"
        call(
            files.programs / "pg_basebackup", "-D", "data", "-d", source, "-R", "-X", "stream",
            "-c", "fast", "--no-sync", **files.apart,
        )  # fmt: skip
        conf = files.data / "postgresql.auto.conf"
        conf.write_text(conf.read_text() + f"unix_socket_directories = '{files.folder}'\n")
        with (files.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [files.programs / "postgres", "-D", "data"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, **files.apart,
            )  # fmt: skip
        ends_at = time.monotonic() + STARTED_WITHIN_S
        while not (files.folder / f".s.PGSQL.{PORT}").exists() and time.monotonic() < ends_at:
            time.sleep(0.05)

    def _ask(self, sql: str) -> str:
        url = f"postgresql://{OWNER}@/{OWNER}?host={quote(str(self._files.folder))}&port={PORT}"
        return call(self._files.programs / "psql", "-XAtqc", sql, url)


@asynccontextmanager
async def standby_of(primary: ThrowawayPostgres) -> AsyncIterator[Standby]:
    standby = Standby(primary)
    try:
        await standby.begin()
        yield standby
    finally:
        standby.end()
