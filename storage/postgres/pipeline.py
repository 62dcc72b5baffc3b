"""Several statements sent in one go, and their answers read in one: libpq's pipeline mode.

Each way to the server and back costs a thread its turn at Python's interpreter lock, several times what the
statement costs. The lock is let go of while the server is waited for: it may itself be waiting for a
transaction of another thread of this process.

Source: https://www.postgresql.org/docs/current/libpq-pipeline-mode.html
"""

from __future__ import annotations

import select
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, pq


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement that the server knows by `name`, and its values as they are sent."""

    name: bytes
    values: list[Any]
    formats: list[int]


def run_one(pgconn: pq.abc.PGconn, statement: Prepared) -> pq.abc.PGresult:
    """The answer to a statement; psycopg.Error when it is refused, or the server is gone."""
    result = pgconn.exec_prepared(statement.name, statement.values, statement.formats)
    require(pgconn, result)
    return result


def run_together(pgconn: pq.abc.PGconn, statements: list[Prepared]) -> pq.abc.PGresult:
    """The answer to the last one; the error of the first one that is refused: none behind it is run."""
    pgconn.enter_pipeline_mode()
    try:
        for each in statements:
            pgconn.send_query_prepared(each.name, each.values, each.formats)
        pgconn.pipeline_sync()
        results = _communicate(pgconn)
    finally:
        if pgconn.status == pq.ConnStatus.OK:
            pgconn.exit_pipeline_mode()
    for result in results:
        require(pgconn, result)
    return results[-1]


def require(pgconn: pq.abc.PGconn, result: pq.abc.PGresult) -> None:
    """Raises what an answer says went wrong."""
    if result.status in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
        return
    if pgconn.status == pq.ConnStatus.BAD and not result.error_field(pq.DiagnosticField.SQLSTATE):
        raise psycopg.OperationalError(pgconn.get_error_message())
    raise errors.error_from_result(result)


def _communicate(pgconn: pq.abc.PGconn) -> list[pq.abc.PGresult]:
    """Sends what is to be sent; the answers up to the end of the pipeline, or to the first refusal where the
    server is lost behind it."""
    ready = select.poll()
    ready.register(pgconn.socket, select.POLLIN | select.POLLOUT)
    while pgconn.flush():
        if any(events & ~select.POLLOUT for _, events in ready.poll()):
            pgconn.consume_input()
    ready.modify(pgconn.socket, select.POLLIN)
    results: list[pq.abc.PGresult] = []
    while True:
        try:
            while pgconn.is_busy():
                ready.poll()
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
