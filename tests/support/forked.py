"""Starts `python -m …` as a real process without waiting for its imports.

Importing the bot costs more CPU than most tests of a started bot need for all the rest. So one process of a
test run imports everything, once, and forks itself for each start that a pytest worker asks for. What it
starts is a process like any other: with its own environment and output, killed by real signals, with an exit
status of its own.

What has to be loaded before Python itself (LD_PRELOAD) is loaded by such a process of its own, and what opens
the files that people share has one of its own too, with nothing in its environment. Where there are no
pidfds, each start is a plain one.
"""

from __future__ import annotations

import asyncio
import atexit
import fcntl
import json
import os
import signal
import socket
import sys
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.forking import LIMITED, REQUEST_BYTES

CAN_FORK = sys.platform == "linux" and hasattr(os, "pidfd_open")
LINE_BYTES = 1 << 16  # as asyncio has it

PIPE, STDOUT, DEVNULL = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT, asyncio.subprocess.DEVNULL


async def start_module(
    module: str, *arguments: str, env: Mapping[str, str], stdout: Any = None, stderr: Any = None
) -> Process:
    """`python -m module arguments` as a process; the rest is as in asyncio.create_subprocess_exec."""
    if not CAN_FORK:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, env=env, stdout=stdout, stderr=stderr
        )
    preload = env.get("LD_PRELOAD", "")
    start = Start("parley", os.environ | ({"LD_PRELOAD": preload} if preload else {}), preload)
    env = {"PARLEY_ENV_FILE": "", **env}
    return _fork(start, module, *arguments, env=env, stdout=stdout, stderr=stderr)


def start_limited(
    module: str, *arguments: str, stdin: Any, env: Mapping[str, str], limit: int
) -> ForkedProcess:
    """`python -m bot.core.limited_child module arguments`, which writes into a pipe."""
    start = Start(LIMITED[module], env)
    files = {"stdin": stdin, "stdout": PIPE, "stderr": DEVNULL}
    return _fork(start, "bot.core.limited_child", module, *arguments, env=env, limit=limit, **files)


@dataclass(frozen=True, slots=True)
class Start:
    """How the process that forks itself is begun; what it imports is in tests/support/forking.py."""

    kind: str
    environ: Mapping[str, str]
    preload: str = ""

    @property
    def key(self) -> str:
        return f"{self.preload}:{self.kind}"


def _fork(
    start: Start,
    module: str,
    *arguments: str,
    env: Mapping[str, str],
    stdin: Any = None,
    stdout: Any = None,
    stderr: Any = None,
    limit: int = LINE_BYTES,
) -> ForkedProcess:
    ours: list[int | None] = []  # ends of pipes to read from
    given = [os.open(os.devnull, os.O_RDWR) if stdin is None else os.dup(stdin.fileno())]
    for number, to in enumerate((stdout, stderr), start=1):
        pipe = os.pipe() if to == PIPE else None
        ours.append(pipe and pipe[0])
        if pipe:
            given.append(pipe[1])
        elif to == STDOUT:
            given.append(os.dup(given[1]))
        elif to == DEVNULL:
            given.append(os.open(os.devnull, os.O_RDWR))
        else:
            given.append(os.dup(number if to is None else to if isinstance(to, int) else to.fileno()))
    here, there = socket.socketpair()
    request = {"module": module, "arguments": arguments, "env": dict(env), "cwd": os.getcwd()}
    control = _imported_by(start)
    socket.send_fds(control, [json.dumps(request).encode()], [there.fileno(), *given])
    for fd in given:
        os.close(fd)
    there.close()
    pid, (pidfd,), _, _ = socket.recv_fds(here, 64, 1)
    out, errors = [Output(fd, limit) if fd is not None else None for fd in ours]
    return ForkedProcess(int(pid), pidfd, here, out, errors)


class Output(asyncio.StreamReader):
    """What a process writes into a pipe."""

    def __init__(self, fd: int, limit: int) -> None:
        super().__init__(limit)
        self._fd = fd
        os.set_blocking(fd, False)
        asyncio.get_running_loop().add_reader(fd, self.take)

    def take(self) -> bool:
        """Reads what there is; whether there may be more."""
        try:
            data = os.read(self._fd, 1 << 16)
        except BlockingIOError:
            return False
        if data:
            self.feed_data(data)
        else:
            self.close()
        return bool(data)

    def close(self) -> None:
        if self._fd >= 0:
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1
            self.feed_eof()

    def take_all(self) -> None:
        """The rest, when nobody writes any more."""
        while self._fd >= 0 and self.take():
            pass
        self.close()


class ForkedProcess:
    """A started process, with what the tests need of asyncio.subprocess.Process."""

    def __init__(
        self,
        pid: int,
        pidfd: int,
        status: socket.socket,
        stdout: Output | None,
        stderr: Output | None,
    ) -> None:
        """`status`: where its exit status is written when it has ended."""
        self.pid, self.stdout, self.stderr = pid, stdout, stderr
        self.returncode: int | None = None
        self._pidfd, self._status = pidfd, status
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._loop.add_reader(status, self._end)

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        await asyncio.shield(self._ended)
        assert self.returncode is not None
        return self.returncode

    async def communicate(self) -> tuple[bytes, bytes]:
        """All of its output, once it has ended."""
        await self.wait()
        return (
            await self.stdout.read() if self.stdout else b"",
            await self.stderr.read() if self.stderr else b"",
        )

    def _end(self) -> None:
        self._loop.remove_reader(self._status)
        self.returncode = int(self._status.recv(64) or -signal.SIGKILL)
        self._status.close()
        os.close(self._pidfd)
        for pipe in (self.stdout, self.stderr):
            if pipe:
                pipe.take_all()
        self._ended.set_result(None)


Process = ForkedProcess | asyncio.subprocess.Process


# By what they have imported: where to ask for a start.
_waiting: dict[str, socket.socket] = {}


def _imported_by(start: Start) -> socket.socket:
    """Where to ask for such a start; at most one library is kept loaded before Python."""
    if start.key not in _waiting:
        for other in [key for key in _waiting if start.preload and not key.startswith(":")]:
            _waiting.pop(other).close()
        _waiting[start.key] = _connect(start)
    return _waiting[start.key]


def _connect(start: Start) -> socket.socket:
    """A way to the process that all workers of the run have in common; the first of them begins it."""
    from tests.support.made_once import shared_folder  # not in that process, which imports what it is for

    path = shared_folder() / f"forks-{zlib.crc32(start.key.encode())}"
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, REQUEST_BYTES)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            control.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            _begin(start, path)
            control.connect(str(path))
    return control


def _begin(start: Start, path: Path) -> None:
    """It can be asked at once, and ends when nobody is connected any more."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asked:
        asked.bind(str(path))
        asked.listen(64)
        asked.set_inheritable(True)
        command = [sys.executable, "-m", "tests.support.forking", str(asked.fileno()), start.kind]
        environ = {"OPENBLAS_NUM_THREADS": "1", **start.environ}
        nothing = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
        os.posix_spawn(sys.executable, command, environ, file_actions=nothing)


@atexit.register
def _stop_all() -> None:
    for control in _waiting.values():
        control.close()
