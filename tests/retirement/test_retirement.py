"""Models that end are found and told, on a clock that is turned: once each, to whom it concerns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.channel.models_in_use import Chosen
from bot.core.calendar import Calendar, zone
from bot.core.settings import Settings
from bot.costs.ledger import Ledger
from bot.costs.pricing import Prices
from bot.provider.catalogue import Catalogue
from bot.provider.fair_share import Scheduler
from bot.provider.service import Provider
from bot.retirement.service import DAY_S, Retirement, describe_ending, find_endings, read_dates
from bot.sandbox.model.server import FakeModel
from storage.channel import preferences
from storage.database import open_engine
from storage.engine import Engine
from tests.support.engines import database_url
from tests.support.model_api import SCOPE, build_prompt

FIRST_DAY = date(2026, 9, 1)


@dataclass
class Clock:
    now: float

    def __call__(self) -> float:
        return self.now

    def days(self, count: int) -> Iterator[date]:
        """Each of the next days, noon by noon."""
        for _ in range(count):
            yield datetime.fromtimestamp(self.now, UTC).date()
            self.now += DAY_S


@dataclass
class Watch:
    clock: Clock
    model: FakeModel
    engine: Engine
    provider: Provider
    retirement: Retirement

    async def told(self) -> list[tuple[str, int]]:
        """What is due today, given at once: the channel ("" is the operator) and the mark."""
        await self.retirement.look()
        due = await self.retirement.find_due()
        for one in due:
            await self.retirement.note_given(one)
        return [(one.notice.channel, one.notice.days) for one in due]


@asynccontextmanager
async def watching(tmp_path: Path, server: FakeModel, clock: Clock, **settings: Any) -> AsyncIterator[Watch]:
    configured = Settings(openai_base_url=server.base_url, openai_api_key="sk-1", **settings)
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        calendar = Calendar(zone("UTC"), clock=clock)
        ledger = Ledger(engine, Prices(), calendar)
        async with Provider(configured, ledger, Scheduler(), engine) as provider:
            retirement = Retirement(configured, engine, provider, calendar, {})
            await retirement.load()
            yield Watch(clock, server, engine, provider, retirement)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime.combine(FIRST_DAY, datetime.min.time(), UTC).timestamp() + 12 * 3600)


async def choose(engine: Engine, channel: str, model: str) -> None:
    await engine.write(preferences.wish, "T1", channel, "model", model, person="U1", now=1.0)


async def test_an_end_is_told_at_each_mark_once_to_the_operator_and_to_the_channel_that_chose_it(
    tmp_path: Path, clock: Clock
) -> None:
    async with FakeModel(dated=True) as model, watching(tmp_path, model, clock, model="gpt-6-luna") as watch:
        await choose(watch.engine, "C1", "gpt-4.1")
        told = {day: await watch.told() for day in clock.days(150)}
        ends = date(2027, 1, 14)
        assert {(ends - day).days: marks for day, marks in told.items() if marks} == {
            90: [("", 90), ("C1", 90)],
            30: [("", 30), ("C1", 30)],
            7: [("", 7), ("C1", 7)],
            0: [("", 0), ("C1", 0)],
        }
        assert watch.model.counters["requests:models"] == 150


async def test_a_start_between_two_marks_tells_the_nearer_one_alone_and_a_restart_nothing_again(
    tmp_path: Path, clock: Clock
) -> None:
    clock.now = datetime(2027, 1, 2, tzinfo=UTC).timestamp()
    async with FakeModel(dated=True) as model:
        async with watching(tmp_path, model, clock, model="gpt-4.1") as watch:
            assert await watch.told() == [("", 30)]
        async with watching(tmp_path, model, clock, model="gpt-4.1") as watch:
            assert await watch.told() == []
            assert model.counters["requests:models"] == 1, "once a day, whoever starts when"
            assert [finding.days for finding in await watch.retirement.find()] == [12]


async def test_a_day_that_moves_is_told_anew(tmp_path: Path, clock: Clock) -> None:
    clock.now = datetime(2027, 1, 10, tzinfo=UTC).timestamp()
    async with FakeModel(dated=True) as model, watching(tmp_path, model, clock, model="gpt-4.1") as watch:
        assert await watch.told() == [("", 7)]
        model.ends["gpt-4.1"] = "2027-01-20"
        clock.now += DAY_S
        assert await watch.told() == [("", 30)]
        model.ends["gpt-4.1"] = ""
        clock.now += DAY_S
        assert await watch.told() == []


async def test_once_it_has_ended_its_successor_is_asked_and_nobody_else_is_told(
    tmp_path: Path, clock: Clock
) -> None:
    clock.now = datetime(2027, 1, 13, 23, 59, tzinfo=UTC).timestamp()
    async with FakeModel(dated=True) as model, watching(tmp_path, model, clock, model="gpt-4.1") as watch:
        await watch.told()
        assert (await watch.provider.complete(build_prompt(), SCOPE)).model == "gpt-4.1"
        clock.now += 60
        model.faults.add("ended", model="gpt-4.1", times=0)
        answer = await watch.provider.complete(build_prompt(), SCOPE)
        assert (answer.model, answer.finish) == ("gpt-6-luna", "stop")
        assert model.counters["outcome:ended"] == 0, "it is not even tried"
        assert await watch.told() == [("", 0)]
        assert await watch.told() == []


async def test_a_model_that_is_gone_before_its_day_is_told_to_the_operator_once(
    tmp_path: Path, clock: Clock
) -> None:
    async with (
        FakeModel(dated=True) as model,
        watching(tmp_path, model, clock, model="rehearsal", successors="rehearsal=gpt-6-luna") as watch,
    ):
        assert await watch.told() == []
        model.faults.add("ended", model="rehearsal", times=0)
        assert (await watch.provider.complete(build_prompt(), SCOPE)).model == "gpt-6-luna"
        (due,) = await watch.retirement.find_due()
        assert describe_ending(due.finding) == f"rehearsal ended on {FIRST_DAY}; gpt-6-luna answers instead"
        assert await watch.told() == [("", 0)]
        clock.now += 3 * DAY_S
        assert await watch.told() == []


async def test_a_server_that_lists_nothing_leaves_the_last_word_standing(
    tmp_path: Path, clock: Clock
) -> None:
    clock.now = datetime(2027, 1, 10, tzinfo=UTC).timestamp()
    async with FakeModel(dated=True) as model, watching(tmp_path, model, clock, model="gpt-4.1") as watch:
        await watch.retirement.look()
        model.api_key = "another"
        clock.now += DAY_S
        await watch.retirement.look()
        assert [finding.days for finding in await watch.retirement.find()] == [3]


def test_every_setting_that_names_a_model_is_watched() -> None:
    models = [
        Chosen("PARLEY_MODEL", "gpt-5"),
        Chosen("PARLEY_SMALL_MODEL", "gpt-5"),
        Chosen("x", "gpt-6-luna"),
    ]
    catalogue = Catalogue(Settings())
    (finding,) = find_endings(models, catalogue, today=date(2026, 11, 29))
    assert (finding.ending.model, finding.days) == ("gpt-5", 12)
    assert describe_ending(finding) == (
        "PARLEY_MODEL, PARLEY_SMALL_MODEL: gpt-5 ends on 2026-12-11, in 12 days; then gpt-6.1-sol answers"
    )
    assert find_endings(models, catalogue, today=date(2026, 9, 11)) == []


def test_a_date_that_cannot_be_read_is_none() -> None:
    assert read_dates({"a": "2027-01-01", "b": "soon", "c": ""}) == {
        "a": date(2027, 1, 1),
        "b": None,
        "c": None,
    }
