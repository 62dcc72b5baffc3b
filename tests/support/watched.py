"""The real bot in a process of its own, looked at four times a second while it works."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from tests.bench.replies import rss_mb
from tests.support.workspace import environment

SAMPLE_S = 0.25
METRIC = re.compile(r"^parley_(oldest_age|loop_lag)_seconds (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Sample:
    """What was seen at one moment. `lag_s`: the worst of the last seconds, so never less than it was."""

    at_s: float
    rss_mb: float
    descriptors: int
    lag_s: float
    oldest_age_s: float


@dataclass
class Watched:
    """A process and what was seen of it. `url`: where it takes Slack's requests."""

    pid: int
    url: str
    ops: str
    database: Path
    samples: list[Sample] = field(default_factory=list)

    async def watch(self) -> None:
        async with aiohttp.ClientSession() as http:
            while True:
                async with http.get(f"{self.ops}/metrics") as answer:
                    found = {name: float(value) for name, value in METRIC.findall(await answer.text())}
                self.samples.append(
                    Sample(
                        at_s=time.monotonic(),
                        rss_mb=rss_mb(self.pid),
                        descriptors=len(os.listdir(f"/proc/{self.pid}/fd")),
                        lag_s=found.get("loop_lag", 0.0),
                        oldest_age_s=found.get("oldest_age", 0.0),
                    )
                )
                await asyncio.sleep(SAMPLE_S)

    def worst(self, what: str) -> float:
        return max(self.each(what), default=0.0)

    def each(self, what: str) -> list[float]:
        return [float(getattr(sample, what)) for sample in self.samples]

    def describe(self) -> str:
        """How the loop, memory and descriptors did."""
        lags_ms = sorted(1000 * lag_s for lag_s in self.each("lag_s"))
        return (
            f"loop lag p99 {lags_ms[int(0.99 * len(lags_ms))]:.0f} ms and at most {lags_ms[-1]:.0f} ms, "
            f"{self.worst('rss_mb'):.0f} MiB, {self.worst('descriptors'):.0f} descriptors"
        )


@asynccontextmanager
async def watched_bot(slack: FakeSlack, model: FakeModel, **environ: str) -> AsyncIterator[Watched]:
    with tempfile.TemporaryDirectory() as folder:
        values = environment(slack, model, Path(folder)) | environ
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "serve", env={**os.environ, **values},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdout is not None
        at = re.findall(r"http://[\d.:]+", (await process.stdout.readline()).decode())
        watched = Watched(process.pid, at[0], at[-1], Path(folder) / "parley.db")
        if environ.get("PARLEY_TRANSPORT") == "http":
            slack.events_url = f"{at[0]}/slack/events"
        else:
            await slack.until(lambda: slack.sockets.connections)
        watching = asyncio.create_task(watched.watch())
        try:
            yield watched
        finally:
            watching.cancel()
            await asyncio.wait([watching])
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
