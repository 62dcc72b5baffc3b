"""The process that has imported everything and forks itself (tests/support/forked.py), from inside."""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

REQUEST_BYTES = 1 << 20
# What a process imports before it forks itself, by what it is for.
IMPORTED = {
    # What `parley serve` imports, and what it loads later: with the first request, answer or count of tokens.
    "parley": (
        "bot.cli.main", "handlers.serve", "storage.sqlite.engine", "uvloop",
        "openai.resources.chat", "openai.resources.audio", "openai.resources.models", "httpcore2", "h11",
        "truststore", "anyio.streams.tls", "genai_prices.data", "encodings.idna",
        "slack_bolt.listener_matcher.async_builtins",
    ),
    "recordings": ("bot.core.limited_child", "bot.voice.decoder_process"),
    "documents": ("bot.core.limited_child", "bot.documents.reading_process"),
    "pictures": ("bot.core.limited_child", "bot.images.picture_process"),
}  # fmt: skip
# What opens which files that people share, by the module that a limited process is to run.
LIMITED = {
    "bot.voice.decoder_process": "recordings",
    "bot.documents.reading_process": "documents",
    "bot.images.picture_process": "pictures",
}


@dataclass(frozen=True, slots=True)
class Request:
    """What a forked process is to be."""

    module: str
    arguments: list[str]
    env: dict[str, str]
    cwd: str


@dataclass(frozen=True, slots=True)
class Child:
    """A process that was forked, by whom it was asked for, and where its end is told."""

    pid: int
    pidfd: int
    status: socket.socket
    control: socket.socket

    def close(self) -> None:
        os.close(self.pidfd)
        self.status.close()


class Forking:
    """Forks for each request of each worker, until none is connected any more."""

    def __init__(self, asked: socket.socket) -> None:
        self._asked = asked
        self._selector = selectors.DefaultSelector()
        self._selector.register(asked, selectors.EVENT_READ)
        self._controls: list[socket.socket] = []
        self._children: dict[int, Child] = {}

    def wait(self) -> Request:
        """Returns in a child alone."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._asked:
                    self._welcome()
                elif key.fd in self._children:
                    self._tell_end(self._children.pop(key.fd))
                elif isinstance(key.fileobj, socket.socket) and (request := self._ask(key.fileobj)):
                    return request

    def _welcome(self) -> None:
        with suppress(BlockingIOError):
            control, _ = self._asked.accept()
            control.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, REQUEST_BYTES)
            self._controls.append(control)
            self._selector.register(control, selectors.EVENT_READ)

    def _ask(self, control: socket.socket) -> Request | None:
        """What the child is to be, in that child."""
        data, fds, _, _ = socket.recv_fds(control, REQUEST_BYTES, 8)
        if not data:
            self._part(control)
            return None
        pid = os.fork()
        if pid == 0:
            self._close()
            return _become(Request(**json.loads(data)), fds)
        status, *given = fds
        for fd in given:
            os.close(fd)
        child = Child(pid, os.pidfd_open(pid), socket.socket(fileno=status), control)
        self._children[child.pidfd] = child
        self._selector.register(child.pidfd, selectors.EVENT_READ)
        socket.send_fds(child.status, [str(pid).encode()], [child.pidfd])
        return None

    def _tell_end(self, child: Child) -> None:
        self._selector.unregister(child.pidfd)
        _, ended = os.waitpid(child.pid, 0)
        with suppress(BrokenPipeError):
            child.status.send(str(os.waitstatus_to_exitcode(ended)).encode())
        child.close()

    def _part(self, control: socket.socket) -> None:
        """A worker has ended, and with it what it started; the last one takes this process along."""
        for child in self._children.values():
            if child.control is control:
                signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)
        self._selector.unregister(control)
        self._controls.remove(control)
        control.close()
        if not self._controls:
            Path(self._asked.getsockname()).unlink(missing_ok=True)
            self._asked.setblocking(False)
            self._welcome()  # who came just before that
        if not self._controls:
            os._exit(0)

    def _close(self) -> None:
        """What a child must not hold."""
        self._selector.close()
        for held in (self._asked, *self._controls):
            held.close()
        for child in self._children.values():
            child.close()


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
    asked = socket.socket(fileno=int(sys.argv[1]))
    for module in IMPORTED[sys.argv[2]]:
        importlib.import_module(module)
    assert len(os.listdir("/proc/self/task")) == 1, "a process with threads must not fork"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the tests, which then end it
    gc.collect()
    gc.freeze()
    request = Forking(asked).wait()
    sys.argv = [request.module, *request.arguments]
    runpy.run_module(request.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
