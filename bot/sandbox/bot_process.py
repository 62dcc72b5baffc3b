"""Runs the real bot as a child process: starts it, restarts it when it dies, ends it without leftovers.

It gets the environment it would have with a real workspace; nothing of it is imported here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

# -P and PACKAGES: this bot, whatever else is called bot in the folder where somebody starts the sandbox.
BOT = (sys.executable, "-P", "-m", "bot", "serve")
PACKAGES = str(Path(__file__).parents[2])
LOG_LINES = 400
READY = "parley is ready: "
# A bot that dies sooner than this after its start is started again more slowly each time.
SETTLED_S = 10.0
LONGEST_PAUSE_S = 10.0
# As asyncio.create_subprocess_exec.
Create = Callable[..., Awaitable[Any]]
STOP_WITHIN_S = 30.0  # what a bot may take to finish its work after SIGTERM, as orchestrators give it


class BotProcess:
    """Keeps one bot running. `state` is "starting", "running", "frozen", "killed", "restarting" or
    "stopped"."""

    def __init__(
        self,
        environment: Mapping[str, str],
        command: Sequence[str] = BOT,
        *,
        create: Create = asyncio.create_subprocess_exec,
        stop_within_s: float = STOP_WITHIN_S,
        away_s: float = 0.2,
    ) -> None:
        """`stop_within_s`: how long the bot may take to end after SIGTERM; `away_s`: between its end and its
        next start."""
        path = filter(None, (PACKAGES, environment.get("PYTHONPATH")))
        self._environment = {**environment, "PYTHONPATH": os.pathsep.join(path)}
        self._command, self._create = command, create
        self._stop_within_s, self._away_s = stop_within_s, away_s
        self.state = "stopped"
        self.pid = 0
        self.starts = 0
        self.started_at = 0.0
        self.last_exit: int | None = None
        self.ops_url = ""  # of /metrics, once it is ready
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the bot and keep it running until `stop`."""
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._keep_running())

    def kill(self) -> None:
        """`kill -9`: what a crash or a lost machine does. It is started again."""
        if self._process and self._process.returncode is None:
            self._process.kill()

    def freeze(self) -> None:
        """SIGSTOP: it is there, keeps its connections and does nothing, as on a machine that hangs."""
        if self.state == "running" and self._process:
            self._process.send_signal(signal.SIGSTOP)
            self.state = "frozen"

    def resume(self) -> None:
        """SIGCONT."""
        if self.state == "frozen" and self._process:
            self._process.send_signal(signal.SIGCONT)
            self.state = "running"

    async def stop(self, *, at_once: bool = False) -> None:
        """End it as an orchestrator does: SIGTERM, patience, SIGKILL. `at_once`: SIGKILL alone."""
        if self._watch is None:
            return
        if at_once:
            self.kill()
        self._watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._watch
        self._watch = None
        self.state = "stopped"

    def about(self) -> dict[str, Any]:
        return {
            "state": self.state,
            "pid": self.pid,
            "starts": self.starts,
            "started_at": self.started_at,
            "last_exit": self.last_exit,
        }

    async def _keep_running(self) -> None:
        pause_s = self._away_s
        while True:
            self.state = "restarting" if self.starts else "starting"
            began = time.monotonic()
            await self._run_once()
            lived_s = time.monotonic() - began
            pause_s = self._away_s if lived_s > SETTLED_S else min(pause_s * 2, LONGEST_PAUSE_S)
            self.state = "killed" if self.last_exit == -signal.SIGKILL else "restarting"
            await asyncio.sleep(pause_s)

    async def _run_once(self) -> None:
        process = await self._create(
            *self._command,
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            stdin=asyncio.subprocess.DEVNULL,
            # Ctrl-C in the terminal reaches the sandbox alone, which then ends the bot in good order.
            start_new_session=True,
        )
        self._process, self.pid = process, process.pid
        self.starts += 1
        self.started_at = time.time()
        self.ops_url = ""
        try:
            await self._read_log(process)
            self.last_exit = await process.wait()
        finally:
            await self._end(process)

    async def _read_log(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self._note(line.decode("utf-8", "replace").rstrip())

    def _note(self, line: str) -> None:
        self.log.append(line)
        if line.startswith(READY):
            self.state = "running"
            self.ops_url = line.rpartition(" ")[2]

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """SIGTERM, then SIGKILL when that does not help; returns when the process is gone."""
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGCONT)
        try:
            # What it still has to say is read away: a full pipe would keep it from ending.
            async with asyncio.timeout(self._stop_within_s):
                await process.communicate()
        except TimeoutError:
            process.kill()
            await process.wait()
