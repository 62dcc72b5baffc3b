"""What a server must have for us, and what it should."""

from __future__ import annotations

from typing import Any

import psycopg

from bot.core.errors import SetupError
from storage.postgres.connections import PostgresConnection, connect
from storage.postgres.errors import map_error
from storage.postgres.migrations import is_migrated, refuse_newer
from storage.postgres.periodic import SCHEMA

OLDEST = 140000  # pg_terminate_backend waits; every older major version has ended
CONNECTIONS = 16  # of one process: reads, writes, those aside, its presence, what is done by the hour
SESSION = "select pg_backend_pid()"
MAY_MAKE_SCHEMAS = "select has_database_privilege(current_database(), 'create')"
# How many more the server, its database and our role allow; whoever sees little sees the numbers all the
# same.
LEFT = """
select least(
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true)::int, 0)
        - (select sum(numbackends) from pg_stat_database)::int,
    (select nullif(datconnlimit, -1) - numbackends from pg_database join pg_stat_database using (datname)
        where datname = current_database()),
    (select nullif(rolconnlimit, -1) - (select count(*) from pg_stat_activity where usename = current_user)
        from pg_roles where rolname = current_user)
) + 1
"""


def require(url: str, conn: PostgresConnection, name: str) -> None:
    """SetupError with everything without which nothing works. `conn`, to `url`, commits by itself."""
    if problems := [f"database {name}: {line}" for line in _find_missing(url, conn)]:
        raise SetupError(problems)


def check_server(url: str, name: str) -> list[str]:
    """What the server lacks, in words; empty when it is in order, also before the first start. SetupError, or
    Busy when it is not to be reached."""
    try:
        with connect(url) as conn:
            conn.autocommit = True
            if is_migrated(conn):
                refuse_newer(conn)
            return [*_find_missing(url, conn), *_find_risky(conn)]
    except psycopg.Error as exc:
        raise map_error(exc, name) from exc


def _find_missing(url: str, conn: PostgresConnection) -> list[str]:
    found = list[str]()
    version = int(_show(conn, "server_version_num"))
    if version < OLDEST:
        found.append(f"PostgreSQL {_show(conn, 'server_version')} is too old; at least 14 is needed")
    if _show(conn, "server_encoding") != "UTF8":
        found.append(f"its encoding is {_show(conn, 'server_encoding')}; make it with encoding 'UTF8'")
    if _ask(conn, "select pg_is_in_recovery()"):
        found.append("this server is a standby and takes no writes; name the primary")
    elif _show(conn, "default_transaction_read_only") == "on":
        found.append("default_transaction_read_only is on: nothing can be written")
    if _is_pooled(url, conn):
        found.append("a pooler in between gives each transaction another connection; name the server itself")
    elif not is_migrated(conn) and not _may_create(conn):
        found.append("this role may not make tables; grant it create on the schema")
    elif not _has_schema(conn) and not _ask(conn, MAY_MAKE_SCHEMAS):
        found.append("this role may not make schemas; grant it create on the database")
    return found


def _find_risky(conn: PostgresConnection) -> list[str]:
    found = list[str]()
    for setting in ("fsync", "full_page_writes"):
        if _show(conn, setting) == "off":
            found.append(f"{setting} is off: what is said to be stored may be lost with the machine's power")
    if _show(conn, "synchronous_commit") == "off":
        found.append("synchronous_commit is off: what was just received may be lost when the server dies")
    left = int(_ask(conn, LEFT))
    if left < CONNECTIONS:
        found.append(f"{max(left, 0)} connections are left; a process needs {CONNECTIONS} (max_connections)")
    return found


def _may_create(conn: PostgresConnection) -> bool:
    return bool(_ask(conn, "select has_schema_privilege(current_schema(), 'create')"))


def _has_schema(conn: PostgresConnection) -> bool:
    return bool(_ask(conn, f"select to_regnamespace('{SCHEMA}') is not null"))


def _is_pooled(url: str, conn: PostgresConnection) -> bool:
    """Whether a second connection is given, for a transaction, the session that this one just had."""
    mine = _ask(conn, SESSION)
    with connect(url) as other:
        theirs = _ask(other, SESSION)  # in a transaction, which goes on
        return bool(theirs == mine or _ask(conn, SESSION) != mine)


def _show(conn: PostgresConnection, setting: str) -> str:
    return str(_ask(conn, f"show {setting}"))


def _ask(conn: PostgresConnection, sql: str) -> Any:
    """Nothing is prepared: a pooler would not know it any more."""
    row = conn.execute(sql.encode(), prepare=False).fetchone()
    return next(iter(row.values())) if row else None
