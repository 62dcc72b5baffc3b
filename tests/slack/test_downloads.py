"""Files somebody shared are fetched from Slack and from nowhere else, and never without end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.errors import FileTooLarge, SlackUnavailable, UnsupportedFile
from bot.core.settings import SLACK_API_URL, Settings
from bot.core.values import File
from bot.sandbox.slack.server import FakeSlack
from handlers.slack.allowed_hosts import is_slack_address
from handlers.slack.client import SlackClient
from handlers.slack.downloads import SlackFiles, open_files
from tests.support.shared_files import BAD, CONTENT, fetched, files, shared
from tests.support.throwaway_server import throwaway_server


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(rate_limits=False) as fake:
        yield fake


async def refusal(slack: FakeSlack, file: File) -> str:
    with pytest.raises(UnsupportedFile) as caught:
        await fetched(slack, file)
    return caught.value.reason


async def test_a_voice_clip_is_fetched_whole(slack: FakeSlack) -> None:
    file = await shared(slack)
    assert file.voice
    assert await fetched(slack, file) == CONTENT


async def test_it_is_gone_from_this_machine_afterwards_and_its_name_was_never_used(slack: FakeSlack) -> None:
    file = await shared(slack)
    async with files(slack) as slack_files, slack_files.fetched(file) as path:
        assert path.name == "file"
        assert path.exists()
    assert not path.parent.exists()


async def test_files_that_are_fetched_at_once_share_one_ceiling_and_who_is_beyond_it_is_told(
    slack: FakeSlack,
) -> None:
    file = await shared(slack, CONTENT[:4] + bytes(700_000))
    async with files(slack, temporary_limit_mb=1) as slack_files:
        async with slack_files.fetched(file) as first:
            with pytest.raises(UnsupportedFile, match="no room for it on my disk just now; try again"):
                async with slack_files.fetched(file):
                    raise AssertionError
            assert first.exists()
        async with slack_files.fetched(file) as again:
            assert again.stat().st_size == 700_004


async def test_a_stub_from_a_shared_channel_is_asked_for_first(slack: FakeSlack) -> None:
    file = await shared(slack, file_access="check_file_info")
    assert file.stub
    assert not file.url
    async with files(slack) as slack_files:
        known = await slack_files.details(file)
    assert not known.stub
    assert await fetched(slack, known) == CONTENT


async def test_a_deleted_file_is_told_as_such(slack: FakeSlack) -> None:
    file = await shared(slack, mode="tombstone")
    assert "not there any more" in await refusal(slack, file)
    async with files(slack) as slack_files:
        with pytest.raises(UnsupportedFile, match="not there any more"):
            await slack_files.details(file)


async def test_a_sign_in_page_is_never_taken_for_the_file(slack: FakeSlack) -> None:
    file = await shared(slack)
    slack.faults.add("files.download", html=True, times=2)
    assert "does not let me read" in await refusal(slack, file)


async def test_a_page_that_somebody_uploaded_is_fetched_though_it_looks_like_one(slack: FakeSlack) -> None:
    page = b"<!DOCTYPE html><title>Sign in</title>"
    file = replace(await shared(slack, page), mime="application/pdf")
    assert await fetched(slack, file) == page


async def test_a_passing_sign_in_page_costs_one_more_try(slack: FakeSlack) -> None:
    file = await shared(slack)
    slack.faults.add("files.download", html=True, times=1)
    assert await fetched(slack, file) == CONTENT


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_trouble_at_slack_is_worth_another_try_later(slack: FakeSlack, status: int) -> None:
    file = await shared(slack)
    slack.faults.add("files.download", status=status)
    with pytest.raises(SlackUnavailable):
        await fetched(slack, file)


async def test_a_dropped_line_is_worth_another_try_later(slack: FakeSlack) -> None:
    file = await shared(slack)
    slack.faults.add("files.download", lose_response=True, times=3)
    with pytest.raises(SlackUnavailable):
        await fetched(slack, file)


@pytest.mark.parametrize(("status", "why"), [(404, "any more"), (403, "does not show"), (410, "any more")])
async def test_a_refusal_is_final_and_told(slack: FakeSlack, status: int, why: str) -> None:
    file = await shared(slack)
    slack.faults.add("files.download", status=status)
    assert why in await refusal(slack, file)


async def test_what_is_announced_too_large_is_not_even_begun(slack: FakeSlack) -> None:
    file = await shared(slack, size=2_000_000)
    slack.faults.add("files.download", status=500)
    with pytest.raises(FileTooLarge, match="1 MB"):
        await fetched(slack, file)


async def test_what_turns_out_larger_than_announced_is_cut_off(slack: FakeSlack) -> None:
    file = await shared(slack, content=bytes(1_500_000), size=100)
    with pytest.raises(FileTooLarge):
        await fetched(slack, file)


async def test_the_token_follows_no_redirect(slack: FakeSlack) -> None:
    met: list[Any] = []

    async def greedy(request: web.Request) -> web.StreamResponse:
        met.append(dict(request.headers))
        return web.Response(body=CONTENT)

    file = await shared(slack)
    async with throwaway_server(greedy) as elsewhere:
        for status in (301, 302, 303, 307, 308):
            slack.faults.add("files.download", status=status, location=elsewhere + "/file", times=2)
            assert "does not let me read" in await refusal(slack, file)
    assert met == []


async def test_the_token_goes_to_no_other_address(slack: FakeSlack) -> None:
    met: list[Any] = []

    async def greedy(request: web.Request) -> web.StreamResponse:
        met.append(dict(request.headers))
        return web.Response(body=CONTENT)

    async with throwaway_server(greedy) as elsewhere:
        for url in (elsewhere + "/f", slack.api_url.replace("//", f"//{elsewhere[7:]}@") + "f"):
            file = replace(await shared(slack), url=url)
            assert "not kept by Slack" in await refusal(slack, file)
    assert met == []


@asynccontextmanager
async def dripping(body: bytes, pause_s: float, headers: dict[str, str]) -> AsyncIterator[File]:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        while True:
            await response.write(body)
            await asyncio.sleep(pause_s)

    async with throwaway_server(drip) as address:
        yield File("F1", "clip", "audio/mp4", 100, address + "/f")


def slack_files_for(file: File, session: aiohttp.ClientSession, **more: Any) -> SlackFiles:
    settings = Settings(
        slack_bot_token="xoxb-1", slack_api_url=file.url.removesuffix("f") + "api/", file_limit_mb=1
    )
    return SlackFiles(settings, SlackClient(AsyncWebClient()), session, **more)


async def test_a_file_that_drips_is_given_up_in_time() -> None:
    async with dripping(b"x", 0.01, {}) as file, aiohttp.ClientSession() as session:
        with pytest.raises(UnsupportedFile, match="too long"):
            async with slack_files_for(file, session, deadline_s=0.2).fetched(file):
                pass


async def test_a_file_without_end_is_cut_off() -> None:
    async with dripping(bytes(200_000), 0, {}) as file, aiohttp.ClientSession() as session:
        with pytest.raises(FileTooLarge):
            async with slack_files_for(file, session).fetched(file):
                pass


async def test_a_real_connection_keeps_no_cookies_and_unpacks_nothing(slack: FakeSlack) -> None:
    settings = Settings(slack_bot_token=slack.bot_token, slack_api_url=slack.api_url)
    client = SlackClient(AsyncWebClient(token=slack.bot_token, base_url=slack.api_url))
    file = await shared(slack)
    async with open_files(settings, client) as slack_files, slack_files.fetched(file) as path:
        assert path.read_bytes() == CONTENT


GOOD = (
    "https://files.slack.com/files-pri/T1-F1/download/audio_message.mp4",
    "https://files.slack.com:443/files-pri/T1-F1/a%20b.mp4?t=1",
    "https://FILES.slack.com/x",
)


@pytest.mark.parametrize("url", GOOD)
def test_slacks_file_host_may_have_the_token(url: str) -> None:
    assert is_slack_address(url, SLACK_API_URL)


@pytest.mark.parametrize("url", BAD)
def test_nobody_else_may_have_the_token(url: str) -> None:
    assert not is_slack_address(url, SLACK_API_URL)


def test_beside_another_api_only_its_very_address_counts() -> None:
    api = "http://127.0.0.1:8765/api/"
    assert is_slack_address("http://127.0.0.1:8765/files-pri/x", api)
    assert not is_slack_address("http://127.0.0.1:8766/files-pri/x", api)
    assert not is_slack_address("https://127.0.0.1:8765/files-pri/x", api)
    assert not is_slack_address("https://files.slack.com/files-pri/x", api)
