"""A backlog above Slack's limits, drained by a process that is killed again and again, read post by post.

Everything is on: Slack's limits, a history that lags behind, deliveries that are tried again until somebody
takes them. Nothing may be lost, said twice or out of order, no status may stay and no stream be open.

    python -m tests.bench.killed_backlog [--questions 10000] [--channels 40] [--kills 12]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from tests.bench.backlog import Backlog, ask_all, drained, limits_s
from tests.bench.numbered import add_channels, answer, ends, order_in_the_inbox
from tests.faults.reliability import note
from tests.support.supervised import Supervised, supervised
from tests.support.workspace import MANIFEST

LAG_S = 3.0
LIFE_S = (3.0, 30.0)  # of a process that will be killed
AGAIN_S = 5.0  # how soon Slack delivers again what nobody took; later, the more there is
AGAIN_PER_S = 200.0
SETTLES_S = 60.0  # in which what earlier lives left open is put right


async def kill_often(bot: Supervised, kills: int, dice: random.Random) -> None:
    """Ends so many lives, at whatever they are doing."""
    for _ in range(kills):
        await asyncio.sleep(dice.uniform(*LIFE_S))
        bot.kill()


def in_the_inbox(path: Path) -> Counter[str]:
    with closing(sqlite3.connect(path)) as db:
        return Counter(
            dict(db.execute("select state, count(*) from inbox where kind = 'message' group by 1"))
        )


async def run(*, questions: int, channels: int, kills: int, posts_per_minute: int, seed: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            FakeSlack(
                manifest=MANIFEST,
                ring=4_000_000,
                retry_delays_s=(max(AGAIN_S, questions / AGAIN_PER_S),) * 10_000,
                rate_figures={"chat.postMessage": posts_per_minute},
                history_lag_s=LAG_S,
            ) as slack,
            FakeModel(answer=answer, first_token_s=0.2, tokens_per_s=50.0, keep=10) as model,
        ):
            backlog, there = Backlog(), add_channels(slack, channels)
            where = Path(folder)
            async with supervised(
                slack, model, where, PARLEY_STREAMS_PER_MINUTE="20", PARLEY_LOG_LEVEL="ERROR"
            ) as bot:
                await slack.until(lambda: slack.sockets.connections)
                backlog.began_at = time.time()
                killing = asyncio.create_task(kill_often(bot, kills, random.Random(seed)))
                await ask_all(slack, backlog, questions, there)
                longest_s = (
                    300
                    + kills * LIFE_S[1]
                    + 6 * limits_s((q.channel for q in backlog.waiting), posts_per_minute)
                )
                await drained(slack, backlog, patience_s=150, longest_s=longest_s)
                await killing
                await drained(slack, backlog, patience_s=150, longest_s=longest_s)
                await asyncio.sleep(SETTLES_S)
                lives = bot.lives
                await bot.end()
            database = where / "parley.db"
            found = ends(slack, backlog, order_in_the_inbox(database))
            return describe(slack, backlog, found, in_the_inbox(database), lives, posts_per_minute)


def describe(
    slack: FakeSlack,
    backlog: Backlog,
    found: dict[str, int],
    inbox: Counter[str],
    lives: int,
    posts_per_minute: int,
) -> str:
    took_s = max(backlog.answered_at.values(), default=time.time()) - backlog.began_at
    calls = {m: n for m, n in slack.counts.items() if "." in m and ":" not in m}
    made, posted = sum(calls.values()), calls["chat.postMessage"] - slack.refused["chat.postMessage"]
    there = {q.channel for q in backlog.waiting}
    return (
        f"{len(backlog.waiting)} questions in {len(there)} channels, {lives} lives, "
        f"history {LAG_S:.0f} s behind: done after {took_s:.0f} s (the limits alone: "
        f"{limits_s((q.channel for q in backlog.waiting), posts_per_minute):.0f} s); "
        + ", ".join(f"{what} {n}" for what, n in found.items())
        + f"; jobs {dict(inbox)}; {(made - posted) / len(backlog.waiting):.2f} Slack calls a question beside "
        f"the post, {sum(slack.refused.values()) / made:.2%} refused ("
        + ", ".join(f"{method} {slack.refused[method]} of {n}" for method, n in sorted(calls.items()))
        + ")"
    )


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.killed_backlog")
    parser.add_argument("--questions", type=int, default=10_000)
    parser.add_argument("--channels", type=int, default=40)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument(
        "--posts-per-minute", type=int, default=0, help="in the whole workspace; 0: any number"
    )
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    figures = await run(
        questions=asked.questions,
        channels=asked.channels,
        kills=asked.kills,
        posts_per_minute=asked.posts_per_minute,
        seed=asked.seed,
    )
    print(figures)
    note("A backlog above Slack's limits, with kills", figures)


if __name__ == "__main__":
    asyncio.run(main())
