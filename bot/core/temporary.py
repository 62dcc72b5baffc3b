"""Temporary files of this process: folders that go with their block, under one ceiling for all of them.

What people share, and what is made of it on the way to a model, must not fill the disk that the database is
on, however many send something large at the same moment.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

MEGABYTE = 1_000_000
# What somebody reads whose file is not taken for it.
NO_ROOM = "there is no room for it on my disk just now; try again in a few minutes"
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class NoRoomLeft(Exception):
    """The ceiling is reached. Whoever catches it says `NO_ROOM`."""


class TemporaryFolder:
    """One folder, and the bytes that it has taken of the space."""

    def __init__(self, space: TemporarySpace, path: Path, limit_bytes: int) -> None:
        self.path = path
        self.taken_bytes = 0
        self._space = space
        self._limit_bytes = limit_bytes

    def take(self, count_bytes: int) -> None:
        """So much more is about to be written, or was. NoRoomLeft."""
        if self._space.taken_bytes + count_bytes > self._limit_bytes:
            raise NoRoomLeft
        self._space.taken_bytes += count_bytes
        self.taken_bytes += count_bytes


class TemporarySpace:
    """What all folders of a process hold together."""

    def __init__(self) -> None:
        self.taken_bytes = 0

    @contextmanager
    def folder(self, limit_mb: int) -> Iterator[TemporaryFolder]:
        """A new folder, gone with all that is in it when the block ends. `limit_mb`: of all folders."""
        with TemporaryDirectory(prefix="parley-") as path:
            folder = TemporaryFolder(self, Path(path), limit_mb * MEGABYTE)
            try:
                yield folder
            finally:
                self.taken_bytes -= folder.taken_bytes


SPACE = TemporarySpace()  # there is one disk


def is_disk_full(error: OSError) -> bool:
    return error.errno in _DISK_FULL
