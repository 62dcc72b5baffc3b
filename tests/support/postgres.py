"""The PostgreSQL of a test run: one server for all workers, a template with our tables, a database per test.

The server is TEST_DATABASE_URL where that is given, else a throw-away one: the first worker that needs it
starts it, each that uses it holds it, and it ends with the last of them (bot/sandbox/postgres_files.py).
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from bot.sandbox.postgres import ThrowawayPostgres
from bot.sandbox.postgres_files import hold
from bot.sandbox.postgres_programs import NoPostgres
from storage.postgres.connections import connect
from storage.postgres.migrations import PREAMBLE, TYPES, migrate
from storage.postgres.signs import TABLE, keep_signs
from storage.schema import STEPS

GIVEN = "TEST_DATABASE_URL"
_started: list[ThrowawayPostgres] = []  # what this process began lasts as long as it


class TestServer:
    """What a worker uses: the server's URL, and a connection that makes and drops databases."""

    __test__ = False

    def __init__(self, shared: Path) -> None:
        """`shared`: a folder that all workers of the run have in common. Skips where there is no server."""
        with _locked(shared / "postgres.lock"):
            self.url = os.environ.get(GIVEN) or _running(shared / "postgres.json") or self._begin(shared)
            self._conn = psycopg.connect(self.url, autocommit=True)
            self._template = f"parley_template_{_schema_digest()}"
            if not self._exists(self._template):
                self._make_template()

    def create(self, template: str = "") -> str:
        """The name of a new database with all of our tables, or a copy of one that nobody is in."""
        name, template = f"parley_test_{secrets.token_hex(6)}", template or self._template
        self._conn.execute(f'create database "{name}" template "{template}" strategy file_copy')
        return name

    def drop(self, name: str) -> None:
        self._conn.execute(f'drop database if exists "{name}" with (force)')

    def url_of(self, name: str) -> str:
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def _begin(self, shared: Path) -> str:
        server = ThrowawayPostgres()
        try:
            server.begin()
        except NoPostgres as exc:
            pytest.skip(str(exc))
        _started.append(server)
        (shared / "postgres.json").write_text(json.dumps([str(server.folder), server.url]))
        return server.url

    def _exists(self, name: str) -> bool:
        return bool(self._conn.execute("select 1 from pg_database where datname = %s", [name]).fetchone())

    def _make_template(self) -> None:
        """Under its name only once it is whole; who makes it at the same moment, elsewhere, is no harm."""
        begun = f"{self._template}_{secrets.token_hex(4)}"
        self._conn.execute(f'create database "{begun}" template template0')
        with connect(self.url_of(begun)) as conn:
            conn.autocommit = True
            migrate(conn)
            keep_signs(conn, begun)
        with suppress(psycopg.errors.DuplicateDatabase):
            self._conn.execute(f'alter database "{begun}" rename to "{self._template}"')


class PostgresDatabases:
    """The databases of the running test, each made when it is first asked for by the name of a file."""

    def __init__(self, server: TestServer) -> None:
        self._server = server
        self.isolation = ""
        self._names: dict[Path, str] = {}
        self._kept: dict[Path, str] = {}

    def url(self, file: Path) -> str:
        """Of one file; with `isolation` for those who open it."""
        if file not in self._names:
            self._names[file] = self._server.create()
        url = self._server.url_of(self._names[file])
        if not self.isolation:
            return url
        given = f"options=-c%20default_transaction_isolation%3D{self.isolation}"
        return f"{url}{'&' if urlsplit(url).query else '?'}{given}"

    def keep(self, file: Path) -> None:
        """Its database is there for later tests of this worker."""
        self._kept[file] = self._names.pop(file)
        atexit.register(self._server.drop, self._kept[file])

    def copy(self, kept: Path, file: Path) -> None:
        self._names[file] = self._server.create(self._kept[kept])

    def drop(self) -> None:
        for name in self._names.values():
            self._server.drop(name)
        self._names.clear()


def _running(noted: Path) -> str | None:
    """The server that another worker has begun, held by us too."""
    try:
        folder, url = json.loads(noted.read_text())
    except OSError:
        return None
    return url if hold(Path(folder)) is not None else None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _schema_digest() -> str:
    return hashlib.sha256(repr((PREAMBLE, sorted(TYPES.items()), STEPS, TABLE)).encode()).hexdigest()[:12]
