"""Tens of thousands of rows that go: in portions, and in the end as if they had gone at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.errors import Busy
from bot.privacy import portions
from bot.privacy.portions import thin_out, work_off, work_off_rows
from storage.conversation import messages, summaries
from storage.database import open_engine
from storage.engine import Engine, Tx
from storage.jobs import inbox
from storage.privacy.forget import forget, forget_team, forget_user
from storage.privacy.portions import Whose, erase_messages
from tests.support.conversation_rows import HERE, everything, say, work_through
from tests.support.engines import database_url
from tests.support.rows import open_rows, table_names

OTHER = replace(HERE, team="T2")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Portions of two rows."""
    for name in ("FIRST", "SMALLEST", "LARGEST"):
        monkeypatch.setattr(portions, name, 2)


@pytest.fixture
async def engine(tmp_path: Path) -> Any:
    async with open_engine(database_url(tmp_path / "parley.db")) as opened:
        yield opened


@pytest.fixture
def rows(tmp_path: Path) -> Any:
    with open_rows(tmp_path / "rows.db") as tx:
        yield tx


def scene(tx: Tx) -> None:
    """What two people said in three threads, one of them in another workspace, and a question that waits."""
    for number in range(5):
        for person in ("U1", "U2"):
            place = replace(HERE, thread=str(number % 3))
            work_through(tx, f"{person}-{number}", place, person)
            say(tx, f"{person}-{number}", "elsewhere", place=OTHER, person=person)
    for conversation in (HERE.key, OTHER.key):
        summaries.summarise(tx, conversation, "secret of U1", upto=99, tokens=1, erasures=0, now=1)
    inbox.put(tx, "m:T:C:9.5", HERE.key, "message", '"waits"', team="T", person="U1", now=2)
    say(tx, "9.5", "waits", person="U1")


def rows_of(file: Path) -> dict[str, list[str]]:
    """All that is kept, without what two ways of the same may differ in."""
    with open_rows(file) as tx:
        tx.run("update conversations set erasures = 1 where erasures > 1")
        names = {*table_names(tx)} - {"audit", "_sqlite_migrations", "_migrations", "sqlite_sequence"}
        return {name: sorted(map(repr, tx.all(f"select * from {name}"))) for name in names}


ENDS: dict[Whose, Callable[..., int]] = {
    Whose("T", "U1"): lambda tx, **how: forget_user(tx, "T", "U1", **how),
    Whose("T", conversation=HERE.key): lambda tx, **how: forget(tx, HERE, **how),
    Whose("T"): lambda tx, **how: forget_team(tx, "T", **how),
}


@pytest.mark.both_engines
@pytest.mark.parametrize("whose", ENDS, ids=["person", "thread", "workspace"])
async def test_what_went_in_portions_and_then_at_once_is_what_goes_at_once(
    small: None, tmp_path: Path, whose: Whose
) -> None:
    counts = []
    for file, in_portions in (("at-once.db", False), ("portions.db", True)):
        async with open_engine(database_url(tmp_path / file)) as engine:
            await engine.write(scene)
            erased = await thin_out(engine, whose, now=9) if in_portions else 0
            assert bool(erased) is in_portions
            counts.append(await engine.write(ENDS[whose], erased=erased, now=9))
    assert counts[0] == counts[1] > 2
    assert rows_of(tmp_path / "portions.db") == rows_of(tmp_path / "at-once.db")


@pytest.mark.both_engines
async def test_a_process_that_dies_between_portions_leaves_the_rest_for_the_next_time(
    small: None, engine: Engine
) -> None:
    await engine.write(scene)
    broken = iter([None, None, Busy("the disk is full")])

    def erase(tx: Tx, **which: Any) -> int:
        if error := next(broken):
            raise error
        return messages_of(tx, **which)

    with pytest.raises(Busy):
        await work_off_rows(engine, lambda tx: list(range(100)), erase)
    await thin_out(engine, Whose("T", "U1"), now=9)
    await engine.write(forget_user, "T", "U1", now=9)
    left = await engine.read(everything)
    assert "secret of U2" in left
    assert {row["text"] for row in await engine.read(said_by, "U1")} == {"elsewhere", "waits"}


def messages_of(tx: Tx, *, first: int, last: int) -> int:
    which = "seq >= :first and seq <= :last and person = 'U1' and text <> 'waits'"
    return erase_messages(tx, which, first=first, last=last, now=9)


def said_by(tx: Tx, person: str) -> list[dict[str, Any]]:
    return tx.all("select text from messages where person = :person", person=person)


async def test_rows_are_taken_as_they_lie_and_none_is_left_or_taken_twice(
    small: None, engine: Engine
) -> None:
    left, taken = {9, 1, 5, 2, 500, 501, 502}, []

    def erase(tx: Tx, *, first: int, last: int) -> int:
        gone = {row for row in left if first <= row <= last}
        left.difference_update(gone)
        taken.append((first, last))
        return len(gone)

    assert await work_off_rows(engine, lambda tx: list(left), erase) == 7
    assert taken == [(1, 2), (5, 9), (500, 501), (502, 502)]


@pytest.mark.both_engines
async def test_a_pause_follows_how_long_a_portion_took_where_others_write(engine: Engine) -> None:
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)
        if len(paused) < 2:
            await engine.write(say, "meanwhile")

    left, times = iter([2000, 2500, 1000, 7, 0]), iter([0.0, 0.2, 1.0, 1.25, 2.0, 2.5, 3.0, 3.001, 4.0, 4.1])
    limits: list[int] = []

    def take(tx: Tx, *, limit: int) -> int:
        limits.append(limit)
        return next(left)

    beside = asyncio.create_task(engine.write(say, "beside"))
    assert await work_off(engine, take, clock=lambda: next(times), sleep=pause) == 5507
    await beside
    pauses = portions.PAUSES_BESIDE if engine.shared else portions.PAUSES
    assert paused == [pytest.approx(pauses * took) for took in (0.2, 0.25)]
    assert limits == [2000, 2500, 2500, 1250, 1250]


async def test_nobody_waits_for_pauses_where_nobody_else_writes(engine: Engine) -> None:
    async def pause(seconds: float) -> None:
        raise AssertionError(seconds)

    left, seconds = iter([500, 1000, 7, 0]), iter(range(8))
    assert (
        await work_off(engine, lambda tx, limit: next(left), clock=lambda: float(next(seconds)), sleep=pause)
        == 1507
    )


WORDS = st.lists(st.tuples(st.sampled_from("123"), st.booleans(), st.booleans()), max_size=8)


@given(said=WORDS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_summaries_go_with_many_messages_as_with_one_after_the_other(
    rows: Tx, said: list[tuple[str, bool, bool]]
) -> None:
    """Of each message: its thread, whether a summary covers it, whether it goes."""
    gone = [number for number, (_, _, goes) in enumerate(said, 1) if goes]

    def one_by_one(tx: Tx) -> None:
        for number in gone:
            messages.delete(tx, "T", "C", str(number), now=9)

    def together(tx: Tx) -> None:
        if gone:
            erase_messages(tx, f"message in ({', '.join(map(repr, map(str, gone)))})", now=9)

    assert left_of(rows, said, one_by_one) == left_of(rows, said, together)


def left_of(tx: Tx, said: list[tuple[str, bool, bool]], erase: Callable[[Tx], None]) -> list[Any]:
    tx.run("begin")
    for number, (thread, summarised, _) in enumerate(said, 1):
        place = replace(HERE, thread=thread)
        say(tx, str(number), place=place)
        if summarised:
            seq = messages.recall(tx, place.key).messages[-1].seq
            summaries.summarise(tx, place.key, "so far", upto=seq, tokens=1, erasures=0, now=1)
    first = tx.one("select min(seq) as seq from messages")
    erase(tx)
    left = [tx.all(f"select * from {name} order by 1, 2") for name in ("messages", "summaries", "tombstones")]
    tx.run("rollback")
    for row in left[0] + left[1]:  # on PostgreSQL a number is not given again after a rollback
        row["seq" if "seq" in row else "upto"] -= first["seq"] if first else 0
    return left
