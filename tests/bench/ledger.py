"""What the ledger costs: reports over 10⁴, 10⁶ (with --large 10⁷) requests, writes against bare sqlite3.

Figures are ratios measured in one run. `python -m tests.bench.ledger [--large]`
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bot.core.calendar import PERIODS, Calendar, zone
from bot.core.values import Scope, Usage
from bot.costs.budgets import Budget, Budgets
from bot.costs.ledger import Ledger
from bot.costs.pricing import Prices
from bot.costs.viewer import OPERATOR, Viewer
from bot.reports.usage import span, usage
from storage.costs import ledger
from storage.database import open_engine
from storage.engine import Engine
from storage.sqlite.file import connect, migrate

CHANNELS, PEOPLE, MODELS, KINDS = 200, 1_000, 6, ("answer", "answer", "answer", "summary", "guard")
YEAR_BEGINS = date(2026, 1, 1)
NOVEMBER = span("month", date(2026, 11, 23))
MEMBER = Viewer("U7", private=frozenset(f"C{n}" for n in range(0, CHANNELS, 3)))
USED = Usage(input_tokens=2_000, cached_tokens=1_500, output_tokens=100)
WRITES, PARALLEL = 4_000, 64


def requests(count: int) -> Iterator[tuple[Any, ...]]:
    """A year of requests in the order they were made; people keep to a few channels."""
    chance = random.Random(count)
    for n in range(count):
        day = (YEAR_BEGINS + timedelta(days=n * 365 // count)).isoformat()
        person = int(chance.random() ** 2 * PEOPLE)
        channel = (person * 7 + int(chance.random() ** 3 * 8)) % CHANNELS
        model = person % 2 + (chance.random() < 0.1)
        yield n + 1, f"C{channel}", f"U{person}", f"m{model % MODELS}", chance.choice(KINDS), day, float(n)


def fill(path: Path, count: int) -> None:
    """Rows and sums as the bot would have written them; the sums are made in one statement."""
    db = connect(path)
    migrate(db)
    db.execute("pragma synchronous=off")
    db.execute("begin")
    db.conn.executemany(
        """insert into ledger (id, team, channel, person, conversation, kind, model, attempt, day, opened_at,
        outcome, reserved, cost, input_tokens, cached_tokens, output_tokens)
        values (?1, 'T1', ?2, ?3, '', ?5, ?4, 1, ?6, ?7, 'ok', 9000000, 2300000, 2000, 1500, 100)""",
        requests(count),
    )
    db.execute(
        """insert into usage_days select team, day, channel, person, model, kind, count(*), sum(input_tokens),
        sum(cached_tokens), 0, sum(output_tokens), 0.0, 0, 0, sum(cost), 0, 0
        from ledger group by team, day, channel, person, model, kind"""
    )
    for dim in ledger.DIMS:
        db.execute(
            f"""insert into usage_months
            select team, substr(day, 1, 7), '{dim}', channel, {dim}, sum(requests), sum(input_tokens),
            sum(cached_tokens), 0, sum(output_tokens), 0.0, 0, 0, sum(cost), 0, 0
            from usage_days group by team, substr(day, 1, 7), channel, {dim}"""
        )
    db.execute("commit")
    db.close()


async def middle_ms(work: Callable[[], Awaitable[Any]], times: int = 5) -> float:
    """Median of a few runs, in milliseconds."""
    await work()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        await work()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def reports(engine: Engine) -> dict[str, Callable[[], Awaitable[Any]]]:
    return {
        "month by channel": lambda: usage(engine, "T1", NOVEMBER, OPERATOR),
        "month by person, as a member": lambda: usage(engine, "T1", NOVEMBER, MEMBER, by=("person",)),
        "month by day and channel": lambda: usage(engine, "T1", NOVEMBER, OPERATOR, by=("day", "channel")),
        "one channel, month": lambda: usage(engine, "T1", NOVEMBER, OPERATOR, where={"channel": "C7"}),
    }


async def report_latency(folder: Path, sizes: list[int]) -> None:
    first: dict[str, float] = {}
    for size in sizes:
        path = folder / f"{size}.db"
        fill(path, size)
        async with open_engine(f"sqlite:///{path}") as engine:
            (sums,) = await engine.read(lambda tx: tx.all("select count(*) as n from usage_days"))
            print(f"{size:>12,} requests, {sums['n']:,} sums")
            for name, report in reports(engine).items():
                taken, lines = await middle_ms(report), len(await report())
                first.setdefault(name, taken)
                print(
                    f"    {name:32} {taken:8.1f} ms {taken / first[name]:6.1f} × the smallest, {lines:,} rows"
                )
            raw = await middle_ms(lambda: engine.read(from_rows), 1)
            print(f"    {'month by channel, from the rows':32} {raw:8.1f} ms")
        path.unlink()


def from_rows(tx: Any) -> Any:
    return tx.all(
        "select channel, sum(cost) as cost from ledger where day between :first and :last group by channel",
        first=NOVEMBER.first.isoformat(),
        last=NOVEMBER.last.isoformat(),
    )


def bare_writes_per_s(path: Path) -> float:
    """One plain row per commit on sqlite3 itself, as durable: WAL and synchronous=FULL."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("pragma journal_mode=wal")
    conn.execute("pragma synchronous=full")
    conn.execute("create table t (id integer primary key, team, channel, person, model, kind, cost, tokens)")
    began = time.perf_counter()
    for n in range(WRITES):
        conn.execute("insert into t values (?, 'T1', 'C1', 'U1', 'gpt-6-sol', 'answer', 2300000, 2000)", (n,))
    taken = time.perf_counter() - began
    conn.close()
    return WRITES / taken


async def ledger_requests_per_s(path: Path, *, budgets: int, parallel: int) -> tuple[float, float]:
    """Requests opened and settled per second, and CPU microseconds for each."""
    async with open_engine(f"sqlite:///{path}") as engine:
        calendar = Calendar(zone("UTC"))
        books = Ledger(engine, Prices(), calendar)
        await books.start()
        for period in PERIODS[:budgets]:
            await Budgets(engine, calendar).put(Budget("T1", "workspace", "", period, Decimal(10_000)))

        async def work() -> None:
            for n in range(WRITES // parallel):
                scope = Scope("T1", f"C{n % 50}", f"U{n % 200}", "", "answer")
                entry = await books.open(scope, "gpt-6-sol", upper_bound=USED, attempt=1)
                await books.settle(entry, USED, outcome="ok")

        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(work() for _ in range(parallel)))
        done = WRITES // parallel * parallel
        return done / (time.perf_counter() - began), (time.process_time() - cpu) / done * 1e6


async def writes(folder: Path) -> None:
    bare = bare_writes_per_s(folder / "bare.db")
    print(f"bare sqlite3, one row a commit: {bare:,.0f} writes/s")
    for parallel in (1, PARALLEL):
        for budgets in (0, 3):
            path = folder / f"ledger-{parallel}-{budgets}.db"
            rate, cpu = await ledger_requests_per_s(path, budgets=budgets, parallel=parallel)
            print(
                f"    {parallel:3} at a time, {budgets} budgets: {rate:8,.0f} requests/s of two writes "
                f"= {2 * rate / bare:5.2f} × bare, {cpu:5.0f} µs CPU"
            )


async def run(*, large: bool) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, SQLite {sqlite3.sqlite_version}")
    with tempfile.TemporaryDirectory() as folder:
        await writes(Path(folder))
        await report_latency(Path(folder), [10_000, 1_000_000, *([10_000_000] if large else [])])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--large", action="store_true", help="also ten million requests (minutes, 2 GB of disk)"
    )
    asyncio.run(run(large=parser.parse_args().large))
