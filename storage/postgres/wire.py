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
from psycopg import pq

from storage.postgres.pipeline import Prepared, require, run_one, run_together
from storage.postgres.statements import translate

WAITING = 64  # statements at most that are put off
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
    """What is prepared on one connection, what waits to be sent on it, and how it is run."""

    def __init__(self, pgconn: pq.abc.PGconn) -> None:
        self._pgconn = pgconn
        self._prepared: dict[tuple[str, tuple[type, ...]], bytes] = {}
        self._waiting: list[Prepared] = []

    def execute(self, sql: str, params: dict[str, Any]) -> pq.abc.PGresult:
        """The answer to a statement with its named values, and to what waited before it; psycopg.Error when
        the server refuses one."""
        statement = self._bind(sql, params)
        if not self._waiting:
            return run_one(self._pgconn, statement)
        return self._send(statement)

    def put_off(self, sql: str, params: dict[str, Any]) -> None:
        """A statement whose answer nobody asks for: it is sent together with the next one."""
        statement = self._bind(sql, params)
        if len(self._waiting) == WAITING:
            self._send(statement)
        else:
            self._waiting.append(statement)

    def drop_waiting(self) -> None:
        """What was not sent is not going to be."""
        self._waiting.clear()

    def _send(self, *more: Prepared) -> pq.abc.PGresult:
        statements = [*self._waiting, *more]
        self._waiting.clear()
        return run_together(self._pgconn, statements)

    def _bind(self, sql: str, params: dict[str, Any]) -> Prepared:
        statement, names = translate(sql)
        values = [params[name] for name in names]
        kinds = tuple(map(type, values))
        name = self._prepared.get((sql, kinds)) or self._prepare(sql, kinds, statement)
        formats = [pq.Format.BINARY if kind is bytes else pq.Format.TEXT for kind in kinds]
        # None for NULL, which the type of libpq's binding leaves out
        return Prepared(name, [_write(value) for value in values], [*formats])

    def _prepare(self, sql: str, kinds: tuple[type, ...], statement: bytes) -> bytes:
        if self._waiting:
            self._send()  # what it speaks of may be made there
        name = b"s%d" % len(self._prepared)
        require(self._pgconn, self._pgconn.prepare(name, statement, [TYPES[kind] for kind in kinds]))
        self._prepared[sql, kinds] = name
        return name


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
