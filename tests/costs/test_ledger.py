"""The ledger as the provider uses it, on a real file."""

from __future__ import annotations

import asyncio
from calendar import monthrange
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.calendar import Calendar, zone
from bot.core.values import Scope, Usage
from bot.costs.ledger import Ledger, LedgerEntry, Outcome
from bot.costs.pricing import Prices, load_prices
from storage.costs import ledger as rows
from storage.database import open_engine
from storage.engine import Engine, Tx
from tests.support.deaths import process_died
from tests.support.engines import database_url

pytestmark = [pytest.mark.both_engines, pytest.mark.serializable]

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
SCOPE = Scope(team="T1", channel="C1", user="U1", conversation="T1:C1:1.0", kind="answer")
BOUND = Usage(input_tokens=2_000, output_tokens=2_500)
USED = Usage(input_tokens=2_000, cached_tokens=1_500, output_tokens=100)


class Clock:
    def __init__(self, at: float = NOON) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        yield engine


@pytest.fixture
async def ledger(engine: Engine, clock: Clock) -> Ledger:
    return await begin(engine, clock)


async def begin(engine: Engine, clock: Clock, time_zone: str = "UTC") -> Ledger:
    ledger = Ledger(engine, Prices(), Calendar(zone(time_zone), clock=clock))
    await ledger.start()
    return ledger


async def ask(ledger: Ledger, scope: Scope = SCOPE, model: str = "gpt-6-sol", **more: Any) -> LedgerEntry:
    return await ledger.open(scope, model, upper_bound=BOUND, attempt=1, **more)


def entries(tx: Tx) -> list[dict[str, Any]]:
    return tx.all("select * from ledger order by id")


def sums(tx: Tx) -> dict[str, Any]:
    return tx.one("select * from usage_days") or {}


async def test_the_row_is_there_before_the_request(ledger: Ledger, engine: Engine) -> None:
    entry = await ask(ledger)
    (row,) = await engine.read(entries)
    assert row["outcome"] == "open"
    assert row["reserved"] == 30_000_000  # 2,000 × $2.5 (written to the cache) and 2,500 × $10 per million
    assert row["cost"] is None
    assert entry.reserved_usd == Decimal("0.03")
    assert (row["team"], row["channel"], row["person"], row["day"]) == ("T1", "C1", "U1", "2026-11-23")


async def test_a_settled_row_carries_usage_cost_and_outcome(ledger: Ledger, engine: Engine) -> None:
    cost = await ledger.settle(await ask(ledger), USED, outcome="ok")
    (row,) = await engine.read(entries)
    assert cost == Decimal("0.0023")
    assert (row["outcome"], row["cost"], row["cached_tokens"]) == ("ok", 2_300_000, 1_500)
    assert row["latency_ms"] >= 0
    day = await engine.read(sums)
    assert (day["requests"], day["cost"], day["input_tokens"], day["output_tokens"]) == (
        1,
        2_300_000,
        2_000,
        100,
    )


async def test_how_long_a_request_took_is_in_milliseconds(
    ledger: Ledger, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = await ask(ledger)
    monkeypatch.setattr("bot.costs.ledger.time.monotonic", lambda: entry.began + 90.0)
    await ledger.settle(entry, USED, outcome="ok")
    (row,) = await engine.read(entries)
    assert row["latency_ms"] == 90_000


async def test_a_request_is_counted_once_however_often_it_is_settled(ledger: Ledger, engine: Engine) -> None:
    entry = await ask(ledger)
    await ledger.settle(entry, USED, outcome="ok")
    await ledger.settle(entry, USED, outcome="failed")
    day = await engine.read(sums)
    assert (day["requests"], day["cost"]) == (1, 2_300_000)


async def test_a_failed_request_costs_nothing_and_is_a_row(ledger: Ledger, engine: Engine) -> None:
    assert await ledger.settle(await ask(ledger), None, outcome="failed") == 0
    day = await engine.read(sums)
    assert (day["requests"], day["cost"], day["unpriced"]) == (1, 0, 0)


async def test_an_end_nobody_saw_is_charged_as_reserved(ledger: Ledger, engine: Engine) -> None:
    assert await ledger.settle(await ask(ledger), None, outcome="unknown") == Decimal("0.03")
    day = await engine.read(sums)
    assert (day["cost"], day["wasted"], day["estimated"]) == (30_000_000, 30_000_000, 1)


async def test_a_model_without_a_price_is_unpriced_not_free(ledger: Ledger, engine: Engine) -> None:
    entry = await ask(ledger, model="gpt-99-sol")
    assert entry.reserved_usd is None
    assert await ledger.settle(entry, USED, outcome="ok") is None
    (row,) = await engine.read(entries)
    assert row["cost"] is None
    assert row["reason"] == "no price is known for gpt-99-sol"
    day = await engine.read(sums)
    assert (day["unpriced"], day["input_tokens"]) == (1, 2_000)


@pytest.mark.parametrize(
    "reported",
    [
        Usage(input_tokens=-1),
        Usage(output_tokens=10**12),
        Usage(output_tokens=10**8 + 1),
        Usage(input_tokens=10, cached_tokens=11),
        Usage(input_tokens=10, cached_tokens=6, cache_write_tokens=5),
        Usage(audio_seconds=float("nan")),
    ],
)
async def test_usage_that_cannot_be_true_counts_as_the_bound(
    ledger: Ledger, engine: Engine, reported: Usage
) -> None:
    assert await ledger.settle(await ask(ledger), reported, outcome="ok") == Decimal("0.029")
    (row,) = await engine.read(entries)
    assert (row["input_tokens"], row["output_tokens"], row["estimated"]) == (2_000, 2_500, 1)


async def test_the_service_tier_reported_sets_the_price(ledger: Ledger, engine: Engine) -> None:
    assert await ledger.settle(await ask(ledger), USED, outcome="ok", tier="flex") == Decimal("0.00115")
    (row,) = await engine.read(entries)
    assert row["tier"] == "flex"


async def test_training_is_charged_by_the_trained_token(ledger: Ledger) -> None:
    entry = await ledger.open(
        replace(SCOPE, kind="training"), "curie", upper_bound=Usage(input_tokens=1_000_000), attempt=1
    )
    assert await ledger.settle(entry, Usage(input_tokens=1_000_000), outcome="ok") == 3


async def test_rows_open_at_start_are_charged_as_reserved_and_flagged(
    ledger: Ledger, engine: Engine, clock: Clock
) -> None:
    await ask(ledger)
    await process_died(engine)
    again = Ledger(engine, Prices(), Calendar(zone("UTC"), clock=clock))
    assert await again.start() == 1
    assert await again.start() == 0
    (row,) = await engine.read(entries)
    assert (row["outcome"], row["cost"], row["estimated"]) == ("unknown", 30_000_000, 1)
    assert (row["input_tokens"], row["output_tokens"], row["input_audio_tokens"]) == (0, 0, 0)
    assert (await engine.read(sums))["wasted"] == 30_000_000


async def test_a_cancelled_open_leaves_nothing_open(ledger: Ledger, engine: Engine) -> None:
    asking = asyncio.create_task(ask(ledger))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert [row["outcome"] for row in await engine.read(entries)] in ([], ["stopped"])


async def test_numbers_grow_with_time_and_a_thousand_requests_fit_into_a_millisecond(
    engine: Engine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.costs.ledger.secrets.randbits", lambda bits: (1 << bits) - 1)
    ledger = await begin(engine, clock)
    ids = [(await ask(ledger)).id for _ in range(1_000)]
    assert {id >> 20 for id in ids} == {int(NOON * 1_000)}
    assert ids == sorted(set(ids))


async def test_what_is_heard_is_not_reserved_as_if_the_cache_could_hold_it(ledger: Ledger) -> None:
    audio = Usage(input_tokens=1_000, input_audio_tokens=1_000)
    read = Usage(input_tokens=1_000)
    reserved = [
        (await ledger.open(SCOPE, "gpt-6-sol", upper_bound=bound, attempt=1)).reserved_usd
        for bound in (audio, read)
    ]
    assert reserved == [Decimal("0.002"), Decimal("0.0025")]


async def test_numbers_stay_unique_when_the_clock_goes_back_over_a_restart(
    ledger: Ledger, engine: Engine, clock: Clock
) -> None:
    first = await ask(ledger)
    clock.at -= 86_400
    second = await ask(await begin(engine, clock))
    assert second.id > first.id
    assert second.opened_at >= first.opened_at


async def test_a_day_is_a_date_where_the_team_lives(engine: Engine, clock: Clock) -> None:
    clock.at = datetime(2026, 11, 23, 23, 30, tzinfo=UTC).timestamp()
    await ask(await begin(engine, clock, "Asia/Tokyo"))
    await ask(await begin(engine, clock, "America/New_York"))
    assert {row["day"] for row in await engine.read(entries)} == {"2026-11-24", "2026-11-23"}


@pytest.mark.parametrize(
    ("first", "last", "day"),
    [
        ("2026-10-24T22:00", "2026-10-25T22:59", "2026-10-25"),  # 25 hours
        ("2026-03-28T23:00", "2026-03-29T21:59", "2026-03-29"),  # 23 hours
    ],
)
async def test_a_day_on_which_clocks_change_is_one_day(
    engine: Engine, clock: Clock, first: str, last: str, day: str
) -> None:
    begins, ends = (datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp() for at in (first, last))
    clock.at = begins - 60
    ledger = await begin(engine, clock, "Europe/Berlin")
    for at in (begins - 60, begins, ends, ends + 60):
        clock.at = at
        await ledger.settle(await ask(ledger), USED, outcome="ok")
    by_day = await engine.read(rows.used, "T1", "2026-01-01", "2026-12-31", by=("day",))
    assert {row["day"]: row["requests"] for row in by_day}[day] == 2
    assert len(by_day) == 3


DEARER = """
[[price]]
model = "gpt-6-sol"
source = "our new agreement"
checked_on = 2026-11-24
input_mtok = 4
cache_read_mtok = 4
output_mtok = 20
"""


async def test_a_price_that_changes_does_not_rewrite_the_past(
    engine: Engine, clock: Clock, tmp_path: Path
) -> None:
    before = await begin(engine, clock)
    await before.settle(await ask(before), USED, outcome="ok")
    under_way = await ask(before)
    old = (await engine.read(sums))["cost"]
    (tmp_path / "prices.toml").write_text(DEARER, "utf-8")
    prices = load_prices(base_url="", path=str(tmp_path / "prices.toml"))
    after = Ledger(engine, prices, Calendar(zone("UTC"), clock=clock))
    assert (await engine.read(sums))["cost"] == old
    await before.settle(under_way, USED, outcome="ok")
    assert (await engine.read(sums))["cost"] == 2 * old
    assert await after.settle(await ask(after), USED, outcome="ok") == Decimal("0.01")
    assert (await engine.read(sums))["cost"] == 2 * old + 10_000_000


async def test_sums_equal_the_rows_they_sum(ledger: Ledger, engine: Engine) -> None:
    people = [replace(SCOPE, user=f"U{n % 3}", channel=f"C{n % 2}") for n in range(60)]
    opened = await asyncio.gather(*(ask(ledger, scope) for scope in people))
    outcomes: tuple[Outcome, ...] = ("ok", "failed", "broken", "unknown", "stopped")
    reports = (USED, None, replace(USED, estimated=True), None, USED)
    await asyncio.gather(
        *(ledger.settle(entry, reports[n % 5], outcome=outcomes[n % 5]) for n, entry in enumerate(opened))
    )
    by_row = await engine.read(
        lambda tx: tx.all(
            """select channel, person, count(*) as requests, sum(cost) as cost,
            sum(input_tokens) as input_tokens, sum(estimated) as estimated
            from ledger group by channel, person order by channel, person"""
        )
    )
    by_day = await engine.read(rows.used, "T1", "2026-11-01", "2026-11-30", by=("channel", "person"))
    summed = sorted(by_day, key=lambda row: (row["channel"], row["person"]))
    assert [{name: row[name] for name in by_row[0]} for row in summed] == by_row


@pytest.mark.parametrize("narrow", [{}, {"channel": "C1"}, {"person": "U1"}])
@pytest.mark.parametrize(
    "by", [(), ("channel",), ("person",), ("day",), ("channel", "kind"), ("day", "model")]
)
async def test_a_month_sums_to_the_same_by_months_and_by_days(
    ledger: Ledger, engine: Engine, clock: Clock, by: tuple[str, ...], narrow: dict[str, str]
) -> None:
    for n in range(20):
        clock.at += 20_000
        scope = replace(SCOPE, user=f"U{n % 3}", channel=f"C{n % 2}", kind="image" if n % 5 else "answer")
        entry = await ask(ledger, scope, "gpt-6-sol" if n % 4 else "gpt-99-sol")
        await ledger.settle(entry, replace(USED, audio_seconds=n / 8), outcome="ok" if n % 3 else "failed")
    of_months = await engine.read(rows.used, "T1", "2026-11-01", "2026-11-30", by=by, where=narrow)
    of_days = await engine.read(rows.used, "T1", "2026-11-02", "2026-11-30", by=by, where=narrow)
    assert of_months == of_days != []


@given(first=st.dates(date(1999, 1, 1), date(2101, 12, 31)), days=st.integers(0, 400))
def test_a_month_is_its_first_day_to_its_last(first: date, days: int) -> None:
    last = first + timedelta(days=days)
    month = monthrange(first.year, first.month)[1]
    whole = first.day == 1 and days == month - 1
    assert rows._is_month(first.isoformat(), last.isoformat()) is whole
    for begins in (first.replace(day=1), first.replace(day=2)):
        ends = first.replace(day=month)
        assert rows._is_month(begins.isoformat(), ends.isoformat()) is (begins.day == 1)


async def test_sums_by_model_are_of_what_began_within_the_span_and_has_ended(
    ledger: Ledger, engine: Engine, clock: Clock
) -> None:
    begins, ends = NOON + 60, NOON + 120
    for at in (begins - 1, begins, ends - 1, ends):
        clock.at = at
        await ledger.settle(await ask(ledger), USED, outcome="failed" if at == begins else "ok")
        await ask(ledger)
    (summed,) = await engine.read(rows.by_model, begins, ends)
    assert (summed["model"], summed["requests"], summed["failed"]) == ("gpt-6-sol", 2, 1)


async def test_part_of_a_month_is_not_the_month(ledger: Ledger, engine: Engine) -> None:
    await ledger.settle(await ask(ledger), USED, outcome="ok")
    for first, last in (
        ("2026-11-01", "2026-11-22"),
        ("2026-11-24", "2026-11-30"),
        ("2026-10-01", "2026-10-31"),
    ):
        assert await engine.read(rows.used, "T1", first, last, by=("channel",)) == []
    assert len(await engine.read(rows.used, "T1", "2026-10-01", "2026-11-30", by=("channel",))) == 1


async def test_reports_can_be_narrowed_and_are_empty_without_rows(ledger: Ledger, engine: Engine) -> None:
    assert await engine.read(rows.used, "T1", "2026-11-01", "2026-11-30", by=()) == []
    await ledger.settle(await ask(ledger), USED, outcome="ok")
    await ledger.settle(await ask(ledger, replace(SCOPE, channel="C2")), USED, outcome="ok")
    (total,) = await engine.read(rows.used, "T1", "2026-11-01", "2026-11-30", by=())
    assert total["requests"] == 2
    (one,) = await engine.read(
        rows.used, "T1", "2026-11-23", "2026-11-23", by=("day", "kind"), where={"channel": "C2"}
    )
    assert (one["day"], one["kind"], one["requests"]) == ("2026-11-23", "answer", 1)
    assert await engine.read(rows.used, "T2", "2026-11-01", "2026-11-30", by=()) == []
