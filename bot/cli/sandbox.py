"""`parley sandbox`: a workspace on this machine, in the browser, without any account."""

from __future__ import annotations

import argparse
import os

from bot.core.settings import Settings
from bot.sandbox import run as sandbox


def add_arguments(parser: argparse.ArgumentParser) -> None:
    default = int(os.environ.get("PARLEY_SANDBOX_PORT", "8765"))
    parser.add_argument("--port", type=int, default=default, help="port of the page (PARLEY_SANDBOX_PORT)")


async def run(args: argparse.Namespace, settings: Settings) -> int:
    await sandbox.run(args.port)
    return 0
