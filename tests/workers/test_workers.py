"""Several processes on one database: messages reach the one they are for, and one process does each duty."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from bot.core.errors import Busy
from bot.workers.caches import Caches
from bot.workers.duties import Duties
from bot.workers.mailbox import Mailbox
from storage.database import open_engine
from storage.engine import Engine, Tx
from storage.workers import changes, mailbox
from tests.support.engines import database_url

pytestmark = pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)


@pytest.fixture
async def two(tmp_path: Path, database_engine: str) -> AsyncIterator[tuple[Engine, Engine, AsyncExitStack]]:
    """Two engines on one database; the second lives as long as the stack."""
    url = database_url(tmp_path / "parley.db")
    async with open_engine(url) as first, AsyncExitStack() as life:
        yield first, await life.enter_async_context(open_engine(url)), life


Two = tuple[Engine, Engine, AsyncExitStack]


async def test_a_message_is_read_once_by_whom_it_is_for(two: Two) -> None:
    first, second, _ = two
    heard, others = list[str](), list[str]()
    mine, theirs = Mailbox(second), Mailbox(first)
    for box, notes in ((mine, heard), (theirs, others)):

        async def hear(text: str, notes: list[str] = notes) -> None:
            notes.append(text)

        box.register("turn", hear)
    for text in ("a", "b"):
        await first.write(mailbox.put, second.worker, "turn", text)
    for _ in range(2):
        await mine.look(False)
        await theirs.look(False)
    assert (heard, others) == (["a", "b"], [])


async def test_a_message_of_a_change_that_did_not_happen_is_not_sent(two: Two) -> None:
    first, second, _ = two

    def change(tx: Tx) -> None:
        mailbox.put(tx, second.worker, "turn", "a")
        raise ValueError

    with pytest.raises(ValueError):
        await first.write(change)
    assert not await second.read(mailbox.has_any, second.worker)


async def test_what_cannot_be_done_now_is_done_with_the_next_look(two: Two) -> None:
    first, second, _ = two
    heard, away = list[str](), [True]

    async def hear(text: str) -> None:
        if away:
            away.clear()
            raise Busy("just now")
        heard.append(text)

    box = Mailbox(second)
    box.register("turn", hear)
    await first.write(mailbox.put, second.worker, "turn", "a")
    with pytest.raises(Busy):
        await box.look(False)
    await box.look(False)
    assert heard == ["a"]


async def test_what_was_left_with_a_process_goes_with_it(two: Two) -> None:
    first, second, life = two
    await first.write(mailbox.put, second.worker, "turn", "a")
    assert await first.write(mailbox.drop_undeliverable) == 0
    await life.aclose()
    assert await first.write(mailbox.drop_undeliverable) == 1


async def test_everybody_reads_anew_what_one_has_changed_and_all_of_it_now_and_then(two: Two) -> None:
    first, second, _ = two
    now, read = [0.0], list[str]()
    box = Mailbox(second)
    caches = Caches(box, clock=lambda: now[0])
    for what in ("policies", "traits"):

        async def reread(what: str = what) -> None:
            read.append(what)

        caches.register(what, reread)
    await first.write(changes.note, "policies")
    await box.look(False)
    await caches.look(False)
    assert read == ["policies"]
    now[0] = 30.0
    await caches.look(False)
    assert read == ["policies", "policies", "traits"]


async def test_a_duty_is_done_by_one_until_it_dies(two: Two) -> None:
    first, second, life = two
    mine, theirs = Duties(first), Duties(second)
    assert [await theirs.hold("notices"), await mine.hold("notices")] == [True, False]
    assert await mine.hold("sweep"), "another duty is free"
    await life.aclose()
    assert await mine.hold("notices")


async def test_who_has_a_database_alone_does_everything(tmp_path: Path, database_engine: str) -> None:
    async with open_engine(f"sqlite:///{tmp_path}/alone.db") as engine:
        before = engine.writes
        assert await Duties(engine).hold("notices")
        assert engine.writes == before


async def test_a_process_that_died_before_the_clock_was_set_back_by_a_day_is_struck_off(two: Two) -> None:
    first, _, _ = two

    def died(tx: Tx) -> None:
        tx.run(
            "insert into workers (slot, process, begun_at, seen_at)"
            " values (7, 'died', unix_now() + 86400, unix_now() + 86400)"
        )

    def is_listed(tx: Tx) -> bool:
        return tx.one("select 1 as found from workers where process = 'died'") is not None

    await first.write(died)
    for _ in range(400):
        if not await first.read(is_listed):
            return
        await asyncio.sleep(0.05)
    pytest.fail("it is still on the list")
