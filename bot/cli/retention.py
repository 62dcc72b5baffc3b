"""`parley retention`: how long what people said is kept, and what is due. Works beside a running bot."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime

from bot.core.settings import Settings
from bot.ops.control_socket import ask_running
from bot.privacy import retention
from bot.privacy.removal import RemovedWorkspace, list_removed
from bot.privacy.retention import DAY_S, Kept
from storage.database import open_engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing: a look; --apply: what is due goes now, and not within the hour."""
    parser.add_argument("--apply", action="store_true", help="erase what is due now")


async def run(args: argparse.Namespace, settings: Settings) -> int:
    now = time.time()
    if args.apply and not await ask_running(settings, "/retention"):
        async with open_engine(settings.database, must_exist=True) as engine:
            await retention.erase_due(engine, settings, now=now)
    async with open_engine(settings.database, read_only=True) as engine:
        for found in await retention.count_kept(engine, settings, now=now):
            print(line(found, now=now))
        for removed in await engine.read(list_removed, settings):
            if removed.erased_at > now or not args.apply:
                print(removed_line(removed))
    return 0


def removed_line(removed: RemovedWorkspace) -> str:
    """A workspace that the app was removed from."""
    at, erased_at = (
        f"{datetime.fromtimestamp(when, UTC):%Y-%m-%d}" for when in (removed.at, removed.erased_at)
    )
    return f"{removed.team}: the app was removed on {at}; what people said goes on {erased_at}"


def line(found: Kept, *, now: float) -> str:
    """One kind, of all or of one channel: for how long it is kept, how much is there, and how much is due."""
    age = (
        f", the oldest {(now - found.oldest_at) / DAY_S:.0f} days old" if found.oldest_at is not None else ""
    )
    kept = f"kept {found.kind.days:g} days" if found.kind.days else "kept for ever"
    where = f" in {found.kind.at.team}:{found.kind.at.channel}" if found.kind.at else ""
    return f"{found.kind.name:<10}  {kept:<16}  {found.total:,} there{where}{age}; {found.due:,} due"
