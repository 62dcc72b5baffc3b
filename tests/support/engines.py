"""Which engine the running test has, and the URL of its database.

    PARLEY_TEST_ENGINE=postgresql pytest tests/scenarios     # all of them on PostgreSQL

In an ordinary run tests have SQLite; those marked `both_engines` run on both, and with `serializable` on
PostgreSQL once more at that isolation level. Those marked `sqlite_file` are about the file itself.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.postgres import PostgresDatabases

SQLITE, POSTGRESQL = "sqlite", "postgresql"
# PostgreSQL with each transaction as if it were alone: what holds only there looks at something and then acts
# on it without a lock. All tests on it: PARLEY_TEST_ENGINE=serializable
SERIALIZABLE = "serializable"
CHOSEN = os.environ.get("PARLEY_TEST_ENGINE", SQLITE)


class Engines:
    """What this process runs its tests on."""

    def __init__(self) -> None:
        self._server: PostgresDatabases | None = None
        self.databases: PostgresDatabases | None = None  # of the running test; None: files

    @contextmanager
    def running(self, engine: str, shared: Path) -> Iterator[None]:
        if engine == SQLITE:
            yield
            return
        self.databases = self._server = self._server or _databases(shared)
        self.databases.isolation = SERIALIZABLE if engine == SERIALIZABLE else ""
        try:
            yield
        finally:
            self.databases.drop()
            self.databases = None


def _databases(shared: Path) -> PostgresDatabases:
    try:
        from tests.support.postgres import PostgresDatabases, TestServer
    except ImportError as exc:
        pytest.skip(f"PostgreSQL needs the extra `postgres` ({exc.name} is missing)")
    return PostgresDatabases(TestServer(shared))


ENGINES = Engines()


def running_engine() -> str:
    return POSTGRESQL if ENGINES.databases else SQLITE


def database_url(file: Path) -> str:
    """The URL of the database that would be in this file: of that file, or of one on the server."""
    return ENGINES.databases.url(file) if ENGINES.databases else f"sqlite:///{file}"


def keep_database(file: Path) -> None:
    """It is not dropped after the test that made it: later ones begin with a copy."""
    if ENGINES.databases:
        ENGINES.databases.keep(file)


def copy_database(kept: Path, file: Path) -> None:
    """Nobody may have it open."""
    if ENGINES.databases:
        ENGINES.databases.copy(kept, file)
    else:
        shutil.copy(kept, file)


def engine_of(item: pytest.Item) -> str:
    """The engine a collected test runs on."""
    callspec = getattr(item, "callspec", None)
    return str(callspec.params.get("database_engine", CHOSEN)) if callspec else CHOSEN


def both_engines(metafunc: pytest.Metafunc) -> None:
    """Has a test that is marked so run once on each; where one was chosen, on that alone."""
    marked = metafunc.definition.get_closest_marker
    if CHOSEN == SQLITE and marked("both_engines") and not marked("sqlite_file"):
        engines = [SQLITE, POSTGRESQL, *([SERIALIZABLE] if marked("serializable") else [])]
        metafunc.parametrize("database_engine", engines, indirect=True)


@pytest.fixture(autouse=True)
def database_engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The engine's name. The databases of the test are dropped after it."""
    engine = str(getattr(request, "param", CHOSEN))
    if engine != SQLITE and request.node.get_closest_marker("sqlite_file"):
        pytest.skip("it is about the SQLite file")
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    with ENGINES.running(engine, shared):
        yield engine
