"""What every engine must do."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import BotError, Conflict, Missing
from storage.conversation.storable import storable
from storage.database import open_engine
from storage.engine import Engine, Tx
from tests.support.engines import POSTGRESQL, database_url, running_engine

pytestmark = [pytest.mark.both_engines, pytest.mark.serializable]
HUGE = 2**63 - 1


@pytest.fixture
def url(tmp_path: Path) -> str:
    return database_url(tmp_path / "parley.db")


@pytest.fixture
async def engine(url: str) -> AsyncIterator[Engine]:
    async with open_engine(url) as engine:
        yield engine


def learn(tx: Tx, model: str, ratio: float = 1.0) -> int:
    return tx.changed(
        "insert into learned_ratios (model, ratio, at) values (:model, :ratio, 0)", model=model, ratio=ratio
    )


def models(tx: Tx) -> list[str]:
    return [row["model"] for row in tx.all("select model from learned_ratios order by model")]


async def test_a_write_is_seen_by_the_next_read(engine: Engine) -> None:
    assert await engine.write(learn, "a") == 1
    assert await engine.read(models) == ["a"]


async def test_a_write_returns_what_the_function_returned(engine: Engine) -> None:
    assert await engine.write(lambda tx: {"any": "thing"}) == {"any": "thing"}


async def test_a_write_that_raises_leaves_nothing_and_passes_its_own_error_on(engine: Engine) -> None:
    def write_then_raise(tx: Tx) -> None:
        learn(tx, "a")
        raise Missing("of its own")

    with pytest.raises(Missing, match="of its own"):
        await engine.write(write_then_raise)
    assert await engine.read(models) == []


async def test_in_a_crowd_only_the_writes_that_raise_are_undone(engine: Engine) -> None:
    def write(tx: Tx, n: int) -> int:
        learn(tx, f"{n:03}")
        if n % 3 == 0:
            raise ValueError(n)
        return n

    answers = await asyncio.gather(*(engine.write(write, n) for n in range(300)), return_exceptions=True)
    assert [a for a in answers if isinstance(a, int)] == [n for n in range(300) if n % 3]
    assert await engine.read(models) == [f"{n:03}" for n in range(300) if n % 3]


@pytest.mark.sqlite_file
async def test_writes_of_one_caller_happen_in_order(engine: Engine) -> None:
    order: list[int] = []
    await asyncio.gather(*(engine.write(lambda tx, n=n: order.append(n)) for n in range(2000)))
    assert order == list(range(2000))


async def test_who_awaits_each_write_has_them_happen_in_order(engine: Engine) -> None:
    at_work = [engine.write(learn, f"beside {n}") for n in range(20)]
    beside = asyncio.gather(*at_work)
    for n in range(20):
        await engine.write(learn, f"{n:02}")
        assert [model for model in await engine.read(models) if " " not in model] == [
            f"{n:02}" for n in range(n + 1)
        ]
    await beside


async def test_a_constraint_is_a_conflict(engine: Engine) -> None:
    await engine.write(learn, "a")
    with pytest.raises(Conflict) as caught:
        await engine.write(learn, "a")
    assert caught.value.__cause__ is not None


def learn_unasked(tx: Tx, *names: str) -> None:
    for name in names:
        tx.run("insert into learned_ratios (model, ratio, at) values (:model, 1.0, 0)", model=name)


async def test_what_is_not_asked_for_is_there_for_the_next_statement_and_in_its_order(engine: Engine) -> None:
    def write(tx: Tx) -> list[str]:
        learn_unasked(tx, "a", "b")
        tx.run("delete from learned_ratios where model = :model", model="a")
        learn_unasked(tx, *(f"c{n:03}" for n in range(100)))
        return models(tx)

    assert await engine.write(write) == ["b", *(f"c{n:03}" for n in range(100))]


@pytest.mark.parametrize("look", [False, True], ids=["at the end", "before a look"])
async def test_a_refusal_that_is_not_asked_for_takes_the_whole_function_back(
    engine: Engine, look: bool
) -> None:
    def write(tx: Tx) -> object:
        learn_unasked(tx, "a", "b", "a", "c")
        return models(tx) if look else None

    with pytest.raises(Conflict):
        await engine.write(write)
    assert await engine.read(models) == []
    await engine.write(learn_unasked, "d")
    assert await engine.read(models) == ["d"]


async def test_broken_sql_is_an_error_of_ours(engine: Engine) -> None:
    with pytest.raises(BotError):
        await engine.write(lambda tx: tx.changed("select from nowhere at all"))
    assert await engine.write(learn, "after it") == 1


async def test_a_read_cannot_write(engine: Engine) -> None:
    with pytest.raises(BotError):
        await engine.read(learn, "a")
    assert await engine.read(models) == []


async def test_a_read_sees_one_unchanging_view(engine: Engine) -> None:
    loop = asyncio.get_running_loop()

    def read_twice(tx: Tx) -> tuple[list[str], list[str]]:
        before = models(tx)
        asyncio.run_coroutine_threadsafe(engine.write(learn, "meanwhile"), loop).result()
        return before, models(tx)

    assert await engine.read(read_twice) == ([], [])
    assert await engine.read(models) == ["meanwhile"]


async def test_a_cancelled_caller_does_not_take_the_write_back(engine: Engine) -> None:
    task = asyncio.create_task(engine.write(learn, "a"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await engine.write(learn, "b")
    assert await engine.read(models) == ["a", "b"]


@pytest.mark.sqlite_file
async def test_a_write_aside_holds_up_other_writes_and_nothing_else(engine: Engine) -> None:
    begun, may_end = threading.Event(), threading.Event()

    def long(tx: Tx) -> int:
        begun.set()
        assert may_end.wait(30)
        return learn(tx, "aside")

    aside = asyncio.create_task(engine.write_aside(long))
    write = asyncio.create_task(engine.write(learn, "beside"))
    await asyncio.to_thread(begun.wait, 30)
    assert await engine.read(models) == []
    assert not aside.done()
    may_end.set()
    assert (await aside, await write) == (1, 1)
    assert await engine.read(models) == ["aside", "beside"]
    assert engine.writes == 1


async def test_a_write_aside_that_raises_leaves_nothing_and_those_beside_it_everything(
    engine: Engine,
) -> None:
    await engine.write(learn, "a")

    def twice(tx: Tx) -> None:
        learn(tx, "b")
        learn(tx, "a")

    outcomes = await asyncio.gather(
        *(engine.write_aside(twice) for _ in range(3)),
        *(engine.write(learn, f"c{n}") for n in range(3)),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [Conflict] * 3 + [int] * 3
    assert await engine.read(models) == ["a", "c0", "c1", "c2"]


async def test_what_was_written_is_there_after_a_restart(url: str) -> None:
    async with open_engine(url) as engine:
        await engine.write(learn, "a")
    async with open_engine(url) as engine:
        assert await engine.read(models) == ["a"]


async def test_writes_under_way_are_committed_before_closing(url: str) -> None:
    async with open_engine(url) as engine:
        tasks = [asyncio.create_task(engine.write(learn, f"{n:04}")) for n in range(1500)]
        tasks += [asyncio.create_task(engine.write_aside(learn, f"aside {n}")) for n in range(3)]
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    async with open_engine(url) as engine:
        assert len(await engine.read(models)) == 1503


async def test_a_closed_engine_says_so(url: str) -> None:
    async with open_engine(url) as engine:
        pass
    with pytest.raises(BotError, match="closed"):
        await engine.write(learn, "a")


@pytest.mark.sqlite_file
async def test_backup_is_a_whole_copy_taken_while_work_goes_on(engine: Engine, tmp_path: Path) -> None:
    await engine.write(learn, "before")
    copy = tmp_path / "copy.db"
    writes = [asyncio.create_task(engine.write(learn, f"{n}")) for n in range(200)]
    await engine.backup(copy)
    await asyncio.gather(*writes)
    async with open_engine(f"sqlite:///{copy}") as restored:
        assert "before" in await restored.read(models)


@pytest.mark.sqlite_file
async def test_a_sound_file_has_no_complaints(engine: Engine) -> None:
    assert await engine.check() == []


# The subset of SQL and values that both engines agree on.

VALUES: list[Any] = [
    "",
    "text",
    "Ünï ‮ 🙂 \\ ' \" % _ :name",
    0,
    -1,
    HUGE,
    -HUGE - 1,
    0.1,
    1e300,
    None,
    b"\0\xff",
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
async def test_values_come_back_as_they_were(engine: Engine, value: Any) -> None:
    row = await engine.read(lambda tx: tx.one("select :value as value", value=value))
    assert row == {"value": value}
    assert row is not None
    assert type(row["value"]) is type(value)


async def test_run_counts_touched_rows_and_upsert_keeps_the_old_value_reachable(engine: Engine) -> None:
    upsert = (
        "insert into learned_ratios (model, ratio, at) values ('a', :ratio, 0)"
        " on conflict (model) do update set ratio = learned_ratios.ratio + excluded.ratio"
    )
    ignore = "insert into learned_ratios (model, ratio, at) values ('a', 9, 0) on conflict (model) do nothing"

    def work(tx: Tx) -> tuple[int, int, int, dict[str, Any] | None]:
        first, second = tx.changed(upsert, ratio=1.0), tx.changed(upsert, ratio=2.0)
        return first, second, tx.changed(ignore), tx.one("select ratio from learned_ratios")

    assert await engine.write(work) == (1, 1, 0, {"ratio": 3.0})


async def test_returning_gives_the_rows_that_were_touched(engine: Engine) -> None:
    def work(tx: Tx) -> list[dict[str, Any]]:
        learn(tx, "a", 1.5)
        return tx.all("update learned_ratios set ratio = ratio * 2 returning model, ratio")

    assert await engine.write(work) == [{"model": "a", "ratio": 3.0}]


async def test_no_row_is_none_and_an_empty_list(engine: Engine) -> None:
    assert await engine.read(lambda tx: tx.one("select 1 as x where 1 = 0")) is None
    assert await engine.read(lambda tx: tx.all("select 1 as x where 1 = 0")) == []


async def test_text_is_in_the_order_of_its_bytes(engine: Engine) -> None:
    """So that ranges of keys are what they seem, and '*' comes before every name."""
    names = ["*", "A:", "A:1", "A;", "B", "_", "a", "a b", "ab", "é", "Ω"]

    def work(tx: Tx) -> list[str]:
        for name in reversed(names):
            learn(tx, name)
        between = "select model from learned_ratios where model >= 'A:' and model < 'A;' order by model"
        return models(tx) + [row["model"] for row in tx.all(between)]

    assert await engine.write(work) == [*names, "A:", "A:1"]


async def test_truth_is_a_number_and_sums_are_integers(engine: Engine) -> None:
    def work(tx: Tx) -> list[Any]:
        tx.run(
            "insert into learned_limits (model, tokens, at) values ('a', :t, 0), ('b', :f, 0)",
            t=True,
            f=False,
        )
        found = tx.one(
            "select cast(sum(tokens) as bigint) as s, count(*) as n, max(tokens) as m from learned_limits"
        )
        return list((found or {}).values())

    assert [(type(value), value) for value in await engine.write(work)] == [(int, 1), (int, 2), (int, 1)]


async def test_text_with_nul_is_for_sqlite_alone_which_is_why_it_is_made_storable(engine: Engine) -> None:
    if running_engine() == POSTGRESQL:
        with pytest.raises(BotError):
            await engine.write(learn, "a\0b")
    else:
        await engine.write(learn, "a\0b")
    assert await engine.write(learn, storable("a\0b\ud800")) == 1


async def test_a_statement_that_failed_ends_the_whole_function(engine: Engine) -> None:
    """PostgreSQL takes nothing more in that transaction, so no function goes on after an error."""

    def goes_on(tx: Tx) -> None:
        learn(tx, "a")
        learn(tx, "a")

    with pytest.raises(Conflict):
        await engine.write(goes_on)
    assert await engine.read(models) == []
