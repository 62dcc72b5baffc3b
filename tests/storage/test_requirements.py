"""What a PostgreSQL server lacks is said before a bot runs on it, by servers that really lack it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from bot.core.errors import SetupError
from bot.sandbox.postgres import PORT, ThrowawayPostgres
from bot.sandbox.postgres_programs import NoPostgres
from storage.database import check_database, open_engine
from tests.support.fake_pooler import fake_pooler

DURABLE = {"fsync": "on", "full_page_writes": "on", "wal_level": "replica", "max_wal_senders": "2"}


@pytest.fixture
async def server() -> AsyncIterator[ThrowawayPostgres]:
    """One that is as a server has to be."""
    try:
        async with ThrowawayPostgres(**DURABLE) as running:
            yield running
    except NoPostgres as exc:
        pytest.skip(str(exc))


async def refusal(url: str) -> str:
    """What a bot says that is started on it."""
    with pytest.raises(SetupError) as refused:
        async with open_engine(url):
            pass
    return str(refused.value)


async def test_what_a_database_lacks_is_told_by_check_and_at_the_start(
    server: ThrowawayPostgres, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    good = await server.create("good")
    assert await check_database(good) == [], "before the first start"
    async with open_engine(good):
        assert await check_database(good) == []

    await server.run("create database old encoding 'SQL_ASCII' locale 'C' template template0")
    (told,) = await check_database(server.url_of("old"))
    assert "its encoding is SQL_ASCII" in told
    assert "its encoding is SQL_ASCII" in await refusal(server.url_of("old"))

    await server.run("create role team login")
    await server.create("team")
    team = server.url_of("team").replace("postgres@", "team@")
    (told,) = await check_database(team)
    assert "may not make tables" in told
    assert "may not make tables" in await refusal(team)
    await server.run("grant create on schema public to team", database="team")
    assert "may not make schemas" in str(await check_database(team))
    await server.run("grant create on database team to team")
    assert await check_database(team) == []
    async with open_engine(team):
        assert 'permission denied to create extension "vector"' in caplog.text
        await server.run("revoke create on schema public from team", database="team")
        assert await check_database(team) == [], "there is nothing to make any more"

    await server.run("alter role team connection limit 9")
    assert "9 connections are left; a process needs 16" in str(await check_database(team))
    await server.run("alter role team connection limit -1")
    await server.run("alter database team set synchronous_commit = off")
    assert "synchronous_commit is off" in str(await check_database(team))
    await server.run("alter database team set default_transaction_read_only = on")
    assert "nothing can be written" in str(await check_database(team))

    for wrong in (server.url_of("none"), team.replace("team@", "nobody@"), "postgresql://127.0.0.1:1/team"):
        try:
            told = str(await check_database(wrong))
        except SetupError as exc:
            told = str(exc)
        assert told.strip("[]'\"").startswith("database "), told


async def test_a_pooler_that_gives_each_transaction_another_session_is_noticed(
    server: ThrowawayPostgres,
) -> None:
    await server.create("team")
    async with fake_pooler(server.folder / f".s.PGSQL.{PORT}") as pooler:
        pooled = f"postgresql://postgres@127.0.0.1:{pooler.port}/team"
        assert "a pooler in between" in str(await check_database(pooled))
        assert "a pooler in between" in await refusal(pooled)


async def test_behind_a_pooler_of_sessions_everything_begins(server: ThrowawayPostgres) -> None:
    from storage.postgres.periodic import run_periodically

    await server.create("team")
    async with fake_pooler(server.folder / f".s.PGSQL.{PORT}", of_sessions=True) as pooler:
        pooled = f"postgresql://postgres@127.0.0.1:{pooler.port}/team"
        assert await check_database(pooled) == []
        async with (
            asyncio.timeout(20),
            open_engine(pooled) as engine,
            run_periodically(pooled, {}, worker=engine.worker, application="parley"),
        ):
            assert await engine.read(lambda tx: tx.one("select count(*) as n from workers")) == {"n": 1}


async def test_a_standby_is_refused(server: ThrowawayPostgres) -> None:
    url = await server.create("team")
    async with open_engine(url):
        pass
    await server.stop()
    await asyncio.to_thread((server.folder / "data" / "standby.signal").touch)
    await server.start()
    assert "this server is a standby" in str(await check_database(url))
    assert "this server is a standby" in await refusal(url)
