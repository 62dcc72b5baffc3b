"""What is done by the hour is done once by several processes, and by the rest when one dies."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.support.engines import database_url
from tests.support.waiting import until

pytestmark = pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
EVERY_SECOND = "* * * * * */1"


async def test_each_time_is_done_by_one_process_and_by_the_rest_when_one_has_gone(
    tmp_path: Path, database_engine: str
) -> None:
    from storage.postgres.periodic import run_periodically

    url, done = database_url(tmp_path / "parley.db"), list[tuple[int, float]]()

    def work(worker: int) -> Callable[[], Awaitable[None]]:
        async def note() -> None:
            done.append((worker, asyncio.get_running_loop().time()))

        return note

    async with AsyncExitStack() as lasting, AsyncExitStack() as first:
        began_at = asyncio.get_running_loop().time()
        for stack, worker in ((first, 1), (lasting, 2)):
            await stack.enter_async_context(
                run_periodically(
                    url,
                    {"tidy": work(worker)},
                    worker=worker,
                    application="parley",
                    cron=EVERY_SECOND,
                    poll_s=0.2,
                )
            )
        await until(lambda: len(done) >= 4)
        lasted_s = asyncio.get_running_loop().time() - began_at
        assert len(done) <= lasted_s + 2, "no second twice"
        await first.aclose()
        done.clear()
        await until(lambda: len(done) >= 2)
        assert set(Counter(worker for worker, _ in done)) == {2}


async def test_it_ends_when_it_is_told_to_also_when_it_cannot_take_leave_of_the_database(
    tmp_path: Path, database_engine: str
) -> None:
    from storage.postgres.connections import connect
    from storage.postgres.periodic import SCHEMA, run_periodically

    async def nothing() -> None:
        """There is nothing to do."""

    url = database_url(tmp_path / "parley.db")
    with connect(url) as conn:

        def is_known() -> bool:
            known = conn.execute(f'select 1 as one from "{SCHEMA}".procrastinate_workers').fetchone()
            conn.commit()
            return known is not None

        async with (
            asyncio.timeout(20) as hanging,
            run_periodically(url, {"tidy": nothing}, worker=1, application="parley"),
        ):
            await until(is_known)
            await asyncio.to_thread(conn.execute, f'alter schema "{SCHEMA}" rename to gone'.encode())
            conn.commit()
        assert not hanging.expired()


async def test_tables_of_a_version_that_no_process_has_any_more_go(
    tmp_path: Path, database_engine: str
) -> None:
    from storage.postgres.connections import connect
    from storage.postgres.periodic import OURS, SCHEMA, make_tables

    url, worker = database_url(tmp_path / "parley.db"), "procrastinate_workers values (default, now()"
    lefts = {"left": "", "dead": f"{worker} - interval '1 day')", "at_work": f"{worker})", "others": ""}
    with connect(url) as conn:
        conn.autocommit = True
        for name, registered in lefts.items():
            await asyncio.to_thread(make_tables, url)
            old, whose = f"procrastinate_{name}", "another app" if name == "others" else OURS
            conn.execute(f'alter schema "{SCHEMA}" rename to {old}'.encode())
            conn.execute(f"comment on schema {old} is '{whose}'".encode())
            if registered:
                conn.execute(f"insert into {old}.{registered}".encode())
        await asyncio.to_thread(make_tables, url)
        found = conn.execute("select nspname::text from pg_namespace where nspname like 'procr%'").fetchall()
    assert {row["nspname"] for row in found} == {SCHEMA, "procrastinate_at_work", "procrastinate_others"}
