"""The screenshots of the README, made from the running sandbox with the real bot: `make pictures`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from bot.sandbox.run import Sandbox, connected, sandbox
from tests.browser import MISSING, browser

FOLDER = Path(__file__).parents[1] / "bot" / "sandbox" / "pictures"
WIDE, PHONE = (1280, 800), (390, 780)


async def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    async with browser() as chrome:
        if chrome is None:
            print(MISSING, file=sys.stderr)
            return 1
        async with sandbox(environ={"PATH": os.environ["PATH"]}) as running:
            assert await connected(running), "\n".join(running.bot.log)
            running.model.pace.tokens_per_s = 150
            await furnish(running)
            await conversation(chrome, running)
            await scenes(chrome, running)
            await phone(chrome, running)
    for picture in sorted(FOLDER.glob("*.png")):
        print(f"{picture.relative_to(Path.cwd())}  {picture.stat().st_size // 1024} kB")
    return 0


async def furnish(running: Sandbox) -> None:
    """A morning in a small team."""
    slack = running.slack
    await slack.say("bob", "#general", "Morning! The landlord confirmed the 3rd for the *move to Ghent*.")
    ts = await slack.say("carol", "#general", "Boxes arrive on Friday. Who can help to pack?")
    await slack.react("bob", "#general", ts, "tada")
    await slack.react("alice", "#general", ts, "thumbsup")


async def opened(chrome: Browser, running: Sandbox, size: tuple[int, int], **how: object) -> Page:
    viewport = {"width": size[0], "height": size[1]}
    context = await chrome.new_context(viewport=viewport, device_scale_factor=1.5, **how)  # type: ignore[arg-type]
    page = await context.new_page()
    await page.goto(running.page.url)
    await expect(page.get_by_role("heading", name="#general")).to_be_visible()
    return page


async def ask(page: Page, text: str, *, thread: bool) -> None:
    """Write, and wait until the answer stands whole."""
    done = page.locator("#thread .feedback-pair")
    before = await done.count()
    name = "Reply in the thread" if thread else "Write to #general"
    box = page.get_by_role("combobox", name=name)
    await box.fill(text)
    await box.press("Enter")
    await expect(done).to_have_count(before + 1, timeout=20_000)


async def conversation(chrome: Browser, running: Sandbox) -> None:
    page = await opened(chrome, running, WIDE)
    plan = (
        "@parley My name is Alice. We pack on Thursday. The truck comes on Friday at nine. Bob has the keys."
    )
    await ask(page, plan, thread=False)
    await ask(page, "Show me a table of what I told you", thread=True)
    await ask(page, "When does the truck come?", thread=True)
    await page.locator("#thread").get_by_role("button", name="Good answer").last.click()
    running.model.pace.tokens_per_s = 40
    box = page.get_by_role("combobox", name="Reply in the thread")
    await box.fill("Write 120 words about packing")
    await box.press("Enter")
    await expect(page.locator("#thread .message").last).to_contain_text("Where it begins", timeout=20_000)
    await expect(page.locator("#thread .message").last).to_contain_text("morning side", timeout=20_000)
    await page.mouse.move(0, 0)
    await page.screenshot(path=FOLDER / "conversation.png")
    running.model.pace.tokens_per_s = 150
    await expect(page.locator("#thread .caret")).to_have_count(0, timeout=20_000)
    await page.context.close()


async def scenes(chrome: Browser, running: Sandbox) -> None:
    page = await opened(chrome, running, (1440, 860))
    await page.get_by_role("button", name="replies").last.click()
    await page.get_by_role("button", name="Behind the scenes", exact=True).click()
    await page.get_by_role("tab", name="Model").click()
    await page.locator(".panel summary", has_text="gpt-6-luna").first.click()
    await asyncio.sleep(0.5)
    await page.screenshot(path=FOLDER / "behind_the_scenes.png")
    await page.get_by_role("tab", name="Faults").click()
    await asyncio.sleep(0.2)
    await page.screenshot(path=FOLDER / "faults.png")
    await page.context.close()


async def phone(chrome: Browser, running: Sandbox) -> None:
    page = await opened(chrome, running, PHONE, color_scheme="dark")
    await page.get_by_role("button", name="replies").last.click()
    await page.mouse.move(0, 0)
    await asyncio.sleep(0.3)
    await page.screenshot(path=FOLDER / "phone.png")
    await page.context.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
