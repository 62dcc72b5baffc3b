"""What is done by the hour, by one of the processes on a database: periodic tasks of procrastinate.

Its tables hold no words of anybody and stand in a schema of their own, one for each of its versions: so
there is nothing to bring up to date, and during an upgrade two versions do not meet; one that nobody has any
more is dropped. What is due is put down once for each hour, whoever comes first; whoever is free does it. One
that dies over it is not waited for: the next hour does all of it again.

Source: https://procrastinate.readthedocs.io/en/stable/howto/advanced/cron.html
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import procrastinate
import psycopg
from procrastinate.schema import SchemaManager

from bot.core.background import run_alongside
from storage.postgres.connections import PostgresConnection, connect

log = logging.getLogger(__name__)

Work = Callable[[], Awaitable[None]]

HOURLY = "0 * * * *"
QUEUE = "hourly"
SCHEMA = f"procrastinate_{procrastinate.__version__.replace('.', '_')}"
OURS = "Parley: what is done by the hour"  # a schema's comment, so that nobody else's is dropped
LEFT_FOR = "1 hour"  # without a sign of life
EARLIER = (
    "select nspname::text as name from pg_namespace where nspname like 'procrastinate%' and nspname <> $1"
    " and obj_description(oid, 'pg_namespace') = $2 and pg_has_role(nspowner, 'usage')"
)
POLL_S = 10.0  # so long after the hour it is begun at most
BEAT_S, STALLED_S = 30.0, 120.0
AGAIN_S = 5.0  # after the connection was lost
CLOSING_S = 3.0


@asynccontextmanager
async def run_periodically(
    url: str,
    works: Mapping[str, Work],
    *,
    worker: int,
    application: str,
    cron: str = HOURLY,
    poll_s: float = POLL_S,
) -> AsyncIterator[None]:
    """Has all of this done as long as the block runs, each by one process at a time given by `cron`."""
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    await asyncio.to_thread(make_tables, url)
    app = procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            conninfo=url,
            min_size=1,
            max_size=2,
            kwargs={"application_name": application},
            configure=_choose_schema,
        )
    )
    for name, work in works.items():
        _register(app, name, work, worker=worker, cron=cron)
    async with app.open_async(), run_alongside(_serve(app, worker, poll_s)):
        yield


async def _choose_schema(conn: psycopg.AsyncConnection) -> None:
    """In the session, for a pooler takes no `options`."""
    await conn.execute(f'set search_path to "{SCHEMA}"'.encode())
    await conn.commit()


def make_tables(url: str) -> None:
    """Makes the tables of this version of procrastinate, by one process at a time, and drops those of
    versions that no process has any more."""
    with connect(url) as conn, conn.transaction():
        conn.execute("select pg_advisory_xact_lock(hashtextextended('migrations', 7))")
        there = conn.execute("select 1 as found from pg_namespace where nspname = $1", [SCHEMA]).fetchone()
        if there is None:
            conn.execute(f'create schema "{SCHEMA}"'.encode())
            conn.execute(f"comment on schema \"{SCHEMA}\" is '{OURS}'".encode())
            conn.execute(f'set local search_path to "{SCHEMA}"'.encode())
            conn.pgconn.exec_(SchemaManager.get_schema().encode())
        for row in conn.execute(EARLIER, [SCHEMA, OURS]).fetchall():
            _drop_left(conn, row["name"])


def _drop_left(conn: PostgresConnection, schema: str) -> None:
    """Unless a process gave a sign of life in it lately: during an upgrade two versions are at work."""
    alive = (
        f'select 1 as found from "{schema}".procrastinate_workers'
        f" where last_heartbeat > now() - interval '{LEFT_FOR}' limit 1"
    )
    if conn.execute(alive.encode()).fetchone() is None:
        log.info("the tables of %s are dropped: no process has them any more", schema)
        conn.execute(f'drop schema "{schema}" cascade'.encode())


def _register(app: procrastinate.App, name: str, work: Work, *, worker: int, cron: str) -> None:
    @app.periodic(cron=cron)
    @app.task(name=name, queue=QUEUE)
    async def run(timestamp: int) -> None:
        log.info("process %d does %s of %d", worker, name, timestamp)
        await work()


async def _serve(app: procrastinate.App, worker: int, poll_s: float) -> None:
    """Until it is cancelled."""
    while True:
        try:
            await app.run_worker_async(
                queues=[QUEUE],
                name=f"parley {worker}",
                fetch_job_polling_interval=poll_s,
                abort_job_polling_interval=poll_s,
                listen_notify=False,
                delete_jobs="always",
                install_signal_handlers=False,
                shutdown_graceful_timeout=CLOSING_S,
                update_heartbeat_interval=BEAT_S,
                stalled_worker_timeout=STALLED_S,
            )
        except Exception as exc:  # whatever it is, what is done by the hour goes on
            if (task := asyncio.current_task()) and task.cancelling():
                return  # it came in the place of our own end
            log.warning("what is done by the hour begins again: %s", type(exc).__name__)
        await asyncio.sleep(AGAIN_S)
