"""What people do in one running sandbox, whose bot takes seconds to start: each in a thread of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from bot.sandbox.run import Sandbox, reset, wait_connected
from bot.sandbox.slack.server import FakeSlack
from tests.support.clips import bundled
from tests.support.sandboxes import answered, forked_sandbox

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Sandbox]:
    async with forked_sandbox() as running:
        assert await wait_connected(running), "\n".join(running.bot.log)
        yield running


async def test_a_clip_said_to_parley_in_a_channel_is_heard_truthfully_and_answered(running: Sandbox) -> None:
    ts = await running.slack.say("alice", "#general", "", files=[bundled("offene_rechnung.webm")])
    await running.slack.until(lambda: len(running.slack.thread("#general", ts)) == 3)
    await answered(running, ts)
    card, answer = running.slack.thread("#general", ts)[1:]
    said = json.dumps(card["blocks"], ensure_ascii=False)
    assert "die Rechnung für Oktober ist noch offen" in said
    assert "the invoice for October is still open" in said
    assert "Rechnung" in answer["text"]
    await running.slack.press("alice", "#general", card["ts"], "clip_forget")
    await running.slack.until(lambda: len(running.slack.thread("#general", ts)) == 2)


async def test_the_usage_page_opens_from_its_button(running: Sandbox) -> None:
    ts = await running.slack.say("alice", "#general", "@parley hello")
    await answered(running, ts)
    await running.slack.command("alice", "#general", "/parley", "usage month by channel")
    (shown, *_) = await running.slack.until(lambda: running.slack.ephemerals("alice"))
    (url,) = [e["url"] for b in shown["blocks"] for e in b.get("elements", ()) if "url" in e]
    async with ClientSession() as browser, browser.get(f"{url}&format=csv") as rows:  # draws nothing
        assert rows.status == 200
        assert "#general" in await rows.text()


async def test_the_knowledge_page_opens_from_its_button(running: Sandbox) -> None:
    before = len(running.slack.ephemerals("alice"))
    await running.slack.command("alice", "#general", "/parley", "knowledge page")
    (shown, *_) = await running.slack.until(lambda: running.slack.ephemerals("alice")[before:])
    (url,) = [e["url"] for b in shown["blocks"] for e in b.get("elements", ()) if "url" in e]
    async with ClientSession() as browser, browser.get(url) as page:
        assert page.status == 200
        assert "Knowledge of #general" in await page.text()


@asynccontextmanager
async def lingering_socket(slack: FakeSlack) -> AsyncIterator[None]:
    """A socket whose bot is gone, and which has not noticed."""
    app = {"Authorization": f"Bearer {slack.app_token}"}
    async with ClientSession() as http:
        async with http.post(f"{slack.api_url}apps.connections.open", headers=app) as answer:
            url = (await answer.json())["url"]
        async with http.ws_connect(url):
            yield


async def test_a_reset_waits_for_the_new_bot_also_while_an_old_socket_lingers(running: Sandbox) -> None:
    before = running.bot.pid
    async with lingering_socket(running.slack):
        await reset(running)
        assert running.bot.pid != before
