"""`parley inbox`: what waits, what was given up on, and what to do about it. Works beside a running bot."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

from bot.cli.access_notes import note_access
from bot.core.settings import Settings
from bot.ops.control_socket import ask_running
from storage.database import open_engine
from storage.jobs import inbox, queries


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """list, show SEQ, replay SEQ, discard SEQ."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="parked messages, or those that wait")
    listing.add_argument("--waiting", action="store_true", help="what waits instead of what is parked")
    for name, help in (
        ("show", "one message with everything known of it"),
        ("replay", "work on a parked message again, in its old place"),
        ("discard", "close a parked or waiting message for good"),
    ):
        actions.add_parser(name, help=help).add_argument(
            "seq", type=int, metavar="SEQ", help="number of the message, as `list` shows it"
        )


async def run(args: argparse.Namespace, settings: Settings) -> int:
    if args.action in ("list", "show"):
        return await _look(args, settings)
    if not await ask_running(settings, f"/inbox/{args.seq}/{args.action}"):
        change = inbox.replay if args.action == "replay" else inbox.discard
        async with open_engine(settings.database, must_exist=True) as engine:
            await engine.write(change, args.seq, now=time.time())
    print(f"{args.seq}: {args.action}ed")
    return 0


async def _look(args: argparse.Namespace, settings: Settings) -> int:
    async with open_engine(settings.database, read_only=True) as engine:
        if args.action == "show":
            print(json.dumps(await engine.read(queries.show, args.seq), indent=2))
            await note_access(settings, "inbox", f"all of job {args.seq}")
            return 0
        rows = await engine.read(queries.list_jobs, "new" if args.waiting else "parked")
    for row in rows:
        print(line(row))
    if not rows:
        print("nothing is " + ("waiting" if args.waiting else "parked"))
    return 0


def line(row: dict[str, Any]) -> str:
    """One message in one line: number, age, what it is, how often it was tried, why it stopped."""
    minutes = (time.time() - row["received_at"]) / 60
    tried = f"{row['tries']} failures, {row['crashes']} crashes"
    return f"{row['seq']:>6}  {minutes:8.1f} min  {row['kind']:8}  {row['key']}  {tried}  {row['error']}"
