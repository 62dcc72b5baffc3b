"""The database file: opened, locked, migrated, checked, copied. What runs on it is storage/sqlite/engine.py.

Only one process may have the file: a lock file beside it is held, and remembers that a database was here, so
that an empty or vanished file is not silently begun anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import IO

from bot.core.errors import InUse, SetupError, StorageError
from storage.schema import STEPS
from storage.sqlite.full_text import FULL_TEXT
from storage.sqlite.library import Database, Migrations

BUSY_TIMEOUT_S = 10.0
CHECKED_AT_START_BYTES = 64 << 20  # about 0.2 s of quick_check
MARK = "A Parley database lives beside this file. Delete both to start anew.\n"

TYPES = {
    "ID": "integer primary key autoincrement",
    "INT": "integer",
    "REAL": "real",
    "TEXT": "text",
    "BLOB": "blob",
    "STRICT": " strict",
    **FULL_TEXT,
}
# After so many pages the WAL is written into the file. Most pages change often: the later that is, the fewer
# are written, and the longer the one commit takes that waits for it.
WAL_PAGES = 4000
PRAGMAS = {
    "rw": (
        "journal_mode=wal",
        "synchronous=full",
        "fullfsync=on",
        "secure_delete=on",
        "foreign_keys=on",
        f"wal_autocheckpoint={WAL_PAGES}",
    ),
    "ro": ("query_only=on", "wal_autocheckpoint=0"),
}


def connect(path: Path, *, read_only: bool = False) -> Database:
    """A connection that may move between threads; the caller sees to it that only one uses it at a time."""
    mode = "ro" if read_only else "rwc"
    conn = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=BUSY_TIMEOUT_S,
        cached_statements=512,
    )
    conn.create_function("unix_now", 0, time.time)  # the database's clock
    for pragma in PRAGMAS["ro" if read_only else "rw"]:
        conn.execute(f"pragma {pragma}")
    return Database(conn, execute_plugins=False, strict=True)


def migrate(db: Database, steps: tuple[tuple[str, str], ...] = STEPS) -> None:
    """Runs the steps this file has not seen, each in a transaction of its own. A new file gets all at
    once."""
    if not db.execute("select count(*) from sqlite_master").fetchone()[0]:
        with contextlib.closing(sqlite3.connect(":memory:")) as made:
            made.deserialize(_made_of(steps))
            made.backup(db.conn)
        return
    migrations = _migrations(steps)
    unknown = {step.name for step in migrations.applied(db)} - {name for name, _ in steps}
    if unknown:
        raise SetupError([f"database: made by a newer version of Parley ({', '.join(sorted(unknown))})"])
    migrations.apply(db)


@lru_cache(maxsize=1)
def _made_of(steps: tuple[tuple[str, str], ...]) -> bytes:
    """A database after these steps, as a file's bytes: in memory the many steps wait for no disk."""
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        _migrations(steps).apply(Database(conn, execute_plugins=False, strict=True))
        return conn.serialize()


def _migrations(steps: tuple[tuple[str, str], ...]) -> Migrations:
    migrations = Migrations("parley")
    for name, ddl in steps:
        migrations(name=name)(_step(ddl))
    return migrations


def _step(ddl: str) -> Callable[[Database], None]:
    def run(db: Database) -> None:
        for statement in ddl.split(";"):
            db.execute(statement.format_map(TYPES))  # an empty one does nothing

    return run


def locked(path: Path) -> IO[str]:
    """The lock file, held until it is closed; refuses when the database it remembers is gone."""
    side = path.with_name(path.name + "-lock")
    try:
        lock = open(os.open(side, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8")  # noqa: SIM115
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        lock.close()
        raise InUse([f"database {path}: in use by another Parley process"]) from exc
    except OSError as exc:
        raise SetupError([f"database {path}: cannot open {side}: {exc.strerror}"]) from exc
    if lock.read() and (not path.exists() or path.stat().st_size == 0):
        lock.close()
        raise SetupError(
            [f"database {path}: missing or empty, though one was here. Restore a backup, or delete {side}"]
        )
    lock.seek(0)
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))  # what people said is nobody else's to read
    except OSError as exc:
        lock.close()
        raise SetupError([f"database {path}: cannot be written: {exc.strerror}"]) from exc
    return lock


def require(path: Path) -> None:
    if not path.exists() or path.stat().st_size == 0:
        raise SetupError([f"database {path}: there is none yet; `parley serve` makes it"])


def refuse_broken(path: Path) -> None:
    """Damage is found before anything is written over it. Of a large file only what opening it reads."""
    if path.stat().st_size <= CHECKED_AT_START_BYTES and (found := quick_check(path)):
        raise SetupError([f"database {path}: damaged ({found[0]}). Set it aside and restore a backup"])


def quick_check(path: Path) -> list[str]:
    db = connect(path, read_only=True)
    try:
        return [line for (line,) in db.execute("pragma quick_check(10)") if line != "ok"]
    finally:
        db.close()


def back_up(source: Path, target: Path) -> None:
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    db = connect(source, read_only=True)
    try:
        db.execute("pragma query_only=off")  # which forbids writing the copy, too; the source stays mode=ro
        db.execute("vacuum into ?", [str(part)])
    finally:
        db.close()
    if found := quick_check(part):
        raise StorageError(f"the copy is damaged: {found[0]}")
    _sync(part)
    os.replace(part, target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
