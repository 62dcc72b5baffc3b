"""`parley health`: whether the running bot is fit for work, over its own socket: no port has to be known."""

from __future__ import annotations

import argparse
import sys

from bot.core.settings import Settings
from bot.ops.control_socket import is_running, lines_from_running
from storage.database import is_shared


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


async def run(args: argparse.Namespace, settings: Settings) -> int:
    """0 when it is ready for work; else 1, and each reason in a line."""
    if not await is_running(settings):
        print(f"parley: {_nobody(settings)}", file=sys.stderr)
        return 1
    problems = [
        problem async for told in lines_from_running(settings, "/health", {}) for problem in told["problems"]
    ]
    for problem in problems:
        print(f"not ready: {problem}")
    if not problems:
        print("ready")
    return 1 if problems else 0


def _nobody(settings: Settings) -> str:
    if is_shared(settings.database):
        return "no bot runs on this machine with this database; each is asked on its own machine"
    return "no bot runs on this database"
