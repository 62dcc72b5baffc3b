"""Connections to the server: how they are opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg import pq
from psycopg.rows import dict_row

from storage.postgres.wire import Wire

# Dead machines and cut lines are noticed, a process that hangs within a transaction holds nobody up for
# longer than this, and a lock is not waited for without end.
PARAMETERS: dict[str, Any] = {
    "client_encoding": "UTF8",  # whatever the database's
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
BEGIN, BEGIN_READING = "begin", "begin isolation level repeatable read read only"
# Statements take milliseconds; to compile one would take longer.
SESSION = "set lock_timeout = '10s'; set idle_in_transaction_session_timeout = '10s'; set jit = off"


class PostgresConnection(psycopg.Connection[dict[str, Any]]):
    """A connection, and what is prepared on it. `read_only`: a transaction sees one unchanging view."""

    def __init__(self, pgconn: pq.abc.PGconn, **how: Any) -> None:
        super().__init__(pgconn, **how)
        self.wire = Wire(pgconn)
        self.bit_distance = ""  # see storage.engine.Tx

    def begin(self) -> None:
        """Writes are READ COMMITTED, unless the server's settings or the URL ask for more."""
        self.wire.put_off(BEGIN_READING if self.read_only else BEGIN, {})

    def end(self) -> None:
        self.wire.execute("commit", {})

    def give_up(self) -> None:
        """Ends the transaction; nothing of it happened."""
        self.wire.drop_waiting()
        if self.pgconn.transaction_status != pq.TransactionStatus.IDLE:
            self.wire.execute("rollback", {})


OpenOne = Callable[[], PostgresConnection]  # waits for it


def connect(url: str, *, application: str = "parley", read_only: bool = False) -> PostgresConnection:
    """A connection for one thread at a time; psycopg.Error when there is none to be had."""
    conn = PostgresConnection.connect(url, application_name=application, row_factory=dict_row, **PARAMETERS)
    assert isinstance(conn, PostgresConnection)
    conn.cursor_factory = psycopg.RawCursor
    conn.autocommit = True
    conn.execute(SESSION)
    conn.autocommit = False
    if read_only:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.read_only = True
    return conn


def is_broken(conn: PostgresConnection) -> bool:
    """Whether nothing can be done on a connection any more."""
    return conn.closed or conn.broken
