"""Storage functions run by four processes on one PostgreSQL at the same moment.

    with Four(url) as four:
        answers = four.run(function, rounds=20)        # function(transact, process, turn), in each process

All four begin each turn together. Between two statements a transaction waits for a moment of random length,
so that there is always something in between. `PARLEY_TEST_WITHOUT_LOCKS=1` has locks do nothing: then every
test of this kind that is about one must fail.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import random
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any

import psycopg

from bot.core.errors import BotError
from storage.postgres.connections import connect
from storage.postgres.errors import AGAIN, map_error
from storage.postgres.transactions import PostgresTx

PROCESSES = 4
LONGEST_PAUSE_S = 0.001
WITHOUT_LOCKS = bool(os.environ.get("PARLEY_TEST_WITHOUT_LOCKS"))
DEADLOCK = "40P01"
_FORK = multiprocessing.get_context("fork")

Transact = Callable[..., Any]  # fn(tx, *args, **kw) as one transaction, again after a conflict
Work = Callable[[Transact, int, int], Any]


class UnhurriedTx(PostgresTx):
    """One that others can come in between of."""

    def lock(self, name: str, *, shared: bool = False) -> None:
        if not WITHOUT_LOCKS:
            super().lock(name, shared=shared)

    def all(self, sql: str, /, **params: Any) -> list[dict[str, Any]]:
        _pause()
        return super().all(sql, **params)

    def one(self, sql: str, /, **params: Any) -> dict[str, Any] | None:
        _pause()
        return super().one(sql, **params)

    def changed(self, sql: str, /, **params: Any) -> int:
        _pause()
        return super().changed(sql, **params)


def _pause() -> None:
    time.sleep(random.random() * LONGEST_PAUSE_S)


class Four:
    """The processes, from entering to leaving."""

    def __init__(self, url: str) -> None:
        self._url = url

    def __enter__(self) -> Four:
        barrier = _FORK.Barrier(PROCESSES)
        self._ends: list[Connection] = []
        self._processes: list[multiprocessing.process.BaseProcess] = []
        gc.freeze()  # what is here already is shared, not copied when it is looked through
        for number in range(PROCESSES):
            ours, theirs = _FORK.Pipe()
            process = _FORK.Process(target=_serve, args=(theirs, self._url, number, barrier), daemon=True)
            process.start()
            theirs.close()
            self._ends.append(ours)
            self._processes.append(process)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for end, process in zip(self._ends, self._processes, strict=True):
            end.send(None)
            process.join(10)
            end.close()

    def run(self, work: Work, *, rounds: int = 20) -> list[Any]:
        """What `work`, a function of a module, gave in each turn of each process: its value, or the class of
        the error of ours that it raised."""
        for end in self._ends:
            end.send((work, rounds))
        found = [end.recv() for end in self._ends]
        if errors := [answers for answers in found if isinstance(answers, str)]:
            raise AssertionError(" · ".join(errors))
        return [answer for answers in found for answer in answers]


def _serve(pipe: Connection, url: str, number: int, barrier: Any) -> None:
    """What is asked for, until nothing is. What the parent does at its exit is not done here."""
    try:
        conn = connect(url)
        while asked := pipe.recv():
            work, rounds = asked
            try:
                answers: Any = [_turn(conn, work, number, turn, barrier) for turn in range(rounds)]
            except BaseException as exc:
                barrier.abort()
                answers = f"{type(exc).__name__}: {exc}"
            pipe.send(answers)
    except (EOFError, OSError):
        pass
    finally:
        os._exit(0)


def _turn(conn: Any, work: Work, number: int, turn: int, barrier: Any) -> Any:
    barrier.wait(30)
    try:
        return work(lambda fn, *args, **kw: _transact(conn, fn, *args, **kw), number, turn)
    except BotError as exc:
        return type(exc)


def _transact(conn: Any, fn: Callable[..., Any], *args: Any, **kw: Any) -> Any:
    while True:
        try:
            conn.begin()
            value = fn(UnhurriedTx(conn), *args, **kw)
            conn.end()
            return value
        except psycopg.Error as exc:
            conn.give_up()
            if exc.sqlstate == DEADLOCK:
                raise  # an order of locks that is not kept
            if exc.sqlstate not in AGAIN:
                raise map_error(exc, "of a test") from exc
        except BaseException:
            conn.give_up()
            raise
