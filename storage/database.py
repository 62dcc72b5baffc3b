"""Opens the database that a URL names. What an engine is stands in storage/engine.py."""

from __future__ import annotations

import asyncio
import os
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from bot.core.errors import Busy, SetupError
from storage.engine import Engine
from storage.sqlite.engine import SqliteEngine

POSTGRES = ("postgresql", "postgres")


def open_engine(
    url: str, *, read_only: bool = False, must_exist: bool = False
) -> AbstractAsyncContextManager[Engine]:
    """The engine for a database URL: `sqlite:///relative.db`, `sqlite:////absolute.db` or
    `postgresql://user:password@host/database`.

    `read_only` looks at it beside a running bot; without it, InUse is raised while another process has the
    file. Any number of processes may have a PostgreSQL database. `must_exist`: nothing is made where there is
    none. SetupError says what an operator has to change.
    """
    scheme, _, path = url.partition(":")  # what follows another scheme may hold a password: it is not told
    if is_shared(url):
        return _postgres(url, read_only=read_only, must_exist=must_exist)
    if scheme != "sqlite" or not path.startswith("///"):
        advice = "use sqlite:///parley.db, or postgresql://…"
        raise SetupError([f"PARLEY_DATABASE: {scheme} is not supported; {advice}"])
    path = path.removeprefix("///")
    if not path or path == ":memory:":
        raise SetupError(["PARLEY_DATABASE: names no file; use sqlite:///parley.db"])
    return SqliteEngine(Path(path), read_only=read_only, must_exist=must_exist)


def is_shared(url: str) -> bool:
    """Whether other processes may be at work on the database of a URL."""
    return url.partition(":")[0] in POSTGRES


async def check_database(url: str) -> list[str]:
    """What is wrong with the database of a URL, in words; none at all is in order before the first start."""
    if is_shared(url):
        return await _check_postgres(url)
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not path.exists():
        writable = os.access(path.absolute().parent, os.W_OK)
        return [] if writable else [f"database {path}: cannot be made there"]
    async with open_engine(url, read_only=True) as engine:
        return [f"database {path}: {line}" for line in await engine.check()]


async def _check_postgres(url: str) -> list[str]:
    try:
        from storage.postgres.moved import name_database
        from storage.postgres.requirements import check_server
    except ImportError as exc:
        raise _without_extra(exc) from exc
    name = name_database(url)
    try:
        return [f"database {name}: {line}" for line in await asyncio.to_thread(check_server, url, name)]
    except Busy as exc:
        return [f"database {name}: {exc}"]


def _without_extra(exc: ImportError) -> SetupError:
    return SetupError([f"PARLEY_DATABASE: PostgreSQL needs the extra `postgres` ({exc.name} is missing)"])


def _postgres(url: str, *, read_only: bool, must_exist: bool) -> AbstractAsyncContextManager[Engine]:
    try:
        from storage.postgres.engine import PostgresEngine  # needs what is installed with the extra
    except ImportError as exc:
        raise _without_extra(exc) from exc
    return PostgresEngine(url, read_only=read_only, must_exist=must_exist)
