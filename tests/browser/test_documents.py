"""Documents in a real browser, with the real bot: dropped, taken in, asked about, refused, removed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, expect

from bot.sandbox.rehearsal.picture import png
from bot.sandbox.run import Sandbox, wait_ready
from tests.support.accessibility import check_accessibility
from tests.support.browser import drop_files, required_browser
from tests.support.sandboxes import forked_sandbox

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

HERE = {"PATH": os.environ["PATH"], "PARLEY_STREAMS_PER_MINUTE": "0"}
PARKING = (
    b"# Parking\n\nThe gate of the yard opens with the code 4711. Visitors park behind the greenhouse.\n"
)
REFUSED = "No sufficient context for answering the question"
expect.set_options(timeout=60_000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chrome() -> AsyncIterator[Browser]:
    async with required_browser() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workspace() -> AsyncIterator[Sandbox]:
    async with forked_sandbox(HERE, with_scene=True) as running:
        running.slack.rates.enabled = False
        running.model.pace.first_token_s, running.model.pace.tokens_per_s = 0.05, 400
        assert await wait_ready(running), "\n".join(running.bot.log)
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def page(chrome: Browser, workspace: Sandbox) -> AsyncIterator[Page]:
    """A page that looks at #handbook, as Alice."""
    context = await chrome.new_context(viewport={"width": 1280, "height": 800})
    opened = await context.new_page()
    wrong: list[str] = []
    opened.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    opened.on("pageerror", lambda e: wrong.append(str(e)))
    await opened.goto(f"{workspace.page.url}#{workspace.slack.channel('handbook')}")
    await expect(opened.get_by_role("heading", name="#handbook")).to_be_visible()
    yield opened
    await context.close()
    assert wrong == []


async def write(page: Page, text: str) -> None:
    box = page.get_by_role("combobox", name="Write to #handbook", exact=True)
    await box.fill(text)
    await box.press("Enter")


async def ask(page: Page, question: str) -> Locator:
    """The answer to a question, once it stands in the thread that opens beside it."""
    if await page.get_by_role("button", name="Close the thread").is_visible():
        await page.get_by_role("button", name="Close the thread").click()
    await write(page, f"@parley {question}")
    rated = page.locator(".feedback-pair")  # what stands there for one's own eyes alone has none
    await expect(page.locator("#thread .feedback-pair")).to_have_count(1)
    return page.locator("#thread .message", has=rated)


async def ask_parley_to(page: Page, message: Locator) -> Locator:
    """The window of what can be done with a message."""
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Ask Parley to…").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("heading", name="Ask Parley to…")).to_be_visible()
    return dialog


async def test_a_document_is_dropped_taken_in_asked_about_refused_and_removed(page: Page) -> None:
    assert REFUSED in await (await ask(page, "Which code opens the gate of the yard?")).inner_text()
    await drop_files(page, "#main .messages", ("parking.md", "text/markdown", PARKING))
    await write(page, "How to get in")
    dropped = page.locator("#main .message", has_text="How to get in")
    await expect(dropped.get_by_role("link", name="parking.md")).to_be_visible()
    dialog = await ask_parley_to(page, dropped)
    await dialog.get_by_role("button", name="In this channel").first.click()
    await expect(dialog).to_contain_text("I am reading it")
    await page.keyboard.press("Escape")
    await dropped.get_by_role("button", name="1 reply").click()
    card = page.locator("#thread .message").nth(1)
    await expect(card).to_contain_text("can be asked about in this channel")

    answer = await ask(page, "Which code opens the gate of the yard?")
    await expect(answer).to_contain_text("The gate of the yard opens with the code 4711. [1]")
    source = answer.get_by_role("link", name="Parking")
    assert "/sandbox/files/" in str(await source.get_attribute("href"))
    assert REFUSED in await (await ask(page, "What is the wifi password?")).inner_text()

    await dropped.get_by_role("button", name="1 reply").click()
    await card.get_by_role("button", name="Remove").click()
    await page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    await expect(card).to_contain_text("removed")
    assert REFUSED in await (await ask(page, "Which code opens the gate of the yard?")).inner_text()


async def test_the_documents_that_come_with_the_channel_answer_with_their_page_and_slide(page: Page) -> None:
    answer = await ask(page, "What is the allowance for a full day in France?")
    await expect(answer).to_contain_text("58 euros")
    await expect(answer).to_contain_text("Wickerby team handbook 2026, page 4")
    answer = await ask(page, "Which tram do I take to the new office?")
    await expect(answer).to_contain_text("Moving to Ghent, slide 5")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_files_are_added_to_a_form_by_button_or_drop_and_axe_finds_nothing_serious(
    page: Page, scheme: Any
) -> None:
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await drop_files(page, "#main .messages", ("room.png", "image/png", png("a room", 320, 200)))
    await expect(page.get_by_role("button", name="Remove room.png")).to_be_visible()
    await write(page, f"The room, {scheme}")
    message = page.locator("#main .message", has_text=f"The room, {scheme}")
    await expect(message.locator(".picture img")).to_be_visible()
    await check_accessibility(page)
    dialog = await ask_parley_to(page, message)
    await check_accessibility(page)
    await dialog.get_by_role("button", name="Upload a file").click()
    await expect(dialog.get_by_role("heading", name="A file to answer from")).to_be_visible()
    await dialog.locator("input[type=file]").set_input_files(
        {"name": "first.md", "mimeType": "text/markdown", "buffer": b"The cellar is dry."}
    )
    await drop_files(
        page, "dialog .file-field", (f"{scheme}.md", "text/markdown", f"It is {scheme} here.".encode())
    )
    await dialog.get_by_role("button", name="Remove first.md").click()
    await check_accessibility(page)
    await dialog.get_by_role("button", name="Take it in").click()
    await expect(dialog).to_contain_text("I am reading it")
    await dialog.get_by_role("button", name="Close", exact=True).first.click()
    await message.locator(".replies").click()
    card = page.locator("#thread .message", has_text=f"{scheme}.md can be asked about in this channel")
    await expect(card).to_be_visible()
    await check_accessibility(page)


async def test_a_picture_is_asked_about_by_dropping_it_with_the_question(page: Page) -> None:
    await page.get_by_role("navigation", name="Workspace").get_by_role("button", name="general").click()
    await drop_files(page, "#main .messages", ("room.png", "image/png", png("a room", 320, 200)))
    box = page.get_by_role("combobox", name="Write to #general", exact=True)
    await box.fill("@parley Which colours has it?")
    await box.press("Enter")
    await expect(page.locator("#thread .feedback-pair")).to_have_count(1)
    await expect(page.locator("#thread .message").last).to_contain_text("of 320 × 200 pixels, mostly")
