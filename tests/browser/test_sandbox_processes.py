"""The sandbox with two processes on PostgreSQL, in a real browser: one is killed and the other takes over."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Locator, Page, expect

from bot.sandbox.postgres_programs import NoPostgres, find_programs
from bot.sandbox.run import Sandbox, wait_connected
from tests.support.accessibility import check_accessibility
from tests.support.browser import MISSING, browser
from tests.support.sandboxes import forked_sandbox

pytestmark = pytest.mark.browser

# Without policies no guard is trained meanwhile: the only work is the question.
HERE = {"PATH": os.environ["PATH"], "PARLEY_STREAMS_PER_MINUTE": "0", "PARLEY_POLICIES": ""}
NARROW, WIDE = {"width": 400, "height": 860}, {"width": 1400, "height": 860}
expect.set_options(timeout=60_000)  # patience for a busy machine; nothing is expected to take so long


@pytest.fixture
async def running() -> AsyncIterator[Sandbox]:
    try:
        find_programs()
    except NoPostgres as exc:
        pytest.skip(str(exc))
    async with forked_sandbox(HERE, processes=2) as running:
        running.slack.rates.enabled = False
        running.model.pace.first_token_s, running.model.pace.tokens_per_s = 0.05, 20
        assert await wait_connected(running), "\n".join(line for bot in running.bots for line in bot.log)
        yield running


@pytest.fixture
async def page(running: Sandbox) -> AsyncIterator[Page]:
    """With the tab of the processes open."""
    async with browser() as chrome:
        if chrome is None:
            if os.environ.get("CI"):
                pytest.fail(MISSING)
            pytest.skip(f"the browser tests are skipped: {MISSING}")
        opened = await chrome.new_page(viewport=WIDE)
        wrong: list[str] = []
        opened.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        opened.on("pageerror", lambda e: wrong.append(str(e)))
        await opened.goto(running.page.url)
        await expect(opened.get_by_text("2 processes of the bot share a PostgreSQL")).to_be_visible()
        await opened.get_by_role("button", name="Behind the scenes", exact=True).click()
        await opened.get_by_role("tab", name="Bot").click()
        yield opened
        assert wrong == []


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name, exact=True)


def figure(card: Locator, name: str) -> Locator:
    return card.locator(".figures div", has_text=name).locator("dd")


async def ask(page: Page, text: str) -> None:
    box = page.get_by_role("combobox", name="Write to #general", exact=True)
    await box.fill(text)
    await box.press("Enter")


async def at_work(page: Page) -> tuple[Locator, Locator]:
    """The card of the process that works on the only question, and that of the other."""
    cards = [card(page, "Process 1"), card(page, "Process 2")]
    busy = page.locator("section.process", has=page.locator(".figures div", has_text="at work1"))
    await expect(busy).to_have_count(1)
    first = await busy.get_attribute("aria-label") == "Process 1"
    return (cards[0], cards[1]) if first else (cards[1], cards[0])


async def test_one_is_killed_in_mid_answer_and_the_other_one_finishes_it(
    page: Page, running: Sandbox
) -> None:
    await ask(page, "@parley Write 300 words about tea")
    answer = page.get_by_role("region", name="Thread", exact=True).locator(".message").nth(1)
    await expect(answer).to_contain_text("Where it begins")
    killed, other = await at_work(page)
    running.model.pace.tokens_per_s = 1000
    await killed.get_by_role("button", name="Kill").click()
    await expect(killed.get_by_role("status")).to_have_text("killed")
    await expect(figure(other, "took over")).to_have_text("1")
    await expect(page.locator("#thread .feedback-pair")).to_have_count(1)
    await expect(page.locator("#thread .message")).to_have_count(2)
    await expect(killed.get_by_role("status")).to_have_text("running")
    await expect(figure(killed, "starts")).to_have_text("2")
    await expect(figure(killed, "number")).to_have_text("3")


async def test_one_is_frozen_and_continued_the_server_is_killed_and_comes_back(page: Page) -> None:
    one, server = card(page, "Process 1"), card(page, "PostgreSQL")
    await one.get_by_role("button", name="Freeze").click()
    await expect(one.get_by_role("status")).to_have_text("frozen")
    await one.get_by_role("button", name="Continue").click()
    await expect(one.get_by_role("status")).to_have_text("running")
    await server.get_by_role("button", name="Kill the server").click()
    await expect(server.get_by_role("status")).to_have_text("killed")
    await page.get_by_text("Log of process 1").click()
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        await check_accessibility(page)
    await page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    await page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    await expect(server.get_by_role("status")).to_have_text("running")
    await expect(page.get_by_label("The log of process 1")).to_contain_text("parley is ready")
    await ask(page, "@parley hello")
    await expect(page.locator("#thread .feedback-pair")).to_have_count(1)
