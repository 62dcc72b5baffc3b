"""What PostgreSQL's errors mean to us: one table."""

from __future__ import annotations

import psycopg

from bot.core.errors import BotError, Busy, Conflict, SetupError, StorageError

# The one table of what a server raises, by the beginning of its code: the longest that fits holds.
# Source: https://www.postgresql.org/docs/current/errcodes-appendix.html
BY_CODE: dict[str, type[BotError]] = {
    "08": Busy,  # connection
    "23": Conflict,  # constraint
    "25006": SetupError,  # a write on a standby, or where only reading was meant
    "25P03": Busy,  # stood still within a transaction for too long
    "28": SetupError,  # who we are is not believed
    "3D": SetupError,  # no such database
    "3F": SetupError,  # no such schema
    "40": Busy,  # serialization, deadlock
    "42501": SetupError,  # not permitted
    "53": Busy,  # disk, memory, connections
    "55P03": Busy,  # a lock was not to be had in time
    "57": Busy,  # cancelled, shut down, starting
    "58": Busy,  # files of the server
    "XX001": SetupError,  # damaged
    "XX002": SetupError,
}
BY_CLASS: dict[type[BaseException], type[BotError]] = {
    psycopg.IntegrityError: Conflict,
    psycopg.OperationalError: Busy,
    psycopg.InterfaceError: Busy,  # the connection was closed beneath us
    psycopg.Error: StorageError,
}
# Another run of the same function may well succeed, at once.
# Source: https://www.postgresql.org/docs/current/mvcc-serialization-failure-handling.html
AGAIN = frozenset({"40001", "40P01"})


def map_error(exc: BaseException, name: str) -> BaseException:
    """What an error of psycopg's means to us, the original as its cause; everything else passes unchanged.

    `name`: the database, as an operator is told of it.
    """
    if not isinstance(exc, psycopg.Error):
        return exc
    kind = _find_kind(exc)
    words = " ".join(str(exc).split())
    error = SetupError([f"database {name}: {words}"]) if kind is SetupError else kind(words)
    error.__cause__ = exc
    return error


def _find_kind(exc: psycopg.Error) -> type[BotError]:
    code = exc.sqlstate or ""
    for length in (5, 2):
        if code[:length] in BY_CODE:
            return BY_CODE[code[:length]]
    return next(BY_CLASS[kind] for kind in type(exc).__mro__ if kind in BY_CLASS)
