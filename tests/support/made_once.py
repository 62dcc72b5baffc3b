"""What takes seconds to make is made once for a test run, by the worker that needs it first."""

from __future__ import annotations

import asyncio
import atexit
import fcntl
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

from tests.support.engines import SQLITE, keep_database, running_engine
from tests.support.rows import FILE

Make = Callable[[Path], Awaitable[object]]  # given the folder to make it in
_shared: list[Path] = []
_kept: dict[str, Path] = {}


def share(folder: Path) -> None:
    """Says which folder the workers have in common."""
    _shared[:] = [folder]


def shared_folder() -> Path:
    """What all workers of the run see."""
    return _shared[0] if _shared else _own_folder()


async def made_once(name: str, make: Make) -> Path:
    """The folder in which it was made; nobody changes it. Whoever comes meanwhile waits."""
    made = shared_folder() / f"made-{name}"
    if not made.exists():
        with made.with_suffix(".lock").open("w") as lock:
            await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
            if not made.exists():
                begun = Path(tempfile.mkdtemp(dir=made.parent))
                await make(begun)
                begun.rename(made)
    return made


async def database_made_once(name: str, make: Make) -> Path:
    """The file of a database to copy; on PostgreSQL each worker has its own."""
    if running_engine() == SQLITE:
        return await made_once(name, make) / FILE
    if name not in _kept:
        folder = _temporary_folder()
        await make(folder)
        keep_database(folder / FILE)
        _kept[name] = folder / FILE
    return _kept[name]


@cache
def _own_folder() -> Path:
    return _temporary_folder()


def _temporary_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="parley-made-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
