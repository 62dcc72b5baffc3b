"""The usage page as the running bot serves it: by the link from Slack, in a real browser, to nobody else."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest

from bot.pages import signed_links
from handlers.costs import blocks
from tests.support.browser import MISSING, browser
from tests.support.spending import run_command, spend
from tests.support.usage_page import free_port, link, open_to_browsers
from tests.support.workspace import workspace

TRANSPORTS = pytest.mark.parametrize("transport", ["socket", "http"])
UNDRAWN = pytest.mark.usefixtures("undrawn_charts")


async def get(url: str, **query: str) -> tuple[int, str, Mapping[str, str]]:
    async with aiohttp.ClientSession() as session, session.get(url, params=query or None) as response:
        return response.status, await response.text(), dict(response.headers)


@UNDRAWN
@TRANSPORTS
async def test_the_link_from_slack_opens_the_page_over_both_transports(
    tmp_path: Path, transport: str
) -> None:
    async with open_to_browsers(tmp_path, PARLEY_TRANSPORT=transport) as team:
        status, page, headers = await get(await link(team, "bob"))
        assert status == 200
        assert "#general" in page
        assert "#leads" in page
        assert "$17.60" in page
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_without_an_address_there_is_no_page_and_no_button(tmp_path: Path) -> None:
    port = free_port()
    async with workspace(tmp_path, PORT=str(port), PARLEY_TRANSPORT="http") as team:
        await spend(team, "#general", "bob", 1)
        assert blocks.OPEN_PAGE not in str(await run_command(team, "bob", "usage by channel"))
        assert (await get(f"http://127.0.0.1:{port}/usage"))[0] == 404


@UNDRAWN
async def test_a_member_reads_neither_private_channels_nor_other_people(tmp_path: Path) -> None:
    async with open_to_browsers(tmp_path) as team:
        _, page, _ = await get(await link(team, "carol"), by="person")
        assert "leads" not in page
        assert team.slack.channel("#leads") not in page
        assert team.slack.user("bob") not in page
        assert "(others)" in page
        url = await link(team, "carol")
        _, rows, _ = await get(f"{url}&format=csv")
        assert "leads" not in rows
        assert team.slack.user("bob") not in rows
        _, guessed, _ = await get(f"{url}&channel={team.slack.channel('#leads')}")
        assert "Nothing was used." in guessed


@UNDRAWN
async def test_rights_are_those_of_the_moment_the_page_is_opened(tmp_path: Path) -> None:
    async with open_to_browsers(tmp_path) as team:
        url = await link(team, "bob")
        assert "leads" in (await get(url))[1]
        await team.slack.join("bob", "#leads", leave=True)
        assert "leads" not in (await get(url))[1]


async def test_a_forged_or_old_link_opens_nothing_and_says_so(tmp_path: Path) -> None:
    async with open_to_browsers(tmp_path) as team:
        url = await link(team, "carol")
        token = parse_qs(urlsplit(url).query)["token"][0]
        bare = url.partition("?")[0]
        team_id, user = team.slack.team, team.slack.user("alice")
        secret = team.bot.services.costs.page_secret
        forged = signed_links.sign(b"guessed", team_id, user, now=time.time())
        old = signed_links.sign(secret, team_id, user, now=time.time() - signed_links.LIFE_S - 1)
        spliced = f"{forged.partition('.')[0]}.{token.partition('.')[2]}"
        for wrong in ("", "x", forged, spliced, token[:-4]):
            status, text, _ = await get(bare, token=wrong)
            assert (status, "$" in text) == (403, False), wrong
        status, text, headers = await get(bare, token=old)
        assert status == 403
        assert "ask me for a new one in Slack" in text
        assert headers["Cache-Control"] == "no-store"


async def test_filters_it_does_not_know_are_answered_with_a_hint(tmp_path: Path) -> None:
    async with open_to_browsers(tmp_path) as team:
        status, text, _ = await get(f"{await link(team, 'bob')}&span=never")
        assert status == 400
        assert "Try: today" in text


async def test_when_slack_does_not_tell_who_somebody_is_the_page_stays_closed(tmp_path: Path) -> None:
    async with open_to_browsers(tmp_path) as team:
        url = await link(team, "alice")
        team.slack.faults.add("users.info", status=500, times=100)
        status, text, _ = await get(url)
        assert status == 503
        assert "$" not in text


@pytest.mark.browser
async def test_the_page_works_in_a_browser_without_any_other_host(tmp_path: Path) -> None:
    async with open_to_browsers(tmp_path) as team, browser() as chromium:
        if chromium is None:
            pytest.skip(MISSING)
        for channel, cap in (("workspace", 40), ("channel", 10)):
            await run_command(team, "alice", f"budget {channel} {cap} per month")
        context = await chromium.new_context(accept_downloads=True)
        context.set_default_timeout(120_000)  # patience for a busy machine, on which charts are drawn
        page = await context.new_page()
        asked: list[str] = []
        problems: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        url = await link(team, "alice")
        await page.goto(url)
        await page.locator("figure svg").nth(2).wait_for()
        assert await page.locator("figure img").count() == 0
        labels = await page.locator("figure [role=img]").evaluate_all("all => all.map(e => e.ariaLabel)")
        assert all("$" in label for label in labels[:3])
        await page.locator("select[name=channel]").select_option(label="#general")
        await page.locator("select[name=by]").select_option("person")
        await page.get_by_role("button", name="Show").click()
        await page.locator("figure svg").nth(2).wait_for()
        assert await page.locator("tbody tr").count() == 2
        assert "channel #general" in await page.locator("header p").inner_text()
        for name, file in (("CSV", "usage.csv"), ("Parquet", "usage.parquet")):
            async with page.expect_download() as download:
                await page.get_by_role("link", name=name).click()
            assert (await download.value).suggested_filename == file
        await prints_without_tools(page)
        assert problems == []
        assert all(one.startswith((url.partition("?")[0], "data:", "blob:")) for one in asked)


async def prints_without_tools(page: Any) -> None:
    await page.emulate_media(media="print")
    assert not await page.locator("form.filters").is_visible()
    assert not await page.locator(".tools").is_visible()
    assert await page.locator("table").is_visible()
    assert (await page.pdf()).startswith(b"%PDF")
