"""One life of the process: what was started in it ends with it, at whatever gate it has just reached."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

_LIFE: ContextVar[Life | None] = ContextVar("life", default=None)
ROUNDS = 200  # of cancelling until the last task of a dead process has gone


class Life:
    """`kill_at`: the number of the gate at which it ends. At a gate a request or a commit is half done."""

    def __init__(self, number: int, kill_at: int | None, *, died: Callable[[str], None]) -> None:
        self.number = number
        self.alive = True
        self.killed = False
        self._kill_at = kill_at
        self._died = died
        self._gates = 0
        self._tasks: list[asyncio.Task[Any]] = []

    def pass_gate(self, name: str) -> bool:
        """False when this was the last thing it did, or it is dead already."""
        if not self.alive:
            return False
        self._gates += 1
        if self._gates == self._kill_at:
            self.kill(name)
        return self.alive

    async def gate(self, name: str) -> None:
        """Returns if the process still lives; in a dead one nothing ever returns."""
        if not self.pass_gate(name):
            await asyncio.get_running_loop().create_future()

    def kill(self, where: str) -> None:
        if self.alive:
            self.alive, self.killed = False, True
            self._died(where)

    def start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """A task of this life; those it starts belong to it too."""
        token = _LIFE.set(self)
        try:
            return asyncio.get_running_loop().create_task(work)
        finally:
            _LIFE.reset(token)

    async def gone(self) -> None:
        """Returns when nothing of a dead process is left."""
        for _ in range(ROUNDS):
            self._tasks = [task for task in self._tasks if not task.done()]
            if not self._tasks:
                return
            for task in self._tasks:
                task.cancel()
            await asyncio.sleep(0)
        raise AssertionError(f"a dead process goes on: {self._tasks}")

    def _add(self, task: asyncio.Task[Any]) -> None:
        self._tasks.append(task)
        if not self.alive:
            task.cancel()


def current_life() -> Life | None:
    """The process that does this."""
    return _LIFE.get()


def task_factory(loop: asyncio.AbstractEventLoop, work: Any, **how: Any) -> asyncio.Task[Any]:
    task = asyncio.Task(work, loop=loop, **how)
    if life := _LIFE.get():
        life._add(task)
    return task
