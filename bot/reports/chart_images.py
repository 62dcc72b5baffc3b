"""Charts (bot/reports/charts.py) as PNG for Slack and as Vega-Lite for the page, drawn by a child process.

The drawing libraries take 150 MB and a second to load, so bot/reports/chart_process.py runs in a process of
its own that ends with its work. All of it is on this machine: no browser, no network. Needs the charts extra.
"""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson

from bot.core.errors import BotError
from bot.reports.charts import Chart

DRAW_S = 60.0
# Of our environment what the child needs.
TOLD = frozenset(["PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT"])
TOLD_BEGINNINGS = ("LC_", "XDG_", "FONTCONFIG_")
_script: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn chart: PNG bytes for Slack, the alt text to send along, the Vega-Lite spec for the page."""

    png: bytes
    alt: str
    spec: dict[str, Any]


async def draw(charts: Sequence[Chart]) -> list[Picture]:
    """Draws all charts in one child process; BotError, with the reason in the log, when that fails."""
    drawn = orjson.loads(await _child(orjson.dumps([asdict(chart) for chart in charts])))
    return [
        Picture(base64.b64decode(one["png"]), chart.alt, one["spec"])
        for chart, one in zip(charts, drawn, strict=True)
    ]


def available() -> bool:
    """Is the charts extra installed?"""
    return bool(find_spec("altair") and find_spec("vl_convert"))


async def script() -> str:
    """The JavaScript (0.9 MB, Vega and its kin) that shows specs in a browser. Kept once it was made."""
    global _script
    _script = _script or (await _child(b"", "script")).decode()
    return _script


def child_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What the child is told: where fonts and libraries are, and none of our tokens."""
    path = filter(None, (str(Path(__file__).parents[2]), environ.get("PYTHONPATH")))
    told = {
        name: value for name, value in environ.items() if name in TOLD or name.startswith(TOLD_BEGINNINGS)
    }
    return told | {"PYTHONPATH": os.pathsep.join(path)}


async def _child(given: bytes, *arguments: str) -> bytes:
    pipe = asyncio.subprocess.PIPE
    # -P: this chart_process, whatever else is called bot in the folder where Parley runs.
    command = sys.executable, "-P", "-m", "bot.reports.chart_process", *arguments
    child = await asyncio.create_subprocess_exec(
        *command, stdin=pipe, stdout=pipe, stderr=pipe, env=child_environment(os.environ)
    )
    try:
        async with asyncio.timeout(DRAW_S):
            out, err = await child.communicate(given)
    except TimeoutError as exc:
        raise BotError(f"drawing took longer than {DRAW_S:.0f} s") from exc
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if child.returncode:
        raise BotError(f"drawing failed: {err.decode(errors='replace')[-2000:]}")
    return out
