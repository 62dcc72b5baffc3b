"""The screenshots of the pages, made from the running sandbox with the real bot: `make pictures`."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Locator, Page, expect

from bot.sandbox.run import Sandbox, sandbox, wait_ready
from tests.browser.pictures_costs import usage_page
from tests.support.browser import MISSING, browser
from tests.support.workspace import MANIFEST

FOLDER = Path(__file__).parents[2] / "bot" / "sandbox" / "pictures"
WIDE, WIDER, PHONE = (1360, 800), (1500, 860), (390, 780)
PLAN = "@parley My name is Alice. We pack on Thursday. The truck comes on Friday at nine. Bob has the keys."
CAPACITY = 20_000  # milliseconds a busy machine may take


async def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    async with browser() as chrome:
        if chrome is None:
            print(MISSING, file=sys.stderr)
            return 1
        async with sandbox(MANIFEST, environ={"PATH": os.environ["PATH"]}, with_scene=True) as running:
            assert await wait_ready(running), "\n".join(running.bot.log)
            running.slack.rates.enabled = False
            running.model.pace.tokens_per_s = 150
            for take in (conversation, voice, channels, handbook, scenes, phone):
                await take(chrome, running)
        await usage_page(chrome, FOLDER / "usage.png")
    for picture in sorted(FOLDER.glob("*.png")):
        print(f"{picture.relative_to(Path.cwd())}  {picture.stat().st_size // 1024} kB")
    return 0


async def opened(chrome: Browser, running: Sandbox, size: tuple[int, int], **how: Any) -> Page:
    viewport = {"width": size[0], "height": size[1]}
    context = await chrome.new_context(viewport=viewport, device_scale_factor=1.5, **how)  # type: ignore[arg-type]
    page = await context.new_page()
    page.set_default_timeout(CAPACITY)
    await page.goto(running.page.url)
    await expect(page.get_by_role("heading", name="#general")).to_be_visible()
    return page


async def shown(page: Page, name: str) -> None:
    """Takes the picture, with no pointer over anything and no focus anywhere."""
    await page.mouse.move(0, 0)
    await page.evaluate("document.activeElement.blur()")
    await page.screenshot(path=FOLDER / f"{name}.png")


def place(page: Page, name: str) -> Locator:
    return page.get_by_role("navigation", name="Workspace").get_by_role("button", name=name)


async def write(page: Page, where: str, text: str) -> None:
    box = page.get_by_role("combobox", name=where, exact=True)
    await box.fill(text)
    await box.press("Enter")


async def ask(page: Page, where: str, text: str) -> None:
    """Write, and wait until the answer stands whole."""
    done = page.locator("#thread .feedback-pair")
    before = await done.count() if "thread" in where else 0
    await write(page, where, text)
    await expect(done).to_have_count(before + 1, timeout=CAPACITY)


async def conversation(chrome: Browser, running: Sandbox) -> None:
    """The one that stands first: a thread with memory, and an answer that is being written."""
    page = await opened(chrome, running, WIDE)
    await ask(page, "Write to #general", PLAN)
    await ask(page, "Reply in the thread", "Draft a short note for the team")
    await page.locator("#thread").get_by_role("button", name="Good answer").last.click()
    running.model.pace.tokens_per_s = 4
    await write(page, "Reply in the thread", "Show me a table of what I told you")
    last = page.locator("#thread .message").last
    await expect(last).to_contain_text("truck comes", timeout=CAPACITY)
    await shown(page, "conversation")
    running.model.pace.tokens_per_s = 150
    await expect(page.locator("#thread .caret")).to_have_count(0, timeout=CAPACITY)
    await page.context.close()


async def voice(chrome: Browser, running: Sandbox) -> None:
    page = await opened(chrome, running, WIDE)
    await place(page, "Parley").click()
    await page.get_by_role("button", name="Send a sample voice clip").first.click()
    await page.get_by_role("menuitem", name="Open invoice (German)").click()
    await expect(page.locator("#thread .feedback-pair")).to_have_count(1, timeout=CAPACITY)
    await shown(page, "voice")
    await page.context.close()


async def channels(chrome: Browser, running: Sandbox) -> None:
    """A channel that keeps to its subject, and one with a budget, with its picture in the direct messages."""
    page = await opened(chrome, running, WIDE)
    await place(page, "support").click()
    await ask(page, "Write to #support", "@parley Where is my parcel? It should have come on Monday.")
    await page.get_by_role("button", name="Close the thread").click()
    await write(page, "Write to #support", "@parley How do I bake a lasagne?")
    await expect(page.locator("#thread")).to_contain_text("what this channel is for", timeout=CAPACITY)
    await shown(page, "guard")
    await place(page, "general").click()
    await write(page, "Write to #general", "/parley usage month by channel")
    await expect(page.locator("#main .message.ephemeral table")).to_be_visible(timeout=CAPACITY)
    await place(page, "Parley").click()
    await expect(page.locator("#main .picture img")).to_be_visible(timeout=CAPACITY)
    await page.context.close()


async def handbook(chrome: Browser, running: Sandbox) -> None:
    """A channel that is answered from its documents alone, each answer with its page, or not at all."""
    page = await opened(chrome, running, WIDE)
    await place(page, "handbook").click()
    await ask(page, "Write to #handbook", "@parley What is the wifi password?")
    await page.get_by_role("button", name="Close the thread").click()
    await ask(page, "Write to #handbook", "@parley How many days of holiday do I have?")
    await ask(page, "Reply in the thread", "What is the allowance for a full day in France?")
    await shown(page, "handbook")
    await page.context.close()


async def scenes(chrome: Browser, running: Sandbox) -> None:
    page = await opened(chrome, running, WIDER)
    await page.locator("#main .replies").first.click()
    running.model.pace.tokens_per_s = 0
    for text in (
        "Write 700 words about packing",
        "Write 600 words about moving",
        "When does the truck come?",
    ):
        await ask(page, "Reply in the thread", text)
    await page.get_by_role("button", name="Behind the scenes", exact=True).click()
    await page.get_by_role("tab", name="Model").click()
    await page.locator(".panel summary", has_text="cached").first.click()
    await expect(page.locator(".panel .dump").first).to_be_visible()
    await shown(page, "behind_the_scenes")
    await page.get_by_role("tab", name="Faults").click()
    await expect(page.get_by_role("button", name="Deliver twice")).to_be_visible()
    await shown(page, "faults")
    await page.context.close()


async def phone(chrome: Browser, running: Sandbox) -> None:
    page = await opened(chrome, running, PHONE, color_scheme="dark", has_touch=True, is_mobile=True)
    await page.locator("#main .replies").first.click()
    await page.locator("#thread .scroll").evaluate("(list) => (list.scrollTop = 0)")
    await shown(page, "phone")
    await page.context.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
