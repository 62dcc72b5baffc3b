"""`make load`: an hour's worth of messages, bursts, and one person who floods, against the real process.

Printed, never asserted: how long Slack waited for its acknowledgement, how old the oldest message got, how
long the event loop was busy at a stretch, also while recordings are decoded and long texts parsed, memory and
file descriptors, and how long others waited meanwhile.

    python -m tests.bench.load [--events 30000] [--burst 5000] [--transport http]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.people.acts import FileUpload
from bot.sandbox.slack.server import FakeSlack
from tests.bench.replies import percentile
from tests.bench.voice import talk
from tests.faults.reliability import note
from tests.support.audio_files import encode
from tests.support.watched import watched_bot
from tests.support.workspace import MANIFEST, is_final

ANSWER = "A short answer, as most are."
LONG = " ".join(f"**{n}** [word](https://example.com/{n}) `code` <{n}> & _more_ @here\n" for n in range(150))
BURST_PER_S = 500
HOUR_PER_S = 30_000 / 3_600
FLOOD_PER_S = 50


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
        watched_bot(slack, model, PARLEY_TRANSPORT=transport) as watched,
    ):
        model.script(ANSWER, times=0)
        began = time.perf_counter()

        def count_posts() -> int:
            return slack.counts["chat.postMessage"] + slack.counts["chat.stopStream"]

        async def ask(n: int) -> None:
            await slack.say("alice", "#general", f"@parley question {n}")

        await at_pace(ask, count, per_second)
        asked_s = time.perf_counter() - began
        await slack.until(lambda: count_posts() >= count, 3600)
        await asyncio.sleep(0.5)
        took_s = time.perf_counter() - began
        lost = count - answered(slack)
        return (
            f"{count} messages at {count / asked_s:.0f} a second, all answered after {took_s:.0f} s, "
            f"{lost} lost or doubled; ack p99 {percentile(acks_ms(slack), 99):.0f} ms, "
            f"oldest {watched.worst('oldest_age_s'):.0f} s, {watched.describe()}"
        )


def acks_ms(slack: FakeSlack) -> list[float]:
    """How long each event waited for its acknowledgement."""
    events = [d for d in slack.deliveries if d.kind == "events_api"]
    return [1000 * d.acked_after_s for d in events if d.acked_after_s is not None]


async def parsers(transport: str, seconds: float) -> str:
    """Recordings to decode, one after the other, and texts as long as Slack takes them, while others ask."""
    clips = itertools.cycle(recordings())  # before Slack has sockets that nobody would answer meanwhile
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, ring=400_000) as slack,
        FakeModel(keep=10) as model,
        watched_bot(
            slack,
            model,
            PARLEY_TRANSPORT=transport,
            PARLEY_VOICE_PERSON_MINUTES="10000",
            PARLEY_VOICE_TEAM_MINUTES="10000",
        ) as watched,
    ):
        model.script(LONG, match="parse", times=0)
        model.script(ANSWER, match="question", times=0)

        async def post_recordings() -> None:
            while True:
                ts = await slack.say("carol", "#finance", "@parley", files=[next(clips)])
                await slack.until(lambda ts=ts: any(map(is_final, slack.thread("#finance", ts))), 120)  # type: ignore[misc]

        async def parse(n: int) -> None:
            await slack.say("bob", "#support", f"@parley parse {n} {LONG}")

        async def ask(n: int) -> None:
            await slack.say("alice", "#general", f"@parley question {n}")

        work = [
            asyncio.create_task(each)
            for each in (
                post_recordings(),
                post_recordings(),
                at_pace(parse, int(seconds), 1.0),
                at_pace(ask, int(seconds * 20), 20.0),
            )
        ]
        await asyncio.gather(*work[2:])
        for listener in work[:2]:
            listener.cancel()
        await asyncio.wait(work[:2])
        transcribed = model.counters["requests:audio/transcriptions"]
        return (
            f"{seconds:.0f} s of two recordings at a time ({transcribed} of 10 minutes were heard), a "
            f"message of {len(LONG)} characters with an answer as long each second, and 20 "
            f"questions a second: ack p99 {percentile(acks_ms(slack), 99):.0f} ms, {watched.describe()}"
        )


def recordings(minutes: float = 10) -> list[FileUpload]:
    """So much talk in each of the formats that people upload."""
    samples = talk(minutes)
    with tempfile.TemporaryDirectory() as folder:
        paths = [
            encode(samples, Path(folder) / f"clip.{kind}", kind) for kind in ("m4a", "webm", "mp3", "flac")
        ]
        return [
            FileUpload(path.name, path.read_bytes(), voice=True, duration_s=60 * minutes) for path in paths
        ]


async def flood(transport: str, seconds: float) -> str:
    """What others wait for their answers while one person writes FLOOD_PER_S messages a second."""
    waits: dict[str, list[float]] = {"quiet": [], "flooded": []}
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, ring=400_000) as slack,
        FakeModel(keep=10) as model,
        watched_bot(slack, model, PARLEY_TRANSPORT=transport),
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
    parser = argparse.ArgumentParser(prog="python -m tests.bench.load")
    parser.add_argument("--events", type=int, default=30_000)
    parser.add_argument("--burst", type=int, default=5_000)
    parser.add_argument("--pace", type=float, default=HOUR_PER_S * 12, help="messages a second for --events")
    parser.add_argument("--transport", choices=["http", "socket"], action="append")
    asked = parser.parse_args()
    for transport in asked.transport or ["socket", "http"]:
        runs = {
            f"Burst over {transport}": load(transport, asked.burst, BURST_PER_S),
            f"One person floods over {transport}": flood(transport, 10),
            f"Decoders and parsers at work over {transport}": parsers(transport, 60),
            f"An hour's messages over {transport}": load(transport, asked.events, asked.pace),
        }
        for what, run in runs.items():
            figures = await run
            print(f"{what}: {figures}", flush=True)
            note(what, figures)


if __name__ == "__main__":
    asyncio.run(main())
