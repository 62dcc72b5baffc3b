"""`make load`: an hour's worth of messages, bursts, and one person who floods, against the real process.

Printed, never asserted: how long Slack waited for its acknowledgement, how old the oldest message got, how
long the event loop was busy at a stretch, memory and file descriptors, and how long others waited meanwhile.

    python -m tests.load [--events 30000] [--burst 5000] [--transport http]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot.sandbox.model import FakeModel
from bot.sandbox.slack import FakeSlack
from tests.bench import percentile, rss_mb
from tests.reliability import note
from tests.workspace import MANIFEST, environment, is_final

ANSWER = "A short answer, as most are."
BURST_PER_S = 500
HOUR_PER_S = 30_000 / 3_600
FLOOD_PER_S = 50
SAMPLE_S = 0.25
METRIC = re.compile(r"^(parley_oldest_age_seconds|parley_loop_lag_seconds) (\S+)$", re.MULTILINE)


@dataclass
class Watched:
    """What was seen of a process while it worked; the worst of each."""

    pid: int
    ops: str
    events: str
    rss_mb: float = 0.0
    descriptors: int = 0
    worst: dict[str, float] = field(default_factory=dict)

    async def watch(self) -> None:
        async with aiohttp.ClientSession() as http:
            while True:
                self.rss_mb = max(self.rss_mb, rss_mb(self.pid))
                self.descriptors = max(self.descriptors, len(os.listdir(f"/proc/{self.pid}/fd")))
                async with http.get(f"{self.ops}/metrics") as answer:
                    for name, value in METRIC.findall(await answer.text()):
                        self.worst[name] = max(self.worst.get(name, 0.0), float(value))
                await asyncio.sleep(SAMPLE_S)


@asynccontextmanager
async def bot(slack: FakeSlack, model: FakeModel, transport: str) -> AsyncIterator[Watched]:
    with tempfile.TemporaryDirectory() as folder:
        values = environment(slack, model, Path(folder)) | {"PARLEY_TRANSPORT": transport}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "serve", env={**os.environ, **values},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        at = re.findall(r"http://[\d.:]+", line)
        if transport == "http":
            slack.events_url = f"{at[0]}/slack/events"
        watched = Watched(process.pid, at[-1], at[0])
        watching = asyncio.create_task(watched.watch())
        try:
            yield watched
        finally:
            watching.cancel()
            await asyncio.wait([watching])
            process.terminate()
            await process.wait()


async def at_pace(act: Callable[[int], Awaitable[None]], count: int, per_second: float) -> None:
    """Does something so many times, evenly; what is late is caught up with."""
    began = time.perf_counter()
    for n in range(count):
        await act(n)
        ahead_s = began + (n + 1) / per_second - time.perf_counter()
        await asyncio.sleep(max(ahead_s, 0))


def answered(slack: FakeSlack) -> int:
    there = slack.workspace
    return sum(is_final(m) for c in there.channels.values() for m in c.messages.values())


async def load(transport: str, count: int, per_second: float) -> str:
    """So many questions, each in a thread of its own; what that was like."""
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, ring=400_000) as slack,
        FakeModel(keep=10) as model,
        bot(slack, model, transport) as watched,
    ):
        model.script(ANSWER, times=0)
        began = time.perf_counter()

        def told() -> int:
            return slack.counts["chat.postMessage"] + slack.counts["chat.stopStream"]

        async def ask(n: int) -> None:
            await slack.say("alice", "#general", f"@parley question {n}")

        await at_pace(ask, count, per_second)
        asked_s = time.perf_counter() - began
        await slack.until(lambda: told() >= count, 3600)
        await asyncio.sleep(0.5)
        took_s = time.perf_counter() - began
        events = [d for d in slack.deliveries if d.kind == "events_api"]
        acks_ms = [1000 * d.acked_after_s for d in events if d.acked_after_s is not None]
        lost = count - answered(slack)
        return (
            f"{count} messages at {count / asked_s:.0f} a second, all answered after {took_s:.0f} s, "
            f"{lost} lost or doubled; ack p99 {percentile(acks_ms, 99):.0f} ms, "
            f"oldest {watched.worst.get('parley_oldest_age_seconds', 0):.0f} s, "
            f"loop lag at most {1000 * watched.worst.get('parley_loop_lag_seconds', 0):.0f} ms, "
            f"{watched.rss_mb:.0f} MiB, {watched.descriptors} descriptors"
        )


async def flood(transport: str, seconds: float) -> str:
    """What others wait for their answers while one person writes FLOOD_PER_S messages a second."""
    waits: dict[str, list[float]] = {"quiet": [], "flooded": []}
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, ring=400_000) as slack,
        FakeModel(keep=10) as model,
        bot(slack, model, transport),
    ):
        model.script(ANSWER, times=0)

        async def others(when: str) -> None:
            for n in range(int(seconds)):
                began = time.perf_counter()
                ts = await slack.say("bob", "#support", f"@parley {when} {n}")
                await slack.until(lambda ts=ts: any(map(is_final, slack.thread("#support", ts))), 60)  # type: ignore[misc]
                waits[when].append(1000 * (time.perf_counter() - began))
                await asyncio.sleep(1.0)

        async def flooding(n: int) -> None:
            await slack.say("alice", "#general", f"@parley flood {n}")

        await others("quiet")
        flooder = asyncio.create_task(at_pace(flooding, int(seconds * FLOOD_PER_S * 1.5), FLOOD_PER_S))
        await others("flooded")
        flooder.cancel()
        await asyncio.wait([flooder])
    quiet, flooded = (percentile(sorted(waits[when]), 50) for when in ("quiet", "flooded"))
    return (
        f"one person writes {FLOOD_PER_S} a second: others wait {flooded:.0f} ms (median), "
        f"{quiet:.0f} ms when it is quiet"
    )


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.load")
    parser.add_argument("--events", type=int, default=30_000)
    parser.add_argument("--burst", type=int, default=5_000)
    parser.add_argument("--pace", type=float, default=HOUR_PER_S * 12, help="messages a second for --events")
    parser.add_argument("--transport", choices=["http", "socket"], action="append")
    asked = parser.parse_args()
    for transport in asked.transport or ["socket", "http"]:
        runs = {
            f"Burst over {transport}": load(transport, asked.burst, BURST_PER_S),
            f"One person floods over {transport}": flood(transport, 10),
            f"An hour's messages over {transport}": load(transport, asked.events, asked.pace),
        }
        for what, run in runs.items():
            figures = await run
            print(f"{what}: {figures}", flush=True)
            note(what, figures)


if __name__ == "__main__":
    asyncio.run(main())
