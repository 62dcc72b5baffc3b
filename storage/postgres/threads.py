"""Transactions in threads that each own a connection: reads, and what touches many rows."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

from storage.postgres.connections import OpenOne, PostgresConnection, is_broken
from storage.postgres.errors import map_error
from storage.postgres.transactions import Attempts, Figures
from storage.results import Job, Outcome, answer, resolve, wait_to_the_end


class TransactionThreads:
    """Runs what is submitted, as many at a time as there are threads. `open_one` makes a connection.

    Somebody who waits for each answer has them run in that order.
    """

    def __init__(self, count: int, open_one: OpenOne, *, name: str, figures: Figures) -> None:
        self._open_one = open_one
        self._name = name
        self._figures = figures
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._serve, name=f"parley-{number}", daemon=True)
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, fn: Callable[..., Any], args: tuple[Any, ...], kw: dict[str, Any]) -> Any:
        """What the function returned. Who is cancelled hears so when it has ended, one way or the other."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._jobs.put((fn, args, kw, future))
        return await wait_to_the_end(future)

    async def close(self) -> None:
        """Waits until everything submitted has ended."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            await asyncio.to_thread(thread.join)

    def _serve(self) -> None:
        conn: PostgresConnection | None = None
        while (job := self._jobs.get()) is not None:
            conn, outcome = self._run(job, conn)
            answer(self._loop, resolve, [outcome])
        if conn is not None:
            conn.close()
            self._figures.note(connections=-1)

    def _run(self, job: Job, conn: PostgresConnection | None) -> tuple[PostgresConnection | None, Outcome]:
        fn, args, kw, future = job
        attempts = Attempts()
        while True:
            try:
                if conn is None or is_broken(conn):
                    conn = self._open(conn)
                return conn, (future, attempts.run(conn, fn, args, kw), None)
            except BaseException as exc:
                lost = conn is None or is_broken(conn)
                pause_s = attempts.pause_s(exc, lost=lost)
                if pause_s is None:
                    return conn, (future, None, map_error(exc, self._name))
                self._figures.note(retries=not lost)
                time.sleep(pause_s)

    def _open(self, lost: PostgresConnection | None) -> PostgresConnection:
        opened = self._open_one()
        self._figures.note(connections=lost is None, reconnects=lost is not None)
        return opened
