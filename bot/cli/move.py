"""`parley move SOURCE TARGET`: everything of one database into another, empty one, of either engine.

The bot is stopped meanwhile. Afterwards a bot that is started on the source says where its data is;
`parley move --undo SOURCE` takes that back.
"""

from __future__ import annotations

import argparse
import asyncio

from bot.core.errors import SetupError
from bot.core.settings import Settings
from storage.transfer import move, unmark


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="sqlite:///parley.db or postgresql://…")
    parser.add_argument("target", metavar="TARGET", nargs="?", help="an empty database, named so as well")
    parser.add_argument("--undo", action="store_true", help="use SOURCE again, as it was when it was moved")


async def run(args: argparse.Namespace, settings: Settings) -> int:
    if args.undo:
        if not await asyncio.to_thread(unmark, args.source):
            raise SetupError(["nothing of that database was moved"])
        print("It can be used again. What was said since the move is in the other one alone.")
        return 0
    if not args.target:
        raise SetupError(["name the database that everything is to go to"])
    moved = await asyncio.to_thread(move, args.source, args.target)
    for table, rows in moved.rows.items():
        if rows:
            print(f"{table}: {rows}")
    print(f"Moved and compared. Now set PARLEY_DATABASE to {moved.to}, and start the bot.")
    return 0
