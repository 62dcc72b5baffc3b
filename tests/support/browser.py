"""A real Chromium for the tests and the pictures: found on this machine, kept from asking the network."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, Playwright, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--no-sandbox",  # containers rarely allow Chromium's own; the pages are ours
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)
MISSING = (
    "no Chromium found: `make browser` or `.venv/bin/playwright install chromium` installs one, "
    "PARLEY_CHROMIUM names another"
)


def chromium(playwright: Playwright) -> str:
    """The path of a Chromium, "" when there is none."""
    named = os.environ.get("PARLEY_CHROMIUM", "")
    found = [named, *(shutil.which(name) or "" for name in NAMES), playwright.chromium.executable_path]
    return next((path for path in found if path and Path(path).exists()), "")


@asynccontextmanager
async def browser() -> AsyncIterator[Browser | None]:
    """A headless Chromium, or None when none is installed."""
    async with async_playwright() as playwright:
        path = chromium(playwright)
        if not path:
            yield None
            return
        running = await playwright.chromium.launch(executable_path=path, args=[*FLAGS])
        try:
            yield running
        finally:
            await running.close()
