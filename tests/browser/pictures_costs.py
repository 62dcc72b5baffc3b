"""The picture of the usage page in docs/costs.md: the real bot over a made-up month."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from playwright.async_api import Browser

from bot.core.calendar import Calendar
from bot.core.values import RequestKind, Scope, Usage
from bot.costs.ledger import Ledger
from tests.support.spending import MODEL, run_command
from tests.support.usage_page import link, open_to_browsers
from tests.support.workspace import Workspace

DAY_S = 86_400
WEIGHTS = {"#support": 9, "#general": 5, "#leads": 3, "#finance": 2}
WHO = ("alice", "bob", "carol")


async def usage_page(chrome: Browser, path: Path) -> None:
    """Takes the picture."""
    with tempfile.TemporaryDirectory() as folder:
        async with open_to_browsers(Path(folder), spent=False) as team:
            await a_month(team, random.Random(7))
            await run_command(team, "alice", "budget workspace 12 per month")
            await run_command(team, "alice", "budget channel 3 per month", channel="#support")
            context = await chrome.new_context(
                viewport={"width": 1180, "height": 1220}, device_scale_factor=1.5
            )
            page = await context.new_page()
            await page.goto(await link(team, "alice"))
            await page.locator("figure svg").nth(2).wait_for()
            await page.screenshot(path=path)


async def a_month(team: Workspace, dice: random.Random) -> None:
    """So many requests of each channel on each day since the first, fewer at weekends."""
    services = team.bot.services
    today = services.calendar.today()
    for back in range(today.day - 1, -1, -1):
        at = time.time() - back * DAY_S
        calendar = Calendar(services.calendar.zone, clock=lambda at=at: at)  # type: ignore[misc]
        ledger = Ledger(services.engine, services.costs.prices, calendar)
        quiet = calendar.today().weekday() >= 5
        for channel, weight in WEIGHTS.items():
            for _ in range(dice.randint(0, 1) if quiet else dice.randint(weight // 2, weight)):
                await spent(team, ledger, channel, dice)


async def spent(team: Workspace, ledger: Ledger, channel: str, dice: random.Random) -> None:
    kind: RequestKind = "transcription" if dice.random() < 0.08 else "answer"
    read = dice.randint(30_000, 90_000)
    used = Usage(input_tokens=read, cached_tokens=int(read * 0.7), output_tokens=dice.randint(500, 4_000))
    if kind == "transcription":
        used = Usage(audio_seconds=dice.randint(30, 900))
    scope = Scope(team.slack.team, team.slack.channel(channel), team.slack.user(dice.choice(WHO)), "", kind)
    model = "whisper-1" if kind == "transcription" else MODEL
    await ledger.settle(await ledger.open(scope, model, upper_bound=used, attempt=1), used, outcome="ok")
