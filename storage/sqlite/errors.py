"""What SQLite's errors mean to us: one table."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from bot.core.errors import BotError, Busy, Conflict, SetupError, StorageError

# The one table of what sqlite3 raises: by result code first, then by class.
# Source: https://sqlite.org/rescode.html
BY_CODE: dict[int, type[BotError]] = {
    sqlite3.SQLITE_BUSY: Busy,
    sqlite3.SQLITE_LOCKED: Busy,
    sqlite3.SQLITE_PROTOCOL: Busy,
    sqlite3.SQLITE_INTERRUPT: Busy,
    sqlite3.SQLITE_FULL: Busy,
    sqlite3.SQLITE_IOERR: Busy,
    sqlite3.SQLITE_NOMEM: Busy,
    sqlite3.SQLITE_CONSTRAINT: Conflict,
    sqlite3.SQLITE_CORRUPT: SetupError,
    sqlite3.SQLITE_NOTADB: SetupError,
    sqlite3.SQLITE_READONLY: SetupError,
    sqlite3.SQLITE_PERM: SetupError,
    sqlite3.SQLITE_AUTH: SetupError,
    sqlite3.SQLITE_CANTOPEN: SetupError,
}
BY_CLASS: dict[type[BaseException], type[BotError]] = {
    sqlite3.IntegrityError: Conflict,
    sqlite3.Error: StorageError,
}


def map_error(exc: BaseException, path: Path) -> BaseException:
    """What a sqlite3 error means to us, the original as its cause; everything else passes unchanged."""
    if not isinstance(exc, sqlite3.Error):
        return exc
    code = getattr(exc, "sqlite_errorcode", -1) & 0xFF  # extended codes keep the primary one in the low byte
    kind = BY_CODE.get(code) or next(BY_CLASS[c] for c in type(exc).__mro__ if c in BY_CLASS)
    error = SetupError([f"database {path}: {exc}"]) if kind is SetupError else kind(str(exc))
    error.__cause__ = exc
    return error
