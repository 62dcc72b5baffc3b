"""Caps hold to the last cent: in parallel, over crashes, over borders of time."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Coroutine
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from bot.core.calendar import Calendar, first_day, next_first_day, zone
from bot.core.errors import BudgetExceeded, Missing, SetupError
from bot.core.values import Scope, Usage
from bot.costs.budgets import EACH, Budget, Budgets
from bot.costs.ledger import Ledger, LedgerEntry
from bot.costs.pricing import Prices
from storage import audit
from storage.database import open_engine
from storage.engine import Engine, Tx
from tests.support.deaths import process_died
from tests.support.engines import database_url

pytestmark = pytest.mark.both_engines

T = TypeVar("T")
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()  # a Monday
SCOPE = Scope(team="T1", channel="C1", user="U1", conversation="T1:C1:1.0", kind="answer")
# On gpt-6-sol one output token costs 10 µ$: a bound of 1,000 holds a cent.
CENT = Usage(output_tokens=1_000)


class BudgetBench:
    """Ledger and budgets over one engine, with a clock in hand."""

    def __init__(self, engine: Engine, time_zone: str = "UTC", at: float = NOON) -> None:
        self.engine = engine
        self.at = at
        self.calendar = Calendar(zone(time_zone), clock=lambda: self.at)
        self.ledger = Ledger(engine, Prices(), self.calendar)
        self.budgets = Budgets(engine, self.calendar)

    async def cap(self, dollars: str, **budget: Any) -> int:
        given = {"scope": "channel", "target": "C1", "period": "day"} | budget
        return await self.budgets.put(Budget(team="T1", cap_usd=Decimal(dollars), **given))

    async def ask(self, scope: Scope = SCOPE, bound: Usage = CENT, **more: Any) -> LedgerEntry:
        return await self.ledger.open(scope, "gpt-6-sol", upper_bound=bound, attempt=1, **more)

    async def spend(self, scope: Scope = SCOPE, used: Usage = CENT) -> None:
        await self.ledger.settle(await self.ask(scope, used), used, outcome="ok")

    async def left(self) -> list[Any]:
        return [(s.spent_usd, s.reserved_usd) for s in await self.budgets.standings("T1")]


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        yield engine


@pytest.fixture
async def bench(engine: Engine) -> BudgetBench:
    return BudgetBench(engine)


async def test_a_hundred_parallel_requests_stay_below_the_cap(bench: BudgetBench) -> None:
    await bench.cap("0.425")
    asked = await asyncio.gather(*(bench.ask() for _ in range(100)), return_exceptions=True)
    entries = [entry for entry in asked if isinstance(entry, LedgerEntry)]
    assert len(entries) == 42
    assert all(isinstance(other, BudgetExceeded) for other in asked if not isinstance(other, LedgerEntry))
    await asyncio.gather(*(bench.ledger.settle(entry, CENT, outcome="ok") for entry in entries))
    assert await bench.left() == [(Decimal("0.42"), Decimal(0))]


async def test_a_refused_request_leaves_no_trace(bench: BudgetBench) -> None:
    await bench.cap("1", scope="workspace", target="")
    await bench.cap("0.005")
    with pytest.raises(BudgetExceeded):
        await bench.ask()
    assert await bench.left() == [(0, 0), (0, 0)]
    assert await bench.engine.read(lambda tx: tx.all("select id from ledger")) == []


async def test_what_was_reserved_and_not_used_is_free_again(bench: BudgetBench) -> None:
    await bench.cap("0.01")
    entry = await bench.ask()
    with pytest.raises(BudgetExceeded):
        await bench.ask()
    await bench.ledger.settle(entry, Usage(output_tokens=1), outcome="ok")
    assert await bench.left() == [(Decimal("0.00001"), 0)]
    await bench.ask(bound=Usage(output_tokens=999))


async def test_a_budget_that_is_set_while_a_request_is_under_way_counts_it(bench: BudgetBench) -> None:
    before = await bench.ask()
    await bench.cap("0.03")
    await bench.ask()
    assert await bench.left() == [(0, Decimal("0.02"))]
    await bench.ledger.settle(before, CENT, outcome="ok")
    assert await bench.left() == [(Decimal("0.01"), Decimal("0.01"))]


async def test_the_asker_reads_which_budget_and_when_it_starts_again(bench: BudgetBench) -> None:
    await bench.cap("0.01", period="month", scope="person", target="U1")
    await bench.ledger.settle(await bench.ask(), CENT, outcome="ok")
    with pytest.raises(BudgetExceeded) as caught:
        await bench.ask()
    assert caught.value.notice == (
        "The monthly personal budget is used up. It starts again on Tuesday, 1 December (UTC); "
        "an admin can raise it before."
    )


async def test_what_is_too_dear_for_the_rest_of_a_budget_is_told_so(bench: BudgetBench) -> None:
    await bench.cap("0.004")
    with pytest.raises(BudgetExceeded) as caught:
        await bench.ask()
    assert caught.value.notice == (
        "This could cost up to $0.01, but $0.0040 of the daily channel budget is left. "
        "It starts again on Tuesday, 24 November (UTC)."
    )


async def test_a_budget_that_others_hold_is_not_called_used_up(bench: BudgetBench) -> None:
    await bench.cap("0.015")
    await bench.ask()
    with pytest.raises(BudgetExceeded) as caught:
        await bench.ask()
    assert caught.value.notice == (
        "Other questions are using what is left of the daily channel budget. Please ask again in a moment."
    )


@pytest.mark.parametrize(
    ("scope", "target", "other"),
    [
        ("workspace", "", None),
        ("channel", "C1", replace(SCOPE, channel="C2")),
        ("person", "U1", replace(SCOPE, user="U2")),
        ("model", "gpt-6-sol", None),
        ("kind", "answer", replace(SCOPE, kind="image")),
    ],
)
async def test_a_budget_covers_what_it_names_and_nothing_else(
    bench: BudgetBench, scope: str, target: str, other: Scope | None
) -> None:
    await bench.cap("0.001", scope=scope, target=target)
    with pytest.raises(BudgetExceeded):
        await bench.ask()
    await bench.ask(other or replace(SCOPE, team="T2"))


async def test_a_budget_for_each_gives_everybody_their_own_and_a_named_one_stands_in(
    bench: BudgetBench,
) -> None:
    await bench.cap("0.01", scope="person", target=EACH)
    await bench.cap("0.02", scope="person", target="U2")
    await bench.ask()
    with pytest.raises(BudgetExceeded):
        await bench.ask()
    await bench.ask(replace(SCOPE, user="U2"))
    await bench.ask(replace(SCOPE, user="U2"))
    with pytest.raises(BudgetExceeded):
        await bench.ask(replace(SCOPE, user="U2"))


async def test_a_new_budget_knows_what_was_already_spent(bench: BudgetBench) -> None:
    await bench.spend()
    bench.at += 86_400
    await bench.cap("0.015", period="month")
    await bench.cap("0.015", period="day")
    assert await bench.left() == [(Decimal("0.01"), 0), (0, 0)]
    with pytest.raises(BudgetExceeded, match="monthly"):
        await bench.ask()


async def test_a_changed_cap_keeps_what_was_spent(bench: BudgetBench) -> None:
    await bench.cap("0.01")
    await bench.spend()
    await bench.cap("0.03")
    assert await bench.left() == [(Decimal("0.01"), 0)]
    await bench.ask()


async def test_an_override_raises_the_cap_for_a_while(bench: BudgetBench) -> None:
    budget = await bench.cap("0.01")
    await bench.spend()
    until = datetime.fromtimestamp(NOON + 3600, UTC)
    await bench.budgets.override(budget, Decimal("0.02"), until=until, by="U9", reason="launch day")
    (standing,) = await bench.budgets.standings("T1")
    assert (standing.budget.cap_usd, standing.cap_now_usd) == (Decimal("0.01"), Decimal("0.02"))
    await bench.spend()
    bench.at += 3601
    with pytest.raises(BudgetExceeded):
        await bench.ask()
    changes = await bench.budgets.changes("T1")
    assert [(change.act, change.person, change.reason) for change in changes] == [
        ("raised", "U9", "launch day"),
        ("set", "", ""),
    ]


async def test_what_is_done_to_one_budget_leaves_the_others_as_they_are(bench: BudgetBench) -> None:
    mine = await bench.cap("0.01")
    other = await bench.cap("0.01", target="C2")
    later = datetime.fromtimestamp(NOON + 3600, UTC)
    await bench.budgets.override(other, Decimal("5"), until=later, by="U9", reason="theirs alone")
    for channel in ("C1", "C2"):
        await bench.spend(replace(SCOPE, channel=channel))
    with pytest.raises(BudgetExceeded):
        await bench.ask()
    with pytest.raises(Missing):
        await bench.budgets.remove("T2", other, by="U9")
    await bench.budgets.remove("T1", mine, by="U9")
    (left,) = await bench.budgets.standings("T1")
    assert (left.budget.target, left.spent_usd, left.cap_now_usd) == ("C2", Decimal("0.01"), Decimal(5))
    held = await bench.engine.read(lambda tx: tx.all("select distinct budget from budget_use"))
    assert held == [{"budget": other}]


async def test_a_budget_for_each_knows_what_was_spent_while_another_stood_in_for_it(
    bench: BudgetBench,
) -> None:
    await bench.cap("0.03", scope="person", target=EACH)
    await bench.spend()
    named = await bench.cap("1", scope="person", target="U1")
    await bench.spend()
    under_way = await bench.ask()
    await bench.budgets.remove("T1", named)
    with pytest.raises(BudgetExceeded):
        await bench.ask()
    await bench.ledger.settle(under_way, None, outcome="failed")
    await bench.spend()
    with pytest.raises(BudgetExceeded):
        await bench.ask()


async def test_whoever_changes_a_budget_stands_in_both_lists(bench: BudgetBench) -> None:
    budget = await bench.cap("0.01")
    await bench.budgets.remove("T1", budget, by="U9")
    assert [change.act for change in await bench.budgets.changes("T1")] == ["removed", "set"]
    listed = await bench.engine.read(lambda tx: list(audit.every(tx)))
    assert [(entry.act, entry.about) for entry in listed] == [
        ("budget set", "channel C1"),
        ("budget removed", "channel C1"),
    ]


async def test_a_removed_budget_holds_nobody_back(bench: BudgetBench) -> None:
    budget = await bench.cap("0.01")
    entry = await bench.ask()
    await bench.budgets.remove("T1", budget)
    await bench.ledger.settle(entry, CENT, outcome="ok")
    await bench.ask()
    with pytest.raises(Missing):
        await bench.budgets.remove("T1", budget)


async def test_the_owner_is_warned_once_per_period(bench: BudgetBench) -> None:
    await bench.cap("0.05", owner="U7", warn_percent=40)
    await bench.spend()
    assert await bench.budgets.due_warnings() == []
    await bench.spend()
    (warning,) = await bench.budgets.due_warnings()
    assert (warning.owner, warning.what, warning.spent_usd) == ("U7", "daily channel", Decimal("0.02"))
    await bench.budgets.note_warned(warning)
    await bench.spend()
    assert await bench.budgets.due_warnings() == []
    bench.at += 86_400
    await bench.spend()
    await bench.spend()
    assert len(await bench.budgets.due_warnings()) == 1


async def test_who_was_told_of_one_budget_has_yet_to_be_told_of_the_others(bench: BudgetBench) -> None:
    await bench.cap("0.05", scope="person", target=EACH, owner="U7", warn_percent=10)
    await bench.cap("0.05", owner="U7", warn_percent=10)
    for person in ("U1", "U2"):
        await bench.spend(replace(SCOPE, user=person))
    first, *others = await bench.budgets.due_warnings()
    assert len(others) == 2
    await bench.budgets.note_warned(first)
    assert await bench.budgets.due_warnings() == others


async def test_a_budget_nobody_has_used_is_whole_and_there(bench: BudgetBench) -> None:
    assert await bench.left() == []
    await bench.cap("0.05")
    assert await bench.left() == [(0, 0)]


async def test_from_80_percent_the_smaller_model_answers_where_the_owner_wants_it(bench: BudgetBench) -> None:
    await bench.cap("0.05", degrade=True)
    models = [(await bench.ask(smaller_model="gpt-6-luna")).model for _ in range(6)]
    assert models == ["gpt-6-sol"] * 3 + ["gpt-6-luna"] * 3
    await bench.cap("1", scope="channel", target="C2", degrade=False)
    assert (await bench.ask(replace(SCOPE, channel="C2"), smaller_model="gpt-6-luna")).model == "gpt-6-sol"


async def test_a_smaller_model_that_costs_more_than_the_channels_own_does_not_take_its_place(
    bench: BudgetBench,
) -> None:
    await bench.cap("0.02", degrade=True)
    models = [(await bench.ask(smaller_model="gpt-6.1-sol")).model for _ in range(2)]
    assert models == ["gpt-6-sol"] * 2


async def test_just_below_80_percent_is_not_80_percent(bench: BudgetBench) -> None:
    await bench.cap("0.05", degrade=True)
    for _ in range(3):
        await bench.spend()
    for bound, model in ((999, "gpt-6-sol"), (1_000, "gpt-6-luna")):
        entry = await bench.ask(bound=Usage(output_tokens=bound), smaller_model="gpt-6-luna")
        assert entry.model == model
        await bench.ledger.settle(entry, None, outcome="failed")


async def test_a_crash_leaks_no_budget(bench: BudgetBench) -> None:
    await bench.cap("0.02")
    await bench.ask()
    await process_died(bench.engine)
    after = BudgetBench(bench.engine)
    await after.ledger.start()
    assert await after.left() == [(Decimal("0.01"), 0)]
    await after.ask()


async def test_a_clock_that_jumps_back_does_not_start_a_cap_anew(bench: BudgetBench) -> None:
    await bench.spend()
    await bench.cap("0.01")
    bench.at -= 3 * 86_400
    with pytest.raises(BudgetExceeded):
        await bench.ask()
    after = BudgetBench(bench.engine, at=bench.at)
    await after.ledger.start()
    with pytest.raises(BudgetExceeded):
        await after.ask()


async def test_a_request_over_midnight_is_charged_to_the_day_it_began(bench: BudgetBench) -> None:
    await bench.cap("0.01")
    bench.at = datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC).timestamp()
    entry = await bench.ask()
    bench.at += 2
    await bench.ledger.settle(entry, CENT, outcome="ok")
    assert await bench.left() == [(0, 0)]
    await bench.ask()


@pytest.mark.parametrize("period", ["day", "week", "month"])
async def test_a_cap_starts_again_at_midnight_of_the_workspace(engine: Engine, period: str) -> None:
    last = {"day": date(2026, 3, 8), "week": date(2026, 3, 8), "month": date(2026, 10, 31)}[period]
    midnight = Calendar(zone("America/New_York")).midnight(last + timedelta(days=1)).timestamp()
    bench = BudgetBench(engine, "America/New_York", midnight - 1)
    await bench.cap("0.01", period=period)
    await bench.spend()
    with pytest.raises(BudgetExceeded):
        await bench.ask()
    bench.at = midnight
    await bench.spend()


def test_days_where_clocks_change_begin_at_their_own_midnight() -> None:
    berlin = Calendar(zone("Europe/Berlin"))
    spring = berlin.midnight(date(2026, 3, 30)) - berlin.midnight(date(2026, 3, 29))
    autumn = berlin.midnight(date(2026, 10, 26)) - berlin.midnight(date(2026, 10, 25))
    assert (spring, autumn) == (timedelta(hours=23), timedelta(hours=25))
    with pytest.raises(SetupError, match="no time zone"):
        zone("Europe/Atlantis")


def test_periods_follow_each_other() -> None:
    assert first_day(date(2026, 11, 29), "week") == date(2026, 11, 23)
    assert next_first_day(date(2026, 12, 1), "month") == date(2027, 1, 1)
    assert next_first_day(date(2026, 1, 1), "month") == date(2026, 2, 1)
    assert next_first_day(date(2026, 12, 28), "week") == date(2027, 1, 4)


CAP = 20_000_000  # two cents


class Spending(RuleBasedStateMachine):
    """Requests open, end, are lost in crashes, in any order; two budgets cover them."""

    open_entries = Bundle("open_entries")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.opened = open_engine(database_url(Path(self.folder.name) / "parley.db"))
        self.engine = self.run(self.opened.__aenter__())
        self.bench = BudgetBench(self.engine)
        self.run(self.bench.cap("0.02"))
        self.run(self.bench.cap("0.05", scope="workspace", target="", period="month"))

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @rule(target=open_entries, channel=st.sampled_from(["C1", "C2"]), tokens=st.integers(0, 1_500))
    def ask(self, channel: str, tokens: int) -> Any:
        scope = replace(SCOPE, channel=channel)
        try:
            return self.run(self.bench.ask(scope, Usage(output_tokens=tokens)))
        except BudgetExceeded:
            return multiple()

    @rule(target=open_entries, bounds=st.lists(st.integers(0, 900), min_size=2, max_size=12))
    def ask_at_once(self, bounds: list[int]) -> Any:
        async def together() -> list[Any]:
            asked = (self.bench.ask(bound=Usage(output_tokens=tokens)) for tokens in bounds)
            return await asyncio.gather(*asked, return_exceptions=True)

        answers = self.run(together())
        assert all(isinstance(answer, LedgerEntry | BudgetExceeded) for answer in answers)
        return multiple(*(answer for answer in answers if isinstance(answer, LedgerEntry)))

    @rule(bounds=st.lists(st.integers(0, 900), min_size=1, max_size=8), turns=st.integers(0, 12))
    def ask_and_walk_away(self, bounds: list[int], turns: int) -> None:
        """Whoever asked is gone before, while or after the row is written; what was taken is given back."""

        async def abandoned() -> None:
            asked = [asyncio.create_task(self.bench.ask(bound=Usage(output_tokens=n))) for n in bounds]
            for _ in range(turns):
                await asyncio.sleep(0)
            for task in asked:
                task.cancel()
            for entry in await asyncio.gather(*asked, return_exceptions=True):
                if isinstance(entry, LedgerEntry):
                    await self.bench.ledger.settle(entry, None, outcome="stopped")

        before = self.run(self.bench.left())
        self.run(abandoned())
        assert self.run(self.bench.left()) == before

    @rule(entries=st.lists(consumes(open_entries), max_size=8), late=consumes(open_entries))
    def end_at_once_while_the_process_dies(self, entries: list[LedgerEntry], late: LedgerEntry) -> None:
        async def together() -> None:
            ends = [self.bench.ledger.settle(entry, None, outcome="failed") for entry in entries]
            after = BudgetBench(self.engine, at=self.bench.at)
            await process_died(self.engine)
            await asyncio.gather(*ends, after.ledger.start())
            await self.bench.ledger.settle(late, CENT, outcome="ok")  # too late: its row has been ended
            self.bench = after

        self.run(together())

    @rule(
        entry=consumes(open_entries),
        share=st.integers(0, 100),
        outcome=st.sampled_from(["ok", "broken", "stopped", "failed", "unknown"]),
    )
    def end(self, entry: LedgerEntry, share: int, outcome: Any) -> None:
        """Also entries of an earlier life: their end comes too late and must not count twice."""
        used = Usage(output_tokens=entry.upper_bound.output_tokens * share // 100)
        usage = None if outcome in ("failed", "unknown") else used
        self.run(self.bench.ledger.settle(entry, usage, outcome=outcome))

    @rule(entry=open_entries)
    def end_twice(self, entry: LedgerEntry) -> None:
        for _ in range(2):
            self.run(self.bench.ledger.settle(entry, None, outcome="stopped"))

    @rule(seconds=st.integers(-100_000, 100_000))
    def pass_time(self, seconds: int) -> None:
        self.bench.at += seconds

    @rule()
    def crash(self) -> None:
        self.bench = BudgetBench(self.engine, at=self.bench.at)
        self.run(process_died(self.engine))
        self.run(self.bench.ledger.start())

    @invariant()
    def the_books_agree(self) -> None:
        def look(tx: Tx) -> tuple[list[dict[str, Any]], ...]:
            return (
                tx.all("select u.*, b.cap, b.scope from budget_use u join budgets b on b.id = u.budget"),
                tx.all(
                    "select budget, first, sum(amount) as amount from budget_holds group by budget, first"
                ),
                tx.all("select channel, day, outcome, cost, reserved from ledger"),
                tx.all("select sum(cost) as cost, sum(requests) as requests from usage_days"),
            )

        used, holds, ledger, sums = self.run(self.engine.read(look))
        held = {(hold["budget"], hold["first"]): hold["amount"] for hold in holds}
        settled = [row for row in ledger if row["outcome"] != "open"]
        assert (sums[0]["cost"] or 0, sums[0]["requests"] or 0) == (
            sum(row["cost"] for row in settled),
            len(settled),
        )
        for use in used:
            monthly = use["scope"] == "workspace"
            mine = [
                row
                for row in ledger
                if (monthly or row["channel"] == "C1")
                and first_day(date.fromisoformat(row["day"]), "month" if monthly else "day").isoformat()
                == use["first"]
            ]
            assert use["spent"] == sum(row["cost"] or 0 for row in mine)
            assert use["reserved"] == held.get((use["budget"], use["first"]), 0)
            assert use["reserved"] == sum(row["reserved"] for row in mine if row["outcome"] == "open")
            assert 0 <= use["spent"] + use["reserved"] <= use["cap"]

    def teardown(self) -> None:
        self.run(self.opened.__aexit__(None, None, None))
        self.runner.close()
        self.folder.cleanup()


TestSpending = Spending.TestCase
TestSpending.settings = settings(max_examples=25, stateful_step_count=25)
