"""A real Chromium for the tests and the pictures: found on this machine, kept from asking the network."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Playwright, async_playwright

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

# Drops files on an element, as they come from the desktop.
DROP = """
([target, files]) => {
  const carried = new DataTransfer();
  for (const [name, type, content] of files) {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    carried.items.add(new File([bytes], name, { type }));
  }
  const zone = document.querySelector(target);
  for (const kind of ["dragover", "drop"])
    zone.dispatchEvent(new DragEvent(kind, { dataTransfer: carried, bubbles: true, cancelable: true }));
}
"""


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


@asynccontextmanager
async def required_browser() -> AsyncIterator[Browser]:
    """A headless Chromium; the test is skipped where there is none, and fails for it on the server."""
    async with browser() as running:
        if running is None:
            if os.environ.get("CI"):
                pytest.fail(MISSING)
            pytest.skip(f"the browser tests are skipped: {MISSING}")
        yield running


async def drop_files(page: Page, target: str, *files: tuple[str, str, bytes]) -> None:
    """Drops files (name, type, content) on an element."""
    given = [[name, kind, base64.b64encode(content).decode()] for name, kind, content in files]
    await page.evaluate(DROP, [target, given])
