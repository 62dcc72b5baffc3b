"""A backlog above Slack's limits: questions that come all at once, because the bot was away, and their ends.

The fake Slack limits every method as Slack does. Every question has a number, the model answers with it, and
afterwards each thread is read: answered once, in order, nothing left open. Printed beside what the limits
themselves allow.

    python -m tests.bench.backlog [--questions 2000] [--channels 40] [--bot parley] [--posts-per-minute 600]

With `--processes 2` so many bots work it off on one PostgreSQL, and what they write to share the limits is
counted.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.core.ids import read_message
from bot.sandbox.model.server import FakeModel
from bot.sandbox.postgres import ThrowawayPostgres
from bot.sandbox.slack.server import FakeSlack
from tests.bench.load import at_pace
from tests.bench.numbered import (
    Question,
    Questions,
    add_channels,
    answer,
    ends,
    order_in_the_inbox,
    replies,
)
from tests.bench.replies import cpu_s, percentile, running
from tests.support.rows import read_rows
from tests.support.workspace import MANIFEST

FOLLOW_UPS = 5  # every fifth question stands in the thread of the one before it
CALM = "#general"
AWAY_S = 45.0  # so long after it was asked everything is delivered
DELIVERED_PER_S = 200.0  # what waited
FRESH_S = 1.0  # between questions that come meanwhile
LONGEST = 6  # times what the limits need, and a minute: then a run is over


@dataclass
class Backlog(Questions):
    """`waiting`: those that came all at once; `fresh`: those that came meanwhile."""

    waiting: list[Question] = field(default_factory=list)
    fresh: dict[str, list[Question]] = field(default_factory=lambda: {"calm": [], "busy": []})
    began_at: float = 0.0


async def ask_all(slack: FakeSlack, backlog: Backlog, count: int, channels: list[str]) -> None:
    """Round the channels; each keeps its last thread for the follow-ups."""
    last: dict[str, str] = {}

    async def ask(n: int) -> None:
        channel = channels[n % len(channels)]
        follows = n // len(channels) % FOLLOW_UPS == FOLLOW_UPS - 1
        question = await backlog.ask(slack, channel, last.get(channel, "") if follows else "")
        backlog.waiting.append(question)
        last[channel] = question.thread

    await at_pace(ask, count, DELIVERED_PER_S)


async def keep_asking(slack: FakeSlack, backlog: Backlog, channels: list[str]) -> None:
    """In turn where nobody waits and where many do."""
    for channel in itertools.cycle(channels):
        backlog.fresh["calm"].append(await backlog.ask(slack, CALM))
        await asyncio.sleep(FRESH_S)
        backlog.fresh["busy"].append(await backlog.ask(slack, channel))
        await asyncio.sleep(FRESH_S)


async def drained(slack: FakeSlack, backlog: Backlog, *, patience_s: float, longest_s: float) -> None:
    """Returns when all that waited is answered, nothing was for `patience_s`, or `longest_s` are over."""
    numbers = {q.number for q in backlog.waiting}
    began_at = changed_at = time.monotonic()
    open_before, read = len(numbers), 0
    while time.monotonic() - changed_at < patience_s and time.monotonic() - began_at < longest_s:
        await asyncio.sleep(0.25)
        requests = list(itertools.islice(slack.requests, read, None))
        backlog.note_answers(requests)
        read += len(requests)
        left = len(numbers - backlog.answered_at.keys())
        if not left:
            return
        if left < open_before:
            open_before, changed_at = left, time.monotonic()


def limits_s(posts: Iterable[str], posts_per_minute: int) -> float:
    """How long Slack's limits need for posts in these channels: a second for each in the same one, so many
    a minute in the workspace."""
    by_channel = Counter(posts)
    minutes = (by_channel.total() - 1) // posts_per_minute if posts_per_minute else 0
    return max(*by_channel.values(), 60.0 * minutes, 2.0) - 1.0


async def run(
    bot: str,
    database: Path,
    *,
    questions: int,
    channels: int,
    posts_per_minute: int,
    patience_s: float,
    lag_s: float = 0.0,
    processes: int = 1,
) -> str:
    async with (
        postgres(processes) as server,
        FakeSlack(
            manifest=MANIFEST,
            ring=1_000_000,
            rate_figures={"chat.postMessage": posts_per_minute},
            history_lag_s=lag_s,
        ) as slack,
        FakeModel(answer=answer, first_token_s=0.2, tokens_per_s=50.0, keep=10) as model,
    ):
        backlog, there = Backlog(), add_channels(slack, channels)
        url = await server.create("team") if server else f"sqlite:///{database}"
        async with AsyncExitStack() as stack:
            bots = [
                await stack.enter_async_context(
                    running(bot, slack, model, PARLEY_STREAMS_PER_MINUTE="20", PARLEY_DATABASE=url)
                )
                for _ in range(processes)
            ]
            await slack.say("alice", CALM, "@parley hello")
            await slack.until(lambda: any(replies(slack)))
            await asyncio.sleep(1)
            slack.record.clear()
            began_cpu_s = [cpu_s(pid) for pid, *_ in bots]
            slack.faults.deliver("*", delay_s=AWAY_S, times=0)
            backlog.began_at = time.time() + AWAY_S
            await ask_all(slack, backlog, questions, there)
            slack.faults.clear()
            await asyncio.sleep(max(backlog.began_at - time.time(), 0))
            asking = asyncio.create_task(keep_asking(slack, backlog, there))
            longest_s = 60 + LONGEST * limits_s((q.channel for q in backlog.waiting), posts_per_minute)
            await drained(slack, backlog, patience_s=patience_s, longest_s=longest_s)
            asking.cancel()
            await asyncio.wait([asking])
            await asyncio.sleep(20)  # what was fresh at the end, and what is taken back later
            backlog.note_answers(list(slack.requests))
            used_s = [cpu_s(pid) - began for (pid, *_), began in zip(bots, began_cpu_s, strict=True)]
            answered = sum(1 for _ in replies(slack))
            print(f"{1000 * sum(used_s) / answered:.2f} ms of CPU a reply", flush=True)
            if server:
                print(await count_shared(server, answered), flush=True)
                rows = read_rows(url, "select key, seq from inbox where kind = 'message'")
                order = {read_message(str(key)): int(str(seq)) for key, seq in rows}
        taken = order if server else order_in_the_inbox(database) if database.exists() else None
        found = ends(slack, backlog, taken)
        return describe(slack, backlog, found, posts_per_minute)


def describe(slack: FakeSlack, backlog: Backlog, became: dict[str, int], posts_per_minute: int) -> str:
    found = [backlog.answered_at[q.number] for q in backlog.waiting if q.number in backlog.answered_at]
    took_s = max(found, default=backlog.began_at) - backlog.began_at
    # Posts that are one question have one answer, so what was posted counts.
    needed_s = limits_s((channel for channel, _, _ in replies(slack)), posts_per_minute)
    methods = {m: n for m, n in slack.counts.items() if "." in m and ":" not in m}
    everything, refused, asked = sum(methods.values()), sum(slack.refused.values()), len(backlog.asked)
    beside = everything - methods.get("chat.postMessage", 0) + slack.refused["chat.postMessage"]
    share = needed_s * len(found) / len(backlog.waiting) / max(took_s, 1)
    lines = [
        f"{len(found)} of {len(backlog.waiting)} answered after {took_s:.0f} s, the limits need "
        f"{needed_s:.0f} s: {share:.0%} of what they allow",
        f"Slack calls per question beside the post: {beside / asked:.2f}; "
        f"refused: {refused / everything:.2%}",
        *(
            f"  {method:32}{n / asked:8.3f} a question, {slack.refused[method]} of {n} refused"
            for method, n in sorted(methods.items(), key=lambda each: -each[1])
        ),
        *(
            f"fresh questions where it is {which}: p50 {percentile(waits, 50):.2f} s, "
            f"p95 {percentile(waits, 95):.2f} s, {len(waits)} of {len(backlog.fresh[which])} answered"
            for which in backlog.fresh
            for waits in [backlog.waits_s(backlog.fresh[which])]
        ),
        ", ".join(f"{what}: {n}" for what, n in became.items()),
    ]
    return "\n".join(lines)


@asynccontextmanager
async def postgres(processes: int) -> AsyncIterator[ThrowawayPostgres | None]:
    """A server for several processes; none for one."""
    if processes == 1:
        yield None
        return
    async with ThrowawayPostgres() as server:
        yield server


async def count_shared(server: ThrowawayPostgres, answered: int) -> str:
    """Rows written to share the limits."""
    counted = await server.run(
        "select relname, n_tup_ins + n_tup_upd from pg_stat_user_tables"
        " where relname in ('limit_holdings', 'channel_turns') order by 1",
        database="team",
    )
    rows = dict(line.split("|") for line in counted.splitlines())
    return "rows written to share limits, a reply: " + ", ".join(
        f"{table} {int(count) / answered:.2f}" for table, count in rows.items()
    )


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.backlog")
    parser.add_argument("--questions", type=int, default=2_000)
    parser.add_argument("--channels", type=int, default=40)
    parser.add_argument("--bot", choices=("bare", "parley"), action="append")
    parser.add_argument(
        "--posts-per-minute", type=int, default=0, help="in the whole workspace; 0: any number"
    )
    parser.add_argument(
        "--history-lag", type=float, default=0.0, help="seconds until a post can be read back"
    )
    parser.add_argument(
        "--patience", type=float, default=90.0, help="seconds without an answer that end a run"
    )
    parser.add_argument("--processes", type=int, default=1, help="more than one: on PostgreSQL")
    asked = parser.parse_args()
    for bot in asked.bot or ("bare", "parley"):
        with tempfile.TemporaryDirectory() as folder:
            found = await run(
                bot,
                Path(folder) / "parley.db",
                questions=asked.questions,
                channels=asked.channels,
                posts_per_minute=asked.posts_per_minute,
                patience_s=asked.patience,
                lag_s=asked.history_lag,
                processes=asked.processes,
            )
        print(
            f"\n{bot}: {asked.questions} questions waited in {asked.channels} channels\n{found}", flush=True
        )


if __name__ == "__main__":
    asyncio.run(main())
