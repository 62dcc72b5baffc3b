"""This process among those on the database: its number, its signs of life, and the end of those without.

Each process holds a lock of its own session on its number, which the server lets go of when the process dies.
One that hangs keeps it, but its heartbeat stops. Whoever notices either strikes the number off the list, then
ends all connections of its: from then on it can write nothing, because only who stands on the list is given a
connection. What it was at work on is taken over by storage/jobs/recovery.py.
"""

from __future__ import annotations

import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg

from bot.core.errors import SetupError
from storage.postgres.connections import PostgresConnection, connect

log = logging.getLogger(__name__)

BEAT_S = 0.5
DEAD_AFTER_S = 1.2  # without a heartbeat, where the lock is free: a lost connection is taken up again sooner
HUNG_AFTER_S = 20.0  # where it is not
# Without a sign of life, or with one that is older than the database's clock, which has been set back since.
QUIET = f"(seen_at < unix_now() - {DEAD_AFTER_S} or seen_at > unix_now() + {HUNG_AFTER_S})"
ACTS_FOR_S = 15.0  # so long after its last heartbeat a process may still do something outside the database
SETTLES_S = 3.0  # after a connection was lost, others may have lost theirs: nobody is struck off meanwhile
AGAIN_S = 0.2
LOCK = 7001  # the first half of the lock's key; the other one is the number
APPLICATION = "parley"


class Presence:
    """Registers, gives signs of life and watches the others, in a thread with a connection of its own.

    `woken` is called from that thread when another process wants everybody to look, and when one was struck
    off; `expelled` once, when that one is this process.
    """

    def __init__(self, url: str, *, woken: Callable[[], None], expelled: Callable[[], None]) -> None:
        self._url = url
        self._woken = woken
        self._expelled = expelled
        self._conn = self._connect()
        self.worker, self.slot = _register(self._conn)
        self._holds_lock = True
        self._beat_at = self._settled_at = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="parley-presence", daemon=True)
        self._thread.start()

    @property
    def application(self) -> str:
        """What the server calls this process's connections."""
        return name_application(self.worker)

    def is_current(self) -> bool:
        """Whether nobody can have struck this process off."""
        return self.silent_s() < ACTS_FOR_S

    def silent_s(self) -> float:
        """So long ago it gave a sign of life; infinity when it is off the list."""
        return time.monotonic() - self._beat_at

    def close(self) -> None:
        """Off the list: what is left running is free at once."""
        self._ended.set()
        self._thread.join()
        try:
            self._conn.execute("delete from workers where id = $1", [self.worker])
            self._conn.execute("notify parley")
        except psycopg.Error:
            log.info("the others will find out that this process has gone")
        self._conn.close()

    def _connect(self) -> PostgresConnection:
        conn = connect(self._url, application=APPLICATION)
        conn.autocommit = True
        conn.execute("set synchronous_commit = off")  # nothing here has to outlive the server
        # It has locks for what it does, and nobody to begin it again (a database may be set to another one).
        conn.execute("set default_transaction_isolation = 'read committed'")
        conn.execute("listen parley")
        return conn

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                for _ in self._conn.notifies(timeout=BEAT_S, stop_after=1):
                    self._woken()
                if not self._beat():
                    log.error("this process was thought dead and is off the list: others do its work")
                    self._beat_at = -math.inf
                    self._expelled()
                    return
            except psycopg.Error as exc:
                log.warning("database: connection lost: %s", " ".join(str(exc).split()))
                self._return()

    def _return(self) -> None:
        """Connects again, however long that takes."""
        self._conn.close()
        self._holds_lock = False
        while not self._ended.wait(AGAIN_S):
            with suppress(psycopg.Error):
                self._conn = self._connect()
                self._settled_at = time.monotonic() + SETTLES_S
                return

    def _beat(self) -> bool:
        """A sign of life, and a look at the others; False when this process is no longer on the list."""
        now = time.monotonic()
        if self._holds_lock and now - self._beat_at < BEAT_S / 2:
            return True
        if not self._holds_lock:  # lost with the connection, whose end the server has to notice first
            self._holds_lock = _try_lock(self._conn, self.worker)
        row = self._conn.execute(
            "update workers set seen_at = unix_now() where id = $1 returning 1 as found", [self.worker]
        ).fetchone()
        if row is None:
            return False
        self._beat_at = now
        if now >= self._settled_at and (gone := _expel(self._conn, self.worker)):
            log.warning("processes that died or hang were struck off: %s", ", ".join(map(str, gone)))
            self._woken()
        return True


def name_application(worker: int) -> str:
    return f"{APPLICATION} {worker}"


def name_process() -> str:
    """This process, for an operator: its machine (in a container that one's id) and its number there."""
    return f"{socket.gethostname()}:{os.getpid()}"


def require_listed(conn: PostgresConnection, worker: int) -> None:
    """Whoever was struck off gets no connection. To be asked after the connection has its name."""
    row = conn.execute("select 1 as found from workers where id = $1", [worker]).fetchone()
    conn.rollback()
    if row is None:
        conn.close()
        raise SetupError(["database: this process was thought dead; others do its work. Start it again"])


def _register(conn: PostgresConnection) -> tuple[int, int]:
    """A new number, and the smallest slot that no living process has."""
    with conn.transaction():
        conn.execute("select pg_advisory_xact_lock(hashtextextended('workers', 7))")
        taken = {row["slot"] for row in conn.execute("select slot from workers")}
        slot = next(number for number in range(len(taken) + 1) if number not in taken)
        row = conn.execute(
            "insert into workers (slot, process, begun_at, seen_at)"
            " values ($1, $2, unix_now(), unix_now()) returning id",
            [slot, name_process()],
        ).fetchone()
        assert row is not None
        conn.execute("select pg_advisory_lock($1::int, $2::int)", [LOCK, row["id"]])
    return int(row["id"]), slot


def _expel(conn: PostgresConnection, me: int) -> list[int]:
    """Strikes off who is dead or hangs, and ends their connections; their numbers."""
    quiet = conn.execute(
        f"select id, seen_at < unix_now() - $2 as hangs from workers where id <> $1 and {QUIET} order by id",
        [me, HUNG_AFTER_S],
    ).fetchall()
    gone = [row["id"] for row in quiet if _strike_off(conn, row)]
    for worker in gone:
        conn.execute(
            "select pg_terminate_backend(pid, 2000) from pg_stat_activity"
            " where datname = current_database() and application_name = $1",
            [name_application(worker)],
        )
    return gone


def _try_lock(conn: PostgresConnection, worker: int) -> bool:
    row = conn.execute("select pg_try_advisory_lock($1::int, $2::int) as held", [LOCK, worker]).fetchone()
    return bool(row and row["held"])


def _strike_off(conn: PostgresConnection, row: dict[str, Any]) -> bool:
    with conn.transaction():
        held = conn.execute(
            "select pg_try_advisory_xact_lock($1::int, $2::int) as free", [LOCK, row["id"]]
        ).fetchone()
        if held is None or not (held["free"] or row["hangs"]):
            return False
        # Its heartbeat may have come since.
        return conn.execute(f"delete from workers where id = $1 and {QUIET}", [row["id"]]).rowcount == 1
