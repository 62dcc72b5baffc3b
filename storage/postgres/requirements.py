"""What a server must have for us, and what it should."""

from __future__ import annotations

from typing import Any

from bot.core.errors import SetupError
from storage.postgres.connections import PostgresConnection

OLDEST = 140000  # pg_terminate_backend waits; every older major version has ended
CONNECTIONS = 16  # of one process: reads, writes, those aside, its presence, what is done by the hour


def require(conn: PostgresConnection, name: str) -> None:
    """SetupError with everything without which nothing works."""
    if problems := [f"database {name}: {line}" for line in _find_missing(conn)]:
        raise SetupError(problems)


def find_lacks(conn: PostgresConnection) -> list[str]:
    """What the server lacks, in words; empty when it is in order. `conn` commits by itself."""
    return [*_find_missing(conn), *_find_risky(conn)]


def _find_missing(conn: PostgresConnection) -> list[str]:
    found = list[str]()
    version = int(_show(conn, "server_version_num"))
    if version < OLDEST:
        found.append(f"PostgreSQL {_show(conn, 'server_version')} is too old; at least 14 is needed")
    if _show(conn, "server_encoding") != "UTF8":
        found.append(f"its encoding is {_show(conn, 'server_encoding')}; make it with encoding 'UTF8'")
    if _ask(conn, "select pg_is_in_recovery()"):
        found.append("this server is a standby and takes no writes; name the primary")
    if not _keeps_sessions(conn):
        found.append("a pooler in between gives each transaction another connection; name the server itself")
    if not _ask(conn, "select has_schema_privilege(current_schema(), 'create')"):
        found.append("this role may not make tables; grant it create on the schema")
    return found


def _find_risky(conn: PostgresConnection) -> list[str]:
    found = list[str]()
    for setting in ("fsync", "full_page_writes"):
        if _show(conn, setting) == "off":
            found.append(f"{setting} is off: what is said to be stored may be lost with the machine's power")
    if _show(conn, "synchronous_commit") == "off":
        found.append("synchronous_commit is off: what was just received may be lost when the server dies")
    left = int(_show(conn, "max_connections")) - int(_ask(conn, "select count(*) from pg_stat_activity"))
    if left < CONNECTIONS:
        found.append(f"{max(left, 0)} connections are left; a process needs {CONNECTIONS} (max_connections)")
    return found


def _keeps_sessions(conn: PostgresConnection) -> bool:
    """Whether the connection stays with one session: a lock of ours is there in the next transaction."""
    pids = {_ask(conn, "select pg_backend_pid()") for _ in range(3)}
    return len(pids) == 1


def _show(conn: PostgresConnection, setting: str) -> str:
    return str(_ask(conn, f"show {setting}"))


def _ask(conn: PostgresConnection, sql: str) -> Any:
    row = conn.execute(sql.encode()).fetchone()
    return next(iter(row.values())) if row else None
