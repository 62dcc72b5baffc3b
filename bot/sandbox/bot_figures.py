"""What a bot's own monitor says of it: its number among those on the database, and what it is at work on."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

ASKED = {
    "number": "parley_worker",
    "at_work_on": "parley_jobs_running",
    "taken_over": "parley_taken_over_total",
}
PATIENCE = ClientTimeout(total=0.4)  # one that is frozen does not answer
LINE = re.compile(r"^(\w+) ([0-9.e+]+)$", re.MULTILINE)


async def read_figures(session: ClientSession, ops_url: str) -> dict[str, Any]:
    """None of them when it does not answer."""
    if not ops_url:
        return {}
    try:
        async with session.get(f"{ops_url}/metrics", timeout=PATIENCE) as answer:
            found = dict(LINE.findall(await answer.text()))
    except (TimeoutError, ClientError, OSError):
        return {}
    return {name: int(float(found.get(asked, "0"))) for name, asked in ASKED.items()}
