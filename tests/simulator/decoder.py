"""The process that decodes a recording, played: the one that bot/voice/decoding.py starts needs a real clock.

It is replaced where a process would begin (the event loop's `subprocess_exec`), so that all of its parent is
real: what it is handed, how its lines are read, how it is ended. A recording of a story is JSON that says
what there is to decode; what real ones do to the real child is shown in tests/voice/test_decoding.py.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

LINE_S = 0.05
NO_PROCESS = 1 << 30  # above every number that a process can have
KILLED = -9


def clip(number: int, *, parts: int = 1, part_s: float = 4.0, trouble: str = "") -> bytes:
    """A recording of a question. `trouble`: refused, silent, or dies."""
    return json.dumps({"number": number, "parts": parts, "part_s": part_s, "trouble": trouble}).encode()


def part_of(number: int, index: int, of: int, length_s: float) -> bytes:
    return json.dumps({"number": number, "index": index, "of": of, "length_s": length_s}).encode()


class Decoder(asyncio.SubprocessTransport):
    """One run. The lines it says come one after the other, and then its end."""

    def __init__(self, protocol: asyncio.SubprocessProtocol, orders: dict[str, Any], file: BinaryIO) -> None:
        super().__init__()
        self._protocol = protocol
        self._lines = list(_work(json.loads(file.read()), Path(orders["into"])))
        self._returncode: int | None = None
        protocol.connection_made(self)
        self._later(self._say)

    def get_pid(self) -> int:
        return NO_PROCESS

    def get_returncode(self) -> int | None:
        return self._returncode

    def get_pipe_transport(self, fd: int) -> asyncio.BaseTransport | None:
        return _Pipe() if fd == 1 else None

    def close(self) -> None:
        """Everything of it is gone."""

    async def _wait(self) -> int:
        """Whoever waits has read all of it, or killed it."""
        return KILLED if self._returncode is None else self._returncode

    def _later(self, then: Callable[[], None]) -> None:
        asyncio.get_running_loop().call_later(LINE_S, then)

    def _say(self) -> None:
        if self._lines:
            self._protocol.pipe_data_received(1, json.dumps(self._lines.pop(0)).encode() + b"\n")
            self._later(self._say)
            return
        self._returncode = 0
        self._protocol.pipe_connection_lost(1, None)
        self._protocol.process_exited()


class _Pipe(asyncio.ReadTransport):
    def pause_reading(self) -> None:
        """A line fits."""

    def resume_reading(self) -> None:
        """Nothing was paused."""


def _work(task: dict[str, Any], into: Path) -> list[dict[str, Any]]:
    """What the child says of a recording."""
    number, count, part_s = task["number"], task["parts"], task["part_s"]
    if task["trouble"] == "dies":
        return []
    if task["trouble"] == "refused":
        return [{"refused": "it is broken"}]
    length_s = count * part_s
    sounds = [] if task["trouble"] == "silent" else [[0.0, length_s]]
    found = {"container": "m4a", "length_s": length_s, "sounds": sounds, "damaged": False}
    if count == 1:
        return [{"at_s": length_s, "of_s": length_s}, found | {"unchanged": True}]
    lines: list[dict[str, Any]] = []
    for index in range(count):
        name, start_s = f"part{index}.flac", index * part_s
        (into / name).write_bytes(part_of(number, index, count, part_s))
        lines.append({"part": name, "span": [start_s, start_s + part_s], "overlap_s": 0.0})
    return [*lines, found | {"unchanged": False}]
