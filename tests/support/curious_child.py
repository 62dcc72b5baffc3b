"""Runs in a limited process and tells what it was able to do there."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
from collections.abc import Callable
from typing import Any, BinaryIO

from bot.core.limited_child import write_line


def main(orders: dict[str, Any], source: BinaryIO) -> None:
    act = globals().get(orders["does"])
    if act:
        act()
    libc = ctypes.CDLL(None, use_errno=True)
    write_line(
        content=source.read().decode(),
        environment=sorted(os.environ),
        socket=_works(socket.socket),
        native_socket=libc.socket(2, 1, 0) >= 0,
        kill=_works(lambda: os.kill(os.getppid(), 0)),
        native_kill=libc.kill(os.getppid(), 0) == 0,
        program=_works(lambda: subprocess.run(["true"], check=True)),
    )


def take_memory() -> None:
    bytearray(1 << 30)


def turn_forever() -> None:
    while True:
        pass


def fall() -> None:
    os.abort()


def _works(act: Callable[[], object]) -> bool:
    try:
        act()
    except OSError:
        return False
    return True
