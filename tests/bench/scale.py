"""`make bench-scale`: several processes on PostgreSQL beside one on SQLite, all measured in one run.

The fakes, the driver, the bots and the server share this machine. CPU is read from /proc: of the bots'
processes, and of the server's. The server commits as a real one does (fsync, full pages), on whatever disk
its folder is; rate limits of the fake Slack are off. Figures are printed, never asserted.

    python -m tests.bench.scale [--replies 600] [--only cpu|killed|frozen|rolling|idle|row]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.sandbox.model.server import FakeModel
from bot.sandbox.postgres import ThrowawayPostgres
from bot.sandbox.slack.server import FakeSlack
from storage.postgres.connections import connect
from tests.bench.replies import ANSWER, TICKS_PER_S, ask, cpu_s, percentile, running, settled
from tests.bench.replies import PER_SECOND as PACED
from tests.support.rows import read_rows
from tests.support.several import Several, several
from tests.support.supervised import Supervised
from tests.support.workspace import MANIFEST

DURABLE = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
NAME = "parley"
CONVERSATIONS = 24
SLOWLY = {"first_token_s": 0.2, "tokens_per_s": 2.0}  # an answer of 100 words takes most of a minute
PER_SECOND = 3.0
IDLE_S = 20.0
IDLE_PROCESSES = 10
ROW_S = 3.0
STATISTICS = "xact_commit + xact_rollback, tup_inserted, tup_updated, tup_deleted"


@dataclass(frozen=True)
class Cost:
    """What replies cost on an engine."""

    engine: str
    replies: int
    wall_s: float
    bot_s: float
    server_s: float = 0.0
    rows: tuple[int, ...] = ()  # transactions, rows inserted, updated, deleted
    wal_bytes: int = 0
    kept_bytes: int = 0

    def line(self) -> str:
        ms = 1000 * self.bot_s / self.replies
        told = f"{self.engine:16} {ms:8.2f} ms CPU a reply in the bots ({1000 / ms:5.0f} a core and second),"
        told += f" {1000 * self.server_s / self.replies:6.2f} ms in the server,"
        told += f" {self.replies / self.wall_s:6.1f} replies/s"
        if self.rows:
            per = [f"{n / self.replies:.1f}" for n in self.rows]
            kb = [f"{n / self.replies / 1024:.1f} kB" for n in (self.wal_bytes, self.kept_bytes)]
            told += f"\n{'':16} a reply: {per[0]} transactions, {per[1]} rows made, {per[2]} changed,"
            told += f" {per[3]} deleted, {kb[0]} WAL, {kb[1]} kept"
        return told


def fake_slack() -> FakeSlack:
    return FakeSlack(manifest=MANIFEST, rate_limits=False, ring=400_000)


def server_cpu_s(postmaster: int) -> float:
    """Of all its processes, those that ended too."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, fields = int(stat.parent.name), stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if pid == postmaster:
            total += sum(map(int, fields[11:15])) / TICKS_PER_S
        elif int(fields[1]) == postmaster:
            total += (int(fields[11]) + int(fields[12])) / TICKS_PER_S
    return total


async def statistics_of(server: ThrowawayPostgres) -> tuple[tuple[int, ...], int, int]:
    """Transactions and rows so far, bytes of WAL, bytes that the database takes."""
    told = await server.run(
        f"select {STATISTICS}, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0'),"
        f" pg_database_size('{NAME}') from pg_stat_database where datname = '{NAME}'"
    )
    *rows, wal, size = (int(value) for value in told.split("|"))
    return tuple(rows), wal, size


@asynccontextmanager
async def bots(count: int, slack: FakeSlack, model: FakeModel, **more: str) -> AsyncIterator[list[int]]:
    """So many processes; their ids."""
    async with AsyncExitStack() as stack:
        started = [
            await stack.enter_async_context(running("parley", slack, model, **more)) for _ in range(count)
        ]
        yield [pid for pid, _, _ in started]


async def cost_on_sqlite(replies: int, per_second: float = 0.0) -> Cost:
    async with fake_slack() as slack, FakeModel(keep=200_000) as model, bots(1, slack, model) as pids:
        return await _measure("SQLite", pids, slack, model, replies=replies, per_second=per_second)


async def cost_on_postgres(count: int, replies: int, per_second: float = 0.0) -> Cost:
    async with (
        ThrowawayPostgres(**DURABLE) as server,
        fake_slack() as slack,
        FakeModel(keep=200_000) as model,
    ):
        url = await server.create(NAME)
        async with bots(count, slack, model, PARLEY_DATABASE=url) as pids:
            name = f"PostgreSQL, {count}"
            return await _measure(
                name, pids, slack, model, replies=replies, per_second=per_second, server=server
            )


async def _measure(
    name: str,
    pids: Sequence[int],
    slack: FakeSlack,
    model: FakeModel,
    *,
    replies: int,
    per_second: float,
    server: ThrowawayPostgres | None = None,
) -> Cost:
    model.script(ANSWER, times=0)
    await ask(slack, 40, 0, prefix="warm")
    await settled(pids)
    told = await statistics_of(server) if server else ((), 0, 0)
    used, served = sum(map(cpu_s, pids)), server_cpu_s(server.pid) if server else 0.0
    began = time.perf_counter()
    await ask(slack, replies, per_second, prefix="load")
    wall_s = time.perf_counter() - began
    bot_s = sum(map(cpu_s, pids)) - used
    if server is None:
        return Cost(name, replies, wall_s, bot_s)
    server_s = server_cpu_s(server.pid) - served
    await asyncio.sleep(1.5)  # what the sessions counted is told within a second
    now = await statistics_of(server)
    rows = tuple(after - before for after, before in zip(now[0], told[0], strict=True))
    return Cost(name, replies, wall_s, bot_s, server_s, rows, now[1] - told[1], now[2] - told[2])


async def report_cpu(replies: int) -> None:
    paced = replies // 3
    print(f"\nCPU: {paced} replies of 100 words, {PACED:.0f} a second", flush=True)
    print((await cost_on_sqlite(paced, PACED)).line(), flush=True)
    print((await cost_on_postgres(1, paced, PACED)).line(), flush=True)
    print(f"\nCPU: {replies} replies of 100 words, 64 at a time, instant model", flush=True)
    print((await cost_on_sqlite(replies)).line(), flush=True)
    for count in (1, 2, 3):
        print((await cost_on_postgres(count, replies)).line(), flush=True)


# Taking over ---------------------------------------------------------------------------------------------


def owners(team: Several) -> dict[str, int]:
    """Who is at work on each conversation."""
    found = team.rows("select conversation, worker from inbox where running = 1")
    return {str(conversation): int(str(worker)) for conversation, worker in found}


async def measure_taking_over(how: signal.Signals) -> list[float]:
    """Seconds from the signal until others are at work on each conversation of the one that got it."""
    with tempfile.TemporaryDirectory() as folder:
        async with (
            FakeSlack(manifest=MANIFEST, rate_limits=False, ack_deadline_s=2.0) as slack,
            FakeModel(**SLOWLY) as model,
            several(slack, model, Path(folder), 3) as team,
        ):
            model.script(ANSWER, times=0)
            for number in range(CONVERSATIONS):
                await slack.say("alice", "#general", f"@parley {number} how are things?")
            await _until(lambda: len(owners(team)) == CONVERSATIONS)
            before = owners(team)
            worker = random.choice(sorted(set(before.values())))
            victim = team.find(worker)
            assert victim.process is not None
            victim.process.send_signal(how)
            return await _follow(team, {c for c, owner in before.items() if owner == worker}, worker)


async def _follow(team: Several, left: set[str], worker: int) -> list[float]:
    began, found = time.perf_counter(), list[float]()
    with connect(team.url, read_only=True) as conn:
        conn.autocommit = True
        while left:
            rows = conn.execute("select conversation, worker from inbox where running = 1").fetchall()
            taken = {row["conversation"] for row in rows if row["worker"] != worker} & left
            found += [time.perf_counter() - began] * len(taken)
            left -= taken
            await asyncio.sleep(0.02)
    return found


async def _until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110
        await asyncio.sleep(0.05)


async def report_taking_over(title: str, how: signal.Signals) -> None:
    taken = await measure_taking_over(how)
    told = f"p50 {statistics.median(taken):.2f} s, max {max(taken):.2f} s"
    print(f"\n{title}: {len(taken)} conversations of one of three go on after {told}", flush=True)


# A rolling restart ---------------------------------------------------------------------------------------


async def restart(bot: Supervised, slack: FakeSlack) -> None:
    """As a deployment does it: the signal, the end, the next start until it is connected."""
    lives, before = bot.lives, set(slack.sockets.connections)
    await bot.end()
    await _until(lambda: bot.lives > lives)
    await _until(lambda: len(set(slack.sockets.connections) - before) >= 2)


async def measure_waits(slack: FakeSlack, during: Awaitable[None]) -> list[float]:
    """How long each post waited for the first sign of its answer, while something goes on."""
    going, asked = asyncio.ensure_future(during), dict[str, float]()
    number = 0
    while not going.done():
        ts = await slack.say("alice", "#general", f"@parley {number} how are things?")
        asked[ts] = time.time()
        number += 1
        await asyncio.sleep(1 / PER_SECOND)
    await going
    await slack.until(lambda: all(len(slack.thread("#general", ts)) > 1 for ts in asked), 120)
    return [float(slack.thread("#general", ts)[1]["ts"]) - at for ts, at in asked.items()]


async def report_rolling() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            fake_slack() as slack,
            FakeModel(first_token_s=0.2, tokens_per_s=50.0, keep=20_000) as model,
            several(slack, model, Path(folder), 3) as team,
        ):
            model.script(ANSWER, times=0)

            async def roll() -> None:
                for bot in team.bots:
                    await restart(bot, slack)

            quiet = await measure_waits(slack, asyncio.sleep(15))
            rolling = await measure_waits(slack, roll())
    print(f"\nrolling restart of three, {PER_SECOND:.0f} posts a second, post to first of the answer:")
    for title, waits in (("before", quiet), ("meanwhile", rolling)):
        p50, p95 = statistics.median(waits), percentile(waits, 95)
        told = f"p50 {p50:.2f} s, p95 {p95:.2f} s, max {max(waits):.2f} s"
        print(f"  {title:10} {len(waits):4} posts, {told}", flush=True)


# What is there to pay while nothing happens ---------------------------------------------------------------


async def report_idle() -> None:
    async with ThrowawayPostgres(**DURABLE) as server, fake_slack() as slack, FakeModel() as model:
        url = await server.create(NAME)
        more = {"PARLEY_DATABASE": url, "PARLEY_TRANSPORT": "http"}
        async with bots(IDLE_PROCESSES, slack, model, **more) as pids:
            await asyncio.sleep(5)
            (transactions, *_), wal, _ = await statistics_of(server)
            used, served = sum(map(cpu_s, pids)), server_cpu_s(server.pid)
            await asyncio.sleep(IDLE_S)
            bot_s, server_s = sum(map(cpu_s, pids)) - used, server_cpu_s(server.pid) - served
            (later, *_), written, _ = await statistics_of(server)
            ours = "select count(*) from pg_stat_activity where application_name like 'parley%'"
            open_now = int(str(read_rows(url, ours)[0][0]))
    each_s = IDLE_S * IDLE_PROCESSES
    print(f"\n{IDLE_PROCESSES} processes with nothing to do, for {IDLE_S:.0f} s:")
    print(f"  {100 * bot_s / each_s:.2f} % of a core each, {100 * server_s / IDLE_S:.2f} % in the server")
    print(f"  {(later - transactions) / each_s:.1f} transactions a second each,", end=" ")
    print(f"{(written - wal) / IDLE_S / 1024:.1f} kB WAL a second in all,", end=" ")
    print(f"{open_now / IDLE_PROCESSES:.1f} connections each", flush=True)


async def report_row() -> None:
    """How often a second the same row can be changed: a budget, a limit, a conversation's lock."""
    async with ThrowawayPostgres(**DURABLE) as server:
        url = await server.create(NAME)
        await server.run("create table hot (id int primary key, n bigint)", database=NAME)
        await server.run("insert into hot values (1, 0)", database=NAME)
        ends_at = time.monotonic() + ROW_S

        def change() -> None:
            with connect(url) as conn:
                conn.autocommit = True
                while time.monotonic() < ends_at:
                    conn.execute("update hot set n = n + 1 where id = 1")

        threads = [threading.Thread(target=change) for _ in range(8)]
        for thread in threads:
            thread.start()
        await asyncio.to_thread(lambda: [thread.join() for thread in threads])
        changes = int(str(read_rows(url, "select n from hot")[0][0]))
    print(f"\none row, 8 connections: changed {changes / ROW_S:.0f} times a second", flush=True)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replies", type=int, default=600)
    parser.add_argument("--only", choices=("cpu", "killed", "frozen", "rolling", "idle", "row"), default="")
    args = parser.parse_args()
    print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    parts: dict[str, Callable[[], Awaitable[None]]] = {
        "cpu": lambda: report_cpu(args.replies),
        "killed": lambda: report_taking_over("kill -9", signal.SIGKILL),
        "frozen": lambda: report_taking_over("SIGSTOP", signal.SIGSTOP),
        "rolling": report_rolling,
        "idle": report_idle,
        "row": report_row,
    }
    for name, part in parts.items():
        if args.only in ("", name):
            await part()


if __name__ == "__main__":
    asyncio.run(main())
