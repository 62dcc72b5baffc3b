"""Statements over libpq itself: each is prepared once per connection, and its values are read by their types.

A turn makes some fifty statements. psycopg's cursors take three times the processor time for each, because
they are ready for every type and every way to wait; storage/ has five types.

Source: https://www.psycopg.org/psycopg3/docs/api/pq.html
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import pq

from storage.postgres.pipeline import Statement, Wait, run_together, wait_in_thread
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
    """What is prepared on one connection, what waits to be sent on it, and how it is run.

    `wait`: how its owner waits for the server.
    """

    def __init__(self, pgconn: pq.abc.PGconn) -> None:
        self._pgconn = pgconn
        self.wait: Wait = wait_in_thread(pgconn)
        self._names = itertools.count()
        self._prepared: dict[tuple[str, tuple[type, ...]], bytes] = {}
        self._unsure: list[tuple[str, tuple[type, ...]]] = []  # prepared by what waits
        self._waiting: list[Statement] = []

    def execute(self, sql: str, params: dict[str, Any]) -> pq.abc.PGresult:
        """The answer to a statement with its named values, and to what waited before it; psycopg.Error when
        the server refuses one."""
        self._waiting.append(self._bind(sql, params))
        try:
            result = run_together(self._pgconn, self._waiting, self.wait)
        except BaseException:
            self.drop_waiting()
            raise
        self._waiting.clear()
        self._unsure.clear()
        return result

    def put_off(self, sql: str, params: dict[str, Any]) -> None:
        """A statement whose answer nobody asks for: it is sent together with the next one."""
        if len(self._waiting) == WAITING:
            self.execute(sql, params)
        else:
            self._waiting.append(self._bind(sql, params))

    def drop_waiting(self) -> None:
        """What was not sent is not going to be."""
        self._waiting.clear()
        for key in self._unsure:
            del self._prepared[key]
        self._unsure.clear()

    def _bind(self, sql: str, params: dict[str, Any]) -> Statement:
        words, names = translate(sql)
        values = [params[name] for name in names]
        kinds = tuple(map(type, values))
        name, unknown = self._prepared.get((sql, kinds)), None
        written = [_write(value) for value in values]
        formats = [pq.Format.BINARY if kind is bytes else pq.Format.TEXT for kind in kinds]
        if name is None:
            unknown = words, [TYPES[kind] for kind in kinds]
            name = self._prepared[sql, kinds] = b"s%d" % next(self._names)
            self._unsure.append((sql, kinds))
        return Statement(name, written, [*formats], unknown)


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
