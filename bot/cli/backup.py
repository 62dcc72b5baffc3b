"""`parley backup FILE`: a whole, checked copy of the database, also while the bot runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from bot.core.settings import Settings
from storage.database import open_engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="where the copy goes; replaced when it is there"
    )


async def run(args: argparse.Namespace, settings: Settings) -> int:
    async with open_engine(settings.database, read_only=True) as engine:
        await engine.backup(args.file)
    print(f"{args.file}: {args.file.stat().st_size} bytes, checked")
    return 0
