"""Starts a process that opens what a person shared, and listens to it.

It has ceilings on memory, processor time and output, no network, nothing of our environment, and its file as
standard input (bot/core/limited_child.py). A file that crashes its decoder costs nothing but itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

LINE_BYTES = 8 << 20  # longest line of the child
# glibc gives large blocks back at once, instead of growing a heap full of holes with the file's length.
CHILD_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_THREAD_LIMIT": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "LC_ALL": "C.UTF-8",
}


@dataclass(frozen=True, slots=True)
class ProcessLimits:
    """What a process may take."""

    memory_bytes: int
    cpu_s: float
    output_bytes: int = 64 << 20  # of each file that it writes
    stall_s: float = 20.0  # so long it may say nothing
    may_start: bool = False  # other programs, under the same limits


@dataclass(slots=True)
class LimitedProcess:
    """A running child and how it ended."""

    process: Process
    name: str
    stall_s: float
    silent: bool = False

    async def lines(self) -> AsyncIterator[dict[str, Any]]:
        """What the child says, until it is done; ends early when it falls silent or dies."""
        assert self.process.stdout
        while True:
            try:
                async with asyncio.timeout(self.stall_s):
                    line = await self.process.stdout.readline()
            except TimeoutError:
                self.silent = True
                log.warning("%s said nothing for %s s", self.name, self.stall_s)
                return
            if not line.endswith(b"\n"):
                return
            yield json.loads(line)

    async def out_of_time(self) -> bool:
        """Whether it ended because its time was over. Ask after the last line."""
        if self.silent:
            return True
        # With both limits alike the kernel sends the one or the other.
        return await self.process.wait() in (-signal.SIGXCPU, -signal.SIGKILL)


@asynccontextmanager
async def limited_process(
    module: str, orders: Mapping[str, Any], source: Path, *, limits: ProcessLimits
) -> AsyncIterator[LimitedProcess]:
    """A process that runs `main(orders, source)` of a module; ended with the block."""
    ceilings = {
        "memory_bytes": limits.memory_bytes,
        "cpu_s": limits.cpu_s,
        "output_bytes": limits.output_bytes,
        "may_start": limits.may_start,
    }
    command = ("-P", "-m", "bot.core.limited_child", module, json.dumps(orders), json.dumps(ceilings))
    with source.open("rb") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *command),
            stdin=file,
            stdout=PIPE,
            stderr=DEVNULL,
            env=CHILD_ENVIRONMENT | {"PYTHONPATH": str(Path(__file__).parents[2])},
            limit=LINE_BYTES,
        )
    name = module.rpartition(".")[2]
    try:
        yield LimitedProcess(process, name, limits.stall_s)
    finally:
        # Not process.kill(): it may reap the child under the event loop's feet (CPython 3.11).
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        code = await process.wait()
        if code > 0:
            log.warning("%s ended with status %s", name, code)
