"""`parley sandbox`: a workspace on this machine, in the browser, without any account."""

from __future__ import annotations

import argparse
import os

from bot.core.app_manifest import read_manifest
from bot.core.settings import Settings
from bot.sandbox import run as sandbox

HIGHEST_PORT = 65_535
MOST_PROCESSES = 5  # each has two of the ten sockets that Slack gives an app


def add_arguments(parser: argparse.ArgumentParser) -> None:
    default = os.environ.get("PARLEY_SANDBOX_PORT") or "8765"  # checked as what is given is
    parser.add_argument("--port", type=_port, default=default, help="port of the page (PARLEY_SANDBOX_PORT)")
    parser.add_argument(
        "--processes",
        type=_processes,
        default=1,
        metavar="N",
        help=f"so many bots, up to {MOST_PROCESSES}, on a PostgreSQL of their own; default: one, on SQLite",
    )


async def run(args: argparse.Namespace, settings: Settings) -> int:
    await sandbox.run(args.port, read_manifest(), processes=args.processes)
    return 0


def _processes(given: str) -> int:
    if given.isascii() and given.isdecimal() and 1 <= int(given) <= MOST_PROCESSES:
        return int(given)
    raise argparse.ArgumentTypeError(f"{given!r} is not a number of processes, from 1 to {MOST_PROCESSES}")


def _port(given: str) -> int:
    """A port that there is; 0 is any free one."""
    if given.isascii() and given.isdecimal() and len(given) <= 5 and int(given) <= HIGHEST_PORT:
        return int(given)
    raise argparse.ArgumentTypeError(f"{given!r} is not a port, from 1 to {HIGHEST_PORT}")
