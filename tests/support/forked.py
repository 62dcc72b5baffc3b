"""Starts `python -m …` as a real process without waiting for its imports.

Importing the bot costs more CPU than most tests of a started bot need for all the rest. So one process per
pytest worker imports everything, once, and forks itself for each start. What it starts is a process like any
other: with its own environment and output, killed by real signals, with an exit status of its own.

What has to be loaded before Python itself (LD_PRELOAD) is loaded by such a process of its own. Where there
are no pidfds, each start is a plain one.
"""

from __future__ import annotations

import asyncio
import atexit
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NoReturn

# What `parley serve` imports, and what it loads later: with the first request, answer or count of tokens.
IMPORTED = (
    "bot.cli.main", "handlers.serve", "storage.sqlite.engine", "uvloop",
    "openai.resources.chat", "openai.resources.audio", "openai.resources.models", "httpcore2", "h11",
    "truststore", "anyio.streams.tls", "genai_prices.data", "encodings.idna",
    "slack_bolt.listener_matcher.async_builtins",
)  # fmt: skip
CAN_FORK = sys.platform == "linux" and hasattr(os, "pidfd_open")
REQUEST_BYTES = 1 << 20

PIPE, STDOUT, DEVNULL = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT, asyncio.subprocess.DEVNULL


async def start_module(
    module: str, *arguments: str, env: Mapping[str, str], stdout: Any = None, stderr: Any = None
) -> Process:
    """`python -m module arguments` as a process; the rest is as in asyncio.create_subprocess_exec."""
    if not CAN_FORK:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, env=env, stdout=stdout, stderr=stderr
        )
    ours: list[int | None] = []  # ends of pipes to read from
    given = [os.open(os.devnull, os.O_RDWR)]
    for number, to in enumerate((stdout, stderr), start=1):
        pipe = os.pipe() if to == PIPE else None
        ours.append(pipe and pipe[0])
        if pipe:
            given.append(pipe[1])
        elif to == STDOUT:
            given.append(os.dup(given[1]))
        elif to == DEVNULL:
            given.append(os.dup(given[0]))
        else:
            given.append(os.dup(number if to is None else to if isinstance(to, int) else to.fileno()))
    here, there = socket.socketpair()
    request = {
        "module": module,
        "arguments": arguments,
        "env": {"PARLEY_ENV_FILE": ""} | dict(env),
        "cwd": os.getcwd(),
    }
    control = _imported_with(env.get("LD_PRELOAD", ""))
    socket.send_fds(control, [json.dumps(request).encode()], [there.fileno(), *given])
    for fd in given:
        os.close(fd)
    there.close()
    pid, (pidfd,), _, _ = socket.recv_fds(here, 64, 1)
    out, errors = [Output(fd) if fd is not None else None for fd in ours]
    return ForkedProcess(int(pid), pidfd, here, out, errors)


class Output(asyncio.StreamReader):
    """What a process writes into a pipe."""

    def __init__(self, fd: int) -> None:
        super().__init__()
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


# The process that has imported everything, seen from the tests.

_waiting: dict[str, tuple[subprocess.Popen[bytes], socket.socket]] = {}


def _imported_with(preload: str) -> socket.socket:
    """Where to ask for a start with this library loaded first; at most one such library is kept loaded."""
    if preload not in _waiting:
        for other in [name for name in _waiting if name and preload]:
            _stop(other)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, REQUEST_BYTES)
        environ = os.environ | {"OPENBLAS_NUM_THREADS": "1"} | ({"LD_PRELOAD": preload} if preload else {})
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.forked", str(theirs.fileno())],
            env=environ, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()
        _waiting[preload] = process, ours
    return _waiting[preload][1]


def _stop(preload: str) -> None:
    process, control = _waiting.pop(preload)
    control.close()
    process.wait()


@atexit.register
def _stop_all() -> None:
    for preload in list(_waiting):
        _stop(preload)


# The same process from inside.


@dataclass(frozen=True, slots=True)
class Request:
    """What a forked process is to be."""

    module: str
    arguments: list[str]
    env: dict[str, str]
    cwd: str


@dataclass(frozen=True, slots=True)
class Child:
    """A process that was forked, and where its end is told."""

    pid: int
    pidfd: int
    status: socket.socket

    def close(self) -> None:
        os.close(self.pidfd)
        self.status.close()


def fork_when_asked(control: socket.socket) -> Request:
    """Forks for each request, and returns in the child alone: the process itself ends when nobody asks."""
    children: dict[int, Child] = {}
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is control:
                    data, fds, _, _ = socket.recv_fds(control, REQUEST_BYTES, 8)
                    if not data:
                        _end(children.values())
                    pid = os.fork()
                    if pid == 0:
                        for child in children.values():
                            child.close()
                        control.close()
                        return _become(Request(**json.loads(data)), fds)
                    status, *given = fds
                    for fd in given:
                        os.close(fd)
                    child = Child(pid, os.pidfd_open(pid), socket.socket(fileno=status))
                    children[child.pidfd] = child
                    selector.register(child.pidfd, selectors.EVENT_READ)
                    socket.send_fds(child.status, [str(pid).encode()], [child.pidfd])
                else:
                    child = children.pop(key.fd)
                    selector.unregister(key.fd)
                    _, ended = os.waitpid(child.pid, 0)
                    with suppress(BrokenPipeError):
                        child.status.send(str(os.waitstatus_to_exitcode(ended)).encode())
                    child.close()


def _end(children: Any) -> NoReturn:
    for child in children:
        signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)
    os._exit(0)


def _become(request: Request, fds: list[int]) -> Request:
    """Gives this process the files, folder and environment it was asked for."""
    status, *given = fds
    os.close(status)
    for number, fd in enumerate(given):
        os.dup2(fd, number)
        os.close(fd)
    os.chdir(request.cwd)
    os.environ.clear()
    os.environ.update(request.env)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return request


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    control.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, REQUEST_BYTES)
    for module in IMPORTED:
        importlib.import_module(module)
    assert len(os.listdir("/proc/self/task")) == 1, "a process with threads must not fork"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which then end it
    gc.collect()
    gc.freeze()
    request = fork_when_asked(control)
    sys.argv = [request.module, *request.arguments]
    runpy.run_module(request.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
