"""`make bench`: what Parley costs and how fast it is, as ratios to a bare bot measured in the same run.

The fakes and the driver live in this process, each bot in one of its own; CPU and memory are the bot's,
read from /proc. Rate limits of the fake Slack are off. Figures are printed, never asserted: machines
differ, ratios less so. "tuned" is the bare bot with one session for all requests and no look-ups of proxies.

    python -m tests.bench.replies [--replies 1000] [--only paced]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from tests.bench.words import lateness_ms, visible_words
from tests.support.workspace import MANIFEST, environment, workspace

BOTS = {
    "bare": [sys.executable, "-m", "tests.bench.bare_bot"],
    "tuned": [sys.executable, "-m", "tests.bench.bare_bot", "--tuned"],
    "parley": [sys.executable, "-m", "bot", "serve"],
}
ANSWER = " ".join(f"word{n % 10}" for n in range(100))
PER_SECOND = 10.0
REAL_SPEED = {"first_token_s": 0.2, "tokens_per_s": 50.0}
IN_FLIGHT = 64
STARTS = 9
IDLE, SETTLES_S = 0.03, 1.0  # of a core; for so long
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
ADDRESS = re.compile(rb"http://[\d.]+:\d+")


@dataclass(frozen=True)
class Run:
    """One bot's figures for one load."""

    bot: str
    replies: int
    wall_s: float
    cpu_s: float
    rss_mb: float
    ready_s: float
    ready_cpu_s: float
    calls: dict[str, float]  # requests to Slack per reply, by method
    words_ms: dict[int, list[float]]  # from the model's n-th word until so many could be read
    ack_ms: list[float]

    @property
    def per_second(self) -> float:
        return self.replies / self.wall_s

    @property
    def cpu_ms(self) -> float:
        return 1000 * self.cpu_s / self.replies


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


async def settled(pids: Sequence[int]) -> None:
    """Until what bots do once after their start is done, and they do nothing."""
    before = -1.0
    while (now := sum(map(cpu_s, pids))) - before > IDLE * SETTLES_S * len(pids):
        before = now
        await asyncio.sleep(SETTLES_S)


def rss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def percentile(values: Sequence[float], percent: int) -> float:
    return statistics.quantiles(values, n=100)[percent - 1] if len(values) > 1 else float("nan")


@asynccontextmanager
async def running(
    name: str, slack: FakeSlack, model: FakeModel, **more: str
) -> AsyncIterator[tuple[int, float, float]]:
    """A bot as a process of its own; yields its pid, and the seconds and CPU seconds until it was ready."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, **environment(slack, model, Path(folder)), **more}
        began = time.perf_counter()
        log = Path(folder) / "log"
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *BOTS[name], env=environ, stdout=asyncio.subprocess.PIPE, stderr=errors
            )
        assert process.stdout is not None
        line = await process.stdout.readline()
        if b"ready" not in line:
            raise SystemExit(f"{name} did not start: {log.read_text()}")
        if environ.get("PARLEY_TRANSPORT") == "http":
            slack.events_url = f"{ADDRESS.findall(line)[0].decode()}/slack/events"
        try:
            yield process.pid, time.perf_counter() - began, cpu_s(process.pid)
        finally:
            process.terminate()
            await process.wait()


async def measure(
    name: str,
    *,
    replies: int,
    per_second: float = 0.0,
    first_token_s: float = 0.0,
    tokens_per_s: float = 0.0,
    conversations: int = 0,
    transport: str = "socket",
) -> Run:
    """Has a bot answer `replies` posts, at a pace or (0) always IN_FLIGHT at a time.

    In a thread of its own each, or spread over so many `conversations`.
    """
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False, ring=400_000) as slack,
        FakeModel(first_token_s=first_token_s, tokens_per_s=tokens_per_s, keep=200_000) as model,
        running(name, slack, model, PARLEY_TRANSPORT=transport) as (pid, ready_s, ready_cpu_s),
    ):
        model.script(ANSWER, times=0)
        await ask(slack, 20, per_second, prefix="warm")
        await settled([pid])
        slack.record.clear()
        before = cpu_s(pid)
        began = time.perf_counter()
        asked = await ask(slack, replies, per_second, prefix="load", conversations=conversations)
        wall_s = time.perf_counter() - began
        visible = visible_words(slack.requests)
        return Run(
            name,
            replies,
            wall_s,
            cpu_s(pid) - before,
            rss_mb(pid),
            ready_s,
            ready_cpu_s,
            {m: n / replies for m, n in Counter(r.method for r in slack.requests).items()},
            {
                words: lateness_ms(words, visible, model.requests, asked, per_s=tokens_per_s)
                for words in (1, 5, 20)
            },
            [1000 * d.acked_after_s for d in slack.deliveries if d.acked_after_s is not None],
        )


async def ask(
    slack: FakeSlack, count: int, per_second: float, *, prefix: str, conversations: int = 0
) -> dict[str, str]:
    """Mentions the bot `count` times and waits for every reply; thread ids by the text of the question."""
    asked: dict[str, str] = {}
    threads: list[str] = []
    done = finals(slack)
    for number in range(count):
        text = f"@parley {prefix}-{number:06d} how are things?"
        thread = threads[number % conversations] if 0 < conversations <= number else None
        ts = await slack.say("alice", "#general", text, thread_ts=thread)
        asked[text.split()[1]] = thread or ts
        threads.append(ts)
        if per_second:
            await asyncio.sleep(1 / per_second)
        else:
            await slack.until(lambda n=number: n - (finals(slack) - done) < IN_FLIGHT, 60)  # type: ignore[misc]
    await slack.until(lambda: finals(slack) - done >= count, 120)
    return asked


def finals(slack: FakeSlack) -> int:
    """Replies that are finished: stopped streams and single posts."""
    return slack.counts["chat.stopStream"] + slack.counts["chat.postMessage"]


def report(title: str, runs: Sequence[Run]) -> None:
    """One load as a table; ratios are the last bot's to the first."""
    print(f"\n{title}")
    print(f"{'':38}" + "".join(f"{run.bot:>10}" for run in runs) + f"{'ratio':>8}")
    rows = {
        "CPU ms per reply": [run.cpu_ms for run in runs],
        "replies per second": [run.per_second for run in runs],
        "ack ms, p50": [percentile(run.ack_ms, 50) for run in runs],
        "ack ms, p99": [percentile(run.ack_ms, 99) for run in runs],
    }
    for words, percent in ((1, 50), (5, 50), (5, 95), (20, 50), (20, 95)):
        label = f"{words} word{'s' * (words > 1)} in Slack after the model, p{percent} ms"
        rows[label] = [percentile(run.words_ms[words], percent) for run in runs]
    rows["memory MB at the end"] = [run.rss_mb for run in runs]
    rows["Slack requests per reply"] = [sum(run.calls.values()) for run in runs]
    for method in sorted({method for run in runs for method in run.calls}):
        rows[f"  {method}"] = [run.calls.get(method, 0.0) for run in runs]
    for label, values in rows.items():
        ratio = values[-1] / values[0] if values[0] else float("nan")
        print(f"{label:38}" + "".join(f"{value:10.2f}" for value in values) + f"{ratio:8.2f}")


async def start_cost() -> None:
    """What it takes until a bot is ready: the median of several starts, the two bots in turn."""
    found: dict[str, list[tuple[float, float]]] = {"bare": [], "parley": []}
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        for _ in range(STARTS):
            for name, figures in found.items():
                async with running(name, slack, model) as (_, ready_s, ready_cpu_s):
                    figures.append((ready_s, ready_cpu_s))
    print(f"\nstart: median of {STARTS}")
    print(f"{'':34}{'bare':>10}{'parley':>10}{'ratio':>8}")
    for column, label in enumerate(("ready after s", "CPU s until ready")):
        bare, parley = (statistics.median(f[column] for f in found[name]) for name in ("bare", "parley"))
        print(f"{label:34}{bare:10.2f}{parley:10.2f}{parley / bare:8.2f}")


async def thread_cost(turns: int = 60) -> None:
    """What the prompts of one long thread cost, against a sliding window of 4,000 tokens on the same words.

    By the fake model's own count and cache. Cached input costs a tenth, fresh input a quarter more, because
    it is written to the cache; the window's prefix changes with each turn once it is full, so that only its
    instructions stay cached. Source of the ratios: genai-prices, gpt-6-luna.
    """
    cached_price, fresh_price, window_tokens = 0.1, 1.25, 4000
    with tempfile.TemporaryDirectory() as folder:
        async with workspace(
            Path(folder), model={"keep": 1000}, PARLEY_PERSONA="You help a team. " * 300
        ) as team:
            team.model.script(" ".join(f"word{n % 10}" for n in range(180)), times=0)
            thread = await team.ask("@parley " + "tell me more of it " * 25)
            for turn in range(1, turns):
                await team.answer("#general", thread, count=turn)
                await team.ask(f"{turn} " + "tell me more of it " * 25, thread=thread)
            await team.answer("#general", thread, count=turns)
            usages = [r.usage for r in team.model.requests if r.usage]
    sizes = [u["prompt_tokens"] for u in usages]
    cached = [u["prompt_tokens_details"]["cached_tokens"] for u in usages]
    ours = sum(
        fresh_price * (size - hit) + cached_price * hit for size, hit in zip(sizes, cached, strict=True)
    )
    step, system = sizes[1] - sizes[0], sizes[0]
    window = 0.0
    for turn in range(turns):
        history = turn * step
        kept = min(history, window_tokens)
        stays = system + history if history <= window_tokens else system
        hit = min(stays, system + kept) if turn else 0
        window += fresh_price * (system + kept - hit) + cached_price * hit
    print(f"\none thread of {turns} turns, prompt cost in tokens at full price")
    print(f"{'':34}{'window':>10}{'parley':>10}{'ratio':>8}")
    print(f"{'prompts at the price of cached':34}{window:10.0f}{ours:10.0f}{ours / window:8.2f}")
    print(f"{'turns remembered at the end':34}{window_tokens // step:10}{turns:10}")


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replies", type=int, default=1000)
    parser.add_argument("--only", choices=("saturated", "paced", "memory", "start", "thread"), default="")
    parser.add_argument("--transport", choices=("socket", "http"), action="append")
    args = parser.parse_args()
    for transport in args.transport or ["socket", "http"]:
        if args.only in ("", "saturated"):
            runs = [await measure(name, replies=args.replies, transport=transport) for name in BOTS]
            title = f"{args.replies} replies of 100 tokens, {IN_FLIGHT} at a time, instant model"
            report(f"saturated, {transport}: {title}", runs)
        if args.only in ("", "paced"):
            load = {"replies": args.replies, "per_second": PER_SECOND, **REAL_SPEED}
            runs = [await measure(name, transport=transport, **load) for name in BOTS]  # type: ignore[arg-type]
            title = f"{PER_SECOND:.0f} messages/s, model 200 ms to the first token, then 50 tokens/s"
            report(f"paced, {transport}: {title}", runs)
    if args.only in ("", "memory"):
        run = await measure("parley", replies=10 * args.replies, conversations=2 * args.replies)
        print(
            f"\nmemory after {run.replies} replies over {2 * args.replies} conversations: {run.rss_mb:.0f} MB"
        )
    if args.only in ("", "start"):
        await start_cost()
    if args.only in ("", "thread"):
        await thread_cost()


if __name__ == "__main__":
    asyncio.run(main())
