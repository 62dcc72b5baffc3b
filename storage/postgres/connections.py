"""Connections to the server: how they are opened, and what values look like on them."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import RawCursor
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.rows import dict_row
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper

Connection = psycopg.Connection[dict[str, Any]]

PREPARED = 500  # statements that a connection keeps ready; storage/ has about 250
# Dead machines and cut lines are noticed, a process that hangs within a transaction holds nobody up for
# longer than this, and a lock is not waited for without end.
PARAMETERS: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
SESSION = "set lock_timeout = '10s'; set idle_in_transaction_session_timeout = '10s'"


class _Bool(Dumper):
    """Truth is 0 or 1 in every table."""

    oid = Int8Dumper.oid

    def dump(self, obj: bool) -> Buffer:
        return b"1" if obj else b"0"


def connect(url: str, *, application: str = "parley", read_only: bool = False) -> Connection:
    """A connection for one thread at a time; psycopg.Error when there is none to be had.

    Reads see one unchanging view and cannot write. Writes are READ COMMITTED, unless the server's settings or
    the URL ask for more.
    """
    conn = psycopg.connect(
        url,
        application_name=application,
        row_factory=dict_row,
        prepare_threshold=1,
        **PARAMETERS,
    )
    conn.prepared_max = PREPARED
    conn.cursor_factory = RawCursor
    for dumper in (
        Int8Dumper,
        Int8BinaryDumper,
    ):  # one type for all numbers, or a statement is prepared for each
        conn.adapters.register_dumper(int, dumper)
    conn.adapters.register_dumper(bool, _Bool)
    conn.autocommit = True
    conn.execute(SESSION)
    conn.autocommit = False
    if read_only:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.read_only = True
    return conn


def is_broken(conn: Connection) -> bool:
    """Whether nothing can be done on a connection any more."""
    return conn.closed or conn.broken
