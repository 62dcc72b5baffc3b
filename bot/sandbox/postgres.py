"""A real PostgreSQL to throw away: made, started, killed and deleted in about a second, by any user.

    async with ThrowawayPostgres() as server:
        url = await server.create("team")        # postgresql://postgres@/team?host=/tmp/parley-postgres-…

It ends with the last process that holds it (postgres_files.py), also when that is killed. Nothing is durable
here: it survives the death of processes, not of the machine.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from bot.sandbox.postgres_files import OWNER, ServerFiles, call
from bot.sandbox.postgres_programs import NoPostgres

STARTED_WITHIN_S = 60.0
PORT = 5432  # part of the name of the socket
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "io_method": "sync",  # without processes of its own for it
    "timezone": "UTC",
}


class ThrowawayPostgres:
    """One server, over a Unix socket; `tcp`: also on a free port of 127.0.0.1, with a password.

    `settings`: of postgresql.conf, over those above. NoPostgres where there is none to start.
    """

    def __init__(self, *, tcp: bool = False, **settings: str) -> None:
        self._settings = SETTINGS | settings
        self._password = secrets.token_urlsafe(16)
        self._tcp = tcp
        self._port = _free_port() if tcp else PORT
        self._postmaster: subprocess.Popen[bytes] | None = None
        self._files: ServerFiles | None = None

    async def __aenter__(self) -> ThrowawayPostgres:
        await asyncio.to_thread(self.begin)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.end)

    @property
    def folder(self) -> Path:
        """With its log, its socket and its data. It is gone at the end."""
        return self._made.folder

    @property
    def pid(self) -> int:
        """The postmaster, or 0."""
        return self._postmaster.pid if self._postmaster else 0

    @property
    def url(self) -> str:
        """Of the database that is always there."""
        return self.url_of(OWNER)

    def url_of(self, name: str, *, tcp: bool = False) -> str:
        if tcp:
            login = f"{OWNER}:{self._password}"
            return f"postgresql://{login}@127.0.0.1:{self._port}/{name}"
        return f"postgresql://{OWNER}@/{name}?host={quote(str(self.folder))}&port={self._port}"

    async def create(self, name: str, *, template: str = "template1") -> str:
        """A new database; its URL. Nobody may be in the template meanwhile."""
        await self.run(f'create database "{name}" template "{template}" strategy file_copy')
        return self.url_of(name)

    async def drop(self, name: str) -> None:
        """Also while somebody is in it."""
        await self.run(f'drop database if exists "{name}" with (force)')

    async def run(self, sql: str, *, database: str = OWNER) -> str:
        """What psql prints for it, unaligned."""
        psql = self._made.programs / "psql"
        return await asyncio.to_thread(call, psql, "-XAtqc", sql, self.url_of(database))

    async def start(self) -> None:
        """On the same data, as it was left."""
        await asyncio.to_thread(self._launch)

    async def stop(self) -> None:
        """In good order, without waiting for those who are connected."""
        await asyncio.to_thread(self._end_postmaster, signal.SIGINT)

    def kill(self) -> None:
        """`kill -9` of the postmaster: its other processes notice, and end."""
        self._end_postmaster(signal.SIGKILL)

    def begin(self) -> None:
        """Makes and starts it, for those who have no event loop."""
        self._files = ServerFiles()
        try:
            settings = {
                "unix_socket_directories": str(self.folder),
                "listen_addresses": "127.0.0.1" if self._tcp else "",
                "port": str(self._port),
            }
            self._files.fill(self._password, self._settings | settings)
            self._launch()
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """Stops it at once and deletes its data, whoever else holds it."""
        self._end_postmaster(signal.SIGQUIT)
        self._made.delete()

    @property
    def _made(self) -> ServerFiles:
        assert self._files, "it is not begun"
        return self._files

    def _launch(self) -> None:
        ends_at = time.monotonic() + STARTED_WITHIN_S
        while not self._try_to_launch(ends_at):
            # After a kill -9 the other processes may be there for a moment, and hold the shared memory.
            if time.monotonic() > ends_at:
                raise NoPostgres(f"PostgreSQL does not start: {(self.folder / 'log').read_text()[-2000:]}")
            time.sleep(0.1)

    def _try_to_launch(self, ends_at: float) -> bool:
        with (self.folder / "log").open("ab") as log:
            self._postmaster = subprocess.Popen(  # noqa: S603
                [self._made.reachable / "postgres", "-D", "data"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._made.apart,
            )  # fmt: skip
        while self._postmaster.poll() is None and time.monotonic() < ends_at:
            if self._is_ready():
                return True
            time.sleep(0.02)
        self._end_postmaster(signal.SIGQUIT)
        return False

    def _is_ready(self) -> bool:
        """As pg_ctl finds it out: the last line of the file says so."""
        try:
            lines = (self.folder / "data" / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and int(lines[0]) == self.pid and lines[7].strip() == "ready"

    def _end_postmaster(self, how: signal.Signals) -> None:
        if self._postmaster:
            self._postmaster.send_signal(how)
            self._postmaster.wait()
            self._postmaster = None


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
