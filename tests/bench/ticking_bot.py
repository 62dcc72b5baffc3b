"""`python -m tests.bench.ticking_bot FILE`: the bot, which notes every few milliseconds how late its event
loop is.

At its end it writes a line for each moment: when, by the machine's monotonic clock, and how late in seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path

from bot.core import settings_sources
from bot.core.background import run_alongside
from handlers import serve

TICK_S = 0.005


async def note_lateness(noted: list[tuple[float, float]]) -> None:
    while True:
        due = time.monotonic() + TICK_S
        await asyncio.sleep(TICK_S)
        noted.append((due, time.monotonic() - due))


async def main(path: Path) -> int:
    loaded = settings_sources.load(os.environ, env_file=None)
    noted: list[tuple[float, float]] = []
    async with run_alongside(note_lateness(noted)):
        code = await serve.run(argparse.Namespace(), loaded)
    path.write_text("".join(f"{at} {late}\n" for at, late in noted))
    return code


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]))))
