"""Fields in a real browser, with the real bot: described, extracted from a dropped file, put right."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from bot.sandbox.documents.pdf_file import write_pdf
from bot.sandbox.documents.text_pages import read_pages
from bot.sandbox.run import Sandbox, wait_ready
from tests.support.accessibility import check_accessibility
from tests.support.browser import drop_files, required_browser
from tests.support.invoices import CLEAN_INVOICE, TWO_TOTALS
from tests.support.sandboxes import forked_sandbox

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

HERE = {"PATH": os.environ["PATH"], "PARLEY_STREAMS_PER_MINUTE": "0"}
DESCRIBED = "invoice: number, date, supplier, net, VAT, total with currency"
expect.set_options(timeout=60_000)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chrome() -> AsyncIterator[Browser]:
    async with required_browser() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workspace() -> AsyncIterator[Sandbox]:
    async with forked_sandbox(HERE) as running:
        running.slack.rates.enabled = False
        running.model.pace.first_token_s, running.model.pace.tokens_per_s = 0.05, 2_000
        assert await wait_ready(running), "\n".join(running.bot.log)
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def page(chrome: Browser, workspace: Sandbox) -> AsyncIterator[Page]:
    """A page that looks at #general, as Alice."""
    context = await chrome.new_context(viewport={"width": 1280, "height": 860}, reduced_motion="reduce")
    opened = await context.new_page()
    wrong: list[str] = []
    opened.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    opened.on("pageerror", lambda e: wrong.append(str(e)))
    await opened.goto(workspace.page.url)
    await expect(opened.get_by_role("heading", name="#general")).to_be_visible()
    yield opened
    await context.close()
    assert wrong == []


async def see(page: Page, name: str) -> None:
    """Nothing serious for axe, in light and dark; pictures where somebody wants to look at them."""
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await check_accessibility(page)
        if folder := os.environ.get("PARLEY_PICTURES"):
            await page.screenshot(path=Path(folder) / f"fields_{name}_{scheme}.png")


async def write(page: Page, text: str) -> None:
    box = page.get_by_role("combobox", name="Write to #general", exact=True)
    await box.fill(text)
    await box.press("Enter")


async def test_invoices_become_a_table_that_is_put_right_in_two_clicks(page: Page) -> None:
    await write(page, f"/parley fields {DESCRIBED}")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Checked: net + VAT = total")
    await see(page, "described")
    await dialog.get_by_role("button", name="Save").click()
    await expect(dialog).to_contain_text("Saved.")
    await page.keyboard.press("Escape")

    made = write_pdf(read_pages("<!-- page -->".join((CLEAN_INVOICE, TWO_TOTALS))), title="Invoices")
    await drop_files(page, "#main .messages", ("invoices.pdf", "application/pdf", made))
    await write(page, "Invoices of the spring")
    message = page.locator("#main .message", has_text="Invoices of the spring")
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Ask Parley to…").click()
    await dialog.get_by_role("button", name="Choose the fields").click()
    await expect(dialog.get_by_role("heading", name="Extract fields")).to_be_visible()
    await see(page, "extract")
    await dialog.get_by_role("button", name="Extract", exact=True).click()
    await expect(dialog).to_contain_text("a card in the conversation")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")

    await message.locator(".replies").click()
    card = page.locator("#thread .message", has_text="2 rows of invoice")
    await expect(card.get_by_role("table")).to_contain_text("EUR 119.00")
    await see(page, "card")
    await card.get_by_role("button", name="Review 3 doubtful").click()
    right = dialog.locator(".block", has_text="EUR 238.00").get_by_role("button", name="This one")
    await expect(right).to_be_visible()
    await see(page, "review")
    await right.click()
    await expect(dialog).to_contain_text("Nothing here is doubtful any more.")
    await page.keyboard.press("Escape")
    await expect(card).not_to_contain_text("to look at")
    await expect(card).not_to_contain_text("⚠")

    await write(page, "/parley fields")
    await dialog.get_by_role("button", name="Rows").click()
    await expect(dialog.get_by_role("button", name="As CSV")).to_be_visible()
    await see(page, "rows")
    await page.set_viewport_size({"width": 390, "height": 780})
    await see(page, "phone")
