"""Statements over libpq itself: each is prepared once per connection, and its values are read by their types.

A turn makes some fifty statements. psycopg's cursors take three times the processor time for each, because
they are ready for every type and every way to wait; storage/ has five types, and its threads may simply wait.

Source: https://www.psycopg.org/psycopg3/docs/api/pq.html
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import errors, pq

from storage.postgres.statements import translate

INT8, FLOAT8, BYTEA, UNKNOWN = 20, 701, 17, 0
# What a Python value is sent as. Text goes without a type: the server knows which it needs.
TYPES: dict[type, int] = {
    int: INT8,
    bool: INT8,
    float: FLOAT8,
    bytes: BYTEA,
    str: UNKNOWN,
    type(None): UNKNOWN,
}


def _read_bytes(value: bytes) -> bytes:
    return bytes.fromhex(value[2:].decode())  # \x…


def _read_number(value: bytes) -> Decimal:
    return Decimal(value.decode())


READ: dict[int, Callable[[bytes], Any]] = {
    INT8: int,
    21: int,
    23: int,
    FLOAT8: float,
    700: float,
    BYTEA: _read_bytes,
    16: lambda value: value == b"t",
    1700: _read_number,
}


class Wire:
    """What is prepared on one connection, and how it is run."""

    def __init__(self, pgconn: pq.abc.PGconn) -> None:
        self._pgconn = pgconn
        self._prepared: dict[tuple[str, tuple[type, ...]], bytes] = {}

    def run(self, command: bytes) -> None:
        """A command without values or rows, such as COMMIT."""
        self._require(self._pgconn.exec_(command))

    def execute(self, sql: str, params: dict[str, Any]) -> pq.abc.PGresult:
        """A statement with its named values; psycopg.Error when the server refuses it."""
        statement, names = translate(sql)
        values = [params[name] for name in names]
        kinds = tuple(map(type, values))
        name = self._prepared.get((sql, kinds)) or self._prepare(sql, kinds, statement)
        formats = [pq.Format.BINARY if kind is bytes else pq.Format.TEXT for kind in kinds]
        written: list[Any] = [_write(value) for value in values]  # None for NULL, which its type leaves out
        return self._require(self._pgconn.exec_prepared(name, written, formats))

    def _prepare(self, sql: str, kinds: tuple[type, ...], statement: bytes) -> bytes:
        name = b"s%d" % len(self._prepared)
        self._require(self._pgconn.prepare(name, statement, [TYPES[kind] for kind in kinds]))
        self._prepared[sql, kinds] = name
        return name

    def _require(self, result: pq.abc.PGresult) -> pq.abc.PGresult:
        if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
            if self._pgconn.status == pq.ConnStatus.BAD and not result.error_field(
                pq.DiagnosticField.SQLSTATE
            ):
                raise psycopg.OperationalError(self._pgconn.get_error_message())
            raise errors.error_from_result(result)
        return result


def read_rows(result: pq.abc.PGresult) -> list[dict[str, Any]]:
    """The rows of an answer, by the names of their columns."""
    columns = [
        (number, (result.fname(number) or b"").decode(), READ.get(result.ftype(number), bytes.decode))
        for number in range(result.nfields)
    ]
    get = result.get_value
    return [
        {name: None if (value := get(row, number)) is None else read(value) for number, name, read in columns}
        for row in range(result.ntuples)
    ]


def _write(value: Any) -> bytes | None:
    kind = type(value)
    if kind is str:
        if "\0" in value:
            raise psycopg.DataError("PostgreSQL keeps no text with NUL in it")
        return bytes(value, "utf-8")
    if kind is int or kind is bool:
        return b"%d" % value
    if kind is float:
        return repr(value).encode()
    return value  # type: ignore[no-any-return]  # bytes or None
