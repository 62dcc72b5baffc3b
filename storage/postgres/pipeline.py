"""Several statements sent in one go, and their answers read in one: libpq's pipeline mode.

Each way to the server and back costs several times what a statement costs. How the server is waited for is
for whoever owns the connection to say: a thread may simply wait, the event loop does something else.

Source: https://www.postgresql.org/docs/current/libpq-pipeline-mode.html
"""

from __future__ import annotations

import select
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, pq

# Returns when the server has said something, or, with True, also when it takes more.
Wait = Callable[[bool], None]


@dataclass(frozen=True, slots=True)
class Statement:
    """What is run under a name, its values as they are sent; and what it is, for a server that does not know
    that name yet: its words and the types of its values."""

    name: bytes
    values: list[Any]
    formats: list[int]
    unknown: tuple[bytes, Sequence[int]] | None = None


def wait_in_thread(pgconn: pq.abc.PGconn) -> Wait:
    """Waits without Python's interpreter lock: the server may itself be waiting for a transaction of another
    thread of this process."""

    def wait(to_send: bool) -> None:
        ready = select.poll()
        ready.register(pgconn.socket, select.POLLIN | (select.POLLOUT if to_send else 0))
        ready.poll()

    return wait


def run_together(pgconn: pq.abc.PGconn, statements: Sequence[Statement], wait: Wait) -> pq.abc.PGresult:
    """The answer to the last one; the error of the first one that is refused: none behind it is run."""
    pgconn.enter_pipeline_mode()
    try:
        for each in statements:
            if each.unknown:
                pgconn.send_prepare(each.name, *each.unknown)
            pgconn.send_query_prepared(each.name, each.values, each.formats)
        pgconn.pipeline_sync()
        results = _communicate(pgconn, wait)
    finally:
        if pgconn.status == pq.ConnStatus.OK:
            pgconn.exit_pipeline_mode()
    for result in results:
        _require(pgconn, result)
    return results[-1]


def _communicate(pgconn: pq.abc.PGconn, wait: Wait) -> list[pq.abc.PGresult]:
    """Sends what is to be sent; the answers up to the end of the pipeline, or to the first refusal where the
    server is lost behind it."""
    while pgconn.flush():
        wait(True)
        pgconn.consume_input()
    results: list[pq.abc.PGresult] = []
    while True:
        try:
            while pgconn.is_busy():
                wait(False)
                pgconn.consume_input()
            result = pgconn.get_result()
        except psycopg.OperationalError:
            if results and results[-1].status == pq.ExecStatus.FATAL_ERROR:
                return results
            raise
        if result is None:
            if pgconn.status == pq.ConnStatus.BAD:
                raise psycopg.OperationalError(pgconn.get_error_message())
        elif result.status == pq.ExecStatus.PIPELINE_SYNC:
            return results
        else:
            results.append(result)


def _require(pgconn: pq.abc.PGconn, result: pq.abc.PGresult) -> None:
    """Raises what an answer says went wrong."""
    if result.status in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
        return
    if pgconn.status == pq.ConnStatus.BAD and not result.error_field(pq.DiagnosticField.SQLSTATE):
        raise psycopg.OperationalError(pgconn.get_error_message())
    raise errors.error_from_result(result)
