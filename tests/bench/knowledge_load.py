"""`python -m tests.bench.knowledge_load`: how late the event loop is while a book is taken in.

A book of 1,000 pages is given to the running bot, which answers 20 questions a second in another channel all
the while; beside it the same questions without a book. The bot notes every few milliseconds how late its loop
is (tests/bench/ticking_bot.py).

    python -m tests.bench.knowledge_load [--pages 1000] [--embeddings local:multilingual]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from tests.bench.load import answered, at_pace
from tests.bench.reading import book
from tests.support.workspace import MANIFEST, environment

PER_S = 20.0
GOAL_MS = 100.0
SETTLES_S = 3.0  # until what is done once at the start is done
ALONE_S = 20.0
VECTORS_S = 30.0  # of the making of vectors, which goes on behind it


@dataclass(frozen=True, slots=True)
class Load:
    """What was done in a while, and how late the loop was at each moment of it."""

    told: str
    answers: int
    late_ms: list[float]

    def at(self, share: float) -> float:
        return sorted(self.late_ms)[int(share * (len(self.late_ms) - 1))]

    def describe(self) -> str:
        late = f"loop lag p50 {self.at(0.5):.1f} ms, p99 {self.at(0.99):.0f} ms, at most {self.at(1):.0f} ms"
        return f"{self.told}, {self.answers} answers; {late}"


async def measure(folder: Path, book_path: Path | None, *, embeddings: str = "") -> Load:
    """The lateness while questions are answered, and a book, if there is one, is taken in."""
    noted = folder / "late"
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, ring=400_000) as slack,
        FakeModel(keep=10) as model,
    ):
        model.script("A short answer, as most are.", times=0)
        environ = {**os.environ, **environment(slack, model, folder), "PARLEY_EMBEDDINGS": embeddings}
        async with ticking_bot(environ, noted):
            await slack.until(lambda: slack.sockets.connections)
            asking = asyncio.create_task(ask(slack))
            await asyncio.sleep(SETTLES_S)
            began, before = time.monotonic(), answered(slack)
            told = await add(environ, slack.channel("#finance"), book_path) if book_path else "no book"
            if embeddings or not book_path:
                await asyncio.sleep(VECTORS_S if book_path else ALONE_S)
            ended, answers = time.monotonic(), answered(slack) - before
            asking.cancel()
            await asyncio.wait([asking])
    moments = (map(float, line.split()) for line in noted.read_text().splitlines())
    late_ms = [1000 * late for at, late in moments if began <= at <= ended]
    return Load(f"{told} in {ended - began:.0f} s", answers, late_ms)


@asynccontextmanager
async def ticking_bot(environ: dict[str, str], noted: Path) -> AsyncIterator[None]:
    command = (sys.executable, "-m", "tests.bench.ticking_bot", str(noted))
    process = await asyncio.create_subprocess_exec(
        *command, env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    await process.stdout.readline()
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


async def ask(slack: FakeSlack) -> None:
    async def say(n: int) -> None:
        await slack.say("alice", "#general", f"@parley question {n}")

    await at_pace(say, sys.maxsize, PER_S)


async def add(environ: dict[str, str], channel: str, path: Path) -> str:
    """As an operator does, beside the running bot; what became of it."""
    command = (sys.executable, "-m", "bot", "knowledge", "add", "--channel", channel, str(path), "--json")
    process = await asyncio.create_subprocess_exec(*command, env=environ, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    told: dict[str, Any] = json.loads(output)[0]
    if told["state"] != "searchable":
        raise SystemExit(f"the book was not taken in: {told['problem']}")
    return f"{told['pages_read']} pages, {told['chunks']} chunks"


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.knowledge_load")
    parser.add_argument("--pages", type=int, default=1_000)
    parser.add_argument("--embeddings", default="")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.pdf"
        path.write_bytes(book(args.pages))
        print(f"{PER_S:.0f} questions a second beside a book; goal: loop lag p99 < {GOAL_MS:.0f} ms")
        for name, given in (("alone", None), ("beside", path)):
            own = Path(folder) / name
            own.mkdir()
            load = await measure(own, given, embeddings=args.embeddings)
            met = "met" if load.at(0.99) < GOAL_MS else "NOT MET"
            print(f"{name}: {load.describe()}" + (f"   {met}" if given else ""), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
