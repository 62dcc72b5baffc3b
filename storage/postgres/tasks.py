"""Transactions in the event loop: it does something else while one waits for the server.

A turn goes some thirty times to the server and back. In a thread each of them would wait for Python's
interpreter lock too, which a busy event loop lets go of once in a millisecond. So a function runs in a
greenlet, which can stand still in the middle of a statement, until the server has said something.

Source: https://greenlet.readthedocs.io/
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

from storage.postgres.connections import OpenOne, PostgresConnection, is_broken
from storage.postgres.errors import map_error
from storage.postgres.transactions import Attempts, Figures
from storage.results import Job, Outcome, resolve, wait_to_the_end


class TransactionTasks:
    """Runs what is submitted, as many at a time as there are connections. `open_one` makes a connection.

    Somebody who waits for each answer has them run in that order.
    """

    def __init__(self, count: int, open_one: OpenOne, *, name: str, figures: Figures) -> None:
        self._open_one = open_one
        self._name = name
        self._figures = figures
        self._loop = asyncio.get_running_loop()
        self._lines = [_Line() for _ in range(count)]
        self._idle = list(self._lines)  # the one used last is taken first: its server process is warm
        self._jobs: deque[Job] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, fn: Callable[..., Any], args: tuple[Any, ...], kw: dict[str, Any]) -> Any:
        """What the function returned. Who is cancelled hears so when it has ended, one way or the other."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.append((fn, args, kw, future))
        if self._idle:
            task = self._loop.create_task(self._work(self._idle.pop()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await wait_to_the_end(future)

    async def close(self) -> None:
        """Waits until everything submitted has ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)
        for line in self._lines:
            self._figures.note(connections=-int(line.close()))

    async def _work(self, line: _Line) -> None:
        """Everything there is to do, then the line is idle."""
        while self._jobs:
            resolve([await self._run(self._jobs.popleft(), line)])
        self._idle.append(line)

    async def _run(self, job: Job, line: _Line) -> Outcome:
        fn, args, kw, future = job
        attempts = Attempts()
        while True:
            try:
                conn = line.conn or await self._open(line)
                return future, await line.do(attempts.run, conn, fn, args, kw), None
            except asyncio.CancelledError:  # the loop is brought to its end
                raise
            except BaseException as exc:
                lost = line.conn is None
                pause_s = attempts.pause_s(exc, lost=lost)
                if pause_s is None:
                    return future, None, map_error(exc, self._name)
                self._figures.note(retries=not lost)
                await asyncio.sleep(pause_s)

    async def _open(self, line: _Line) -> PostgresConnection:
        conn = await asyncio.to_thread(self._open_one)
        self._figures.note(connections=not line.was_open, reconnects=line.was_open)
        line.open(conn)
        return conn


class _Line:
    """A connection that the event loop waits for, and the transaction that stands still on it.

    The loop watches a copy of its descriptor: libpq closes its own as soon as the server is gone.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.conn: PostgresConnection | None = None
        self.was_open = False
        self._fd = -1
        self._standing: Any = None  # a greenlet

    def open(self, conn: PostgresConnection) -> None:
        self.conn, self.was_open = conn, True
        self._fd = os.dup(conn.pgconn.socket)
        conn.wire.wait = self._stand_still
        self._loop.add_reader(self._fd, self._go_on)

    def close(self) -> bool:
        """Whether it was open."""
        conn, self.conn = self.conn, None
        if conn is None:
            return False
        self._loop.remove_reader(self._fd)
        os.close(self._fd)
        conn.close()
        return True

    async def do(self, fn: Callable[..., Any], *args: Any) -> Any:
        """What a function returned that may stand still for the server."""
        done: asyncio.Future[Any] = self._loop.create_future()

        def body() -> None:
            try:
                resolve([(done, fn(*args), None)])
            except BaseException as exc:
                resolve([(done, None, exc)])

        greenlet(body).switch()
        try:
            return await done
        finally:
            if self.conn and is_broken(self.conn):
                self.close()

    def _stand_still(self, to_send: bool) -> None:
        """In the function: the event loop goes on until the server has said something."""
        self._standing = me = getcurrent()
        if to_send:
            self._loop.add_writer(self._fd, self._go_on)
        me.parent.switch()
        if to_send:
            self._loop.remove_writer(self._fd)

    def _go_on(self) -> None:
        standing, self._standing = self._standing, None
        if standing:
            standing.switch()
        elif self.conn:  # it says something unasked: mostly that it goes
            with suppress(psycopg.Error):
                self.conn.pgconn.consume_input()
            if is_broken(self.conn):
                self.close()
