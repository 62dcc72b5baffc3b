"""`parley serve` from its start to its end, for settings with which it does not run for long."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping

from tests.support.forked import PIPE, STDOUT, start_module


async def served(environ: Mapping[str, str]) -> tuple[int, str]:
    """The exit status and everything `parley serve` said."""
    process = await start_module(
        "bot", "serve", env={"PATH": os.environ["PATH"], **environ}, stdout=PIPE, stderr=STDOUT
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode()
