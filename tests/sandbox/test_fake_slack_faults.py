"""Faults on order: each is met exactly as often as ordered, and leaves what it claims to leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.faults import SlackFaults
from bot.sandbox.slack.server import FakeSlack


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(rate_limits=False, retry_delays_s=(0.01,), ack_deadline_s=0.1) as fake:
        yield fake


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[], timeout=1)


def posted(slack: FakeSlack) -> int:
    return len(slack.workspace.channels["C0GENERAL1"].messages)


async def post(client: AsyncWebClient) -> SlackApiError | None:
    """The error of a post, if it has one."""
    try:
        await client.chat_postMessage(channel="C0GENERAL1", text="x")
    except SlackApiError as error:
        return error
    return None


@pytest.mark.parametrize(("retry_after_s", "header"), [(30, "30"), (None, None), ("soon", "soon")])
async def test_a_429_with_without_and_with_a_junk_header(
    slack: FakeSlack, client: AsyncWebClient, retry_after_s: float | str | None, header: str | None
) -> None:
    slack.faults.add("chat.postMessage", status=429, retry_after_s=retry_after_s)
    error = await post(client)
    assert error is not None
    assert (error.response.status_code, error.response["error"]) == (429, "ratelimited")
    assert error.response.headers.get("Retry-After") == header
    assert posted(slack) == 0
    assert await post(client) is None


async def test_html_with_500_and_with_200_is_not_json(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.faults.add("chat.postMessage", status=502, html=True)
    error = await post(client)
    assert error is not None
    assert (error.response.status_code, error.response.data) == (502, {})
    slack.faults.add("chat.postMessage", html=True)
    assert await post(client) is not None
    assert posted(slack) == 0


async def test_ok_false_after_the_post_was_taken(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.faults.add("chat.postMessage", error="internal_error", accepted=True)
    error = await post(client)
    assert error is not None
    assert error.response["error"] == "internal_error"
    assert posted(slack) == 1


async def test_a_lost_response_leaves_the_message(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.faults.add("chat.postMessage", lose_response=True)
    with pytest.raises(aiohttp.ClientError):
        await post(client)
    assert posted(slack) == 1
    assert slack.requests[-1].status == 0


async def test_a_taken_request_can_hang(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.faults.add("chat.postMessage", hold_s=1.5)
    with pytest.raises(TimeoutError):
        await post(client)
    assert posted(slack) == 1


async def test_faults_can_start_later_last_a_while_and_mind_arguments(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    slack.faults.add("chat.postMessage", error="fatal_error", after=1, times=2)
    assert [bool(await post(client)) for _ in range(4)] == [False, True, True, False]
    slack.faults.add("*", error="fatal_error", for_s=0.2)
    assert await post(client)
    await asyncio.sleep(0.25)
    assert await post(client) is None
    slack.faults.add("chat.postMessage", error="is_archived", where={"channel": "C0SUPPORT1"})
    assert await post(client) is None


async def test_sockets_can_be_refused_n_times(slack: FakeSlack) -> None:
    client = AsyncWebClient(base_url=slack.api_url, retry_handlers=[])
    slack.faults.add("apps.connections.open", status=500, error="internal_error", times=2)
    for _ in range(2):
        with pytest.raises(SlackApiError):
            await client.apps_connections_open(app_token=slack.app_token)
    assert (await client.apps_connections_open(app_token=slack.app_token))["ok"]


async def test_deliveries_can_double_be_late_or_lose_their_acknowledgement(slack: FakeSlack) -> None:
    client = AsyncWebClient(base_url=slack.api_url)
    url = str((await client.apps_connections_open(app_token=slack.app_token))["url"])
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as ws:
        await ws.receive_json()

        async def next_text() -> str:
            envelope = await ws.receive_json(timeout=2)
            await ws.send_json({"envelope_id": envelope["envelope_id"]})
            return str(envelope["payload"]["event"]["text"])

        slack.faults.deliver("message", copies=1)
        await slack.say("alice", "#general", "twice")
        assert [await next_text(), await next_text()] == ["twice", "twice"]

        slack.faults.deliver("message", delay_s=0.05)
        await slack.say("alice", "#general", "late")
        await slack.say("alice", "#general", "early")
        assert [await next_text(), await next_text()] == ["early", "late"]

        slack.faults.deliver("events_api", lose_acks=1)
        await slack.say("alice", "#general", "again")
        assert [await next_text(), await next_text()] == ["again", "again"]
        await slack.until(lambda: slack.deliveries[-1].acked)

        slack.faults.deliver(drop=True)
        await slack.say("alice", "#general", "never")
        await slack.say("alice", "#general", "after")
        assert await next_text() == "after"


async def test_the_file_host_can_fail_too(slack: FakeSlack) -> None:
    ts = await slack.upload("alice", "#general", "a.txt", b"hi")
    url = slack.thread("#general", ts)[0]["files"][0]["url_private_download"]
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        slack.faults.add("files.download", status=302, location="https://evil.example/")
        async with session.get(url, allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (302, "https://evil.example/")
        slack.faults.add("files.download", html=True)
        async with session.get(url) as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
        async with session.get(url) as answer:
            assert await answer.read() == b"hi"


async def test_clearing_ends_all_orders(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.faults.add("*", error="fatal_error", times=9)
    slack.faults.clear()
    assert await post(client) is None


async def test_open_orders_are_told_in_words_until_they_are_used_up(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    slack.faults.add("chat.*", status=500, html=True, times=2)
    slack.faults.add("*", status=429, after=5, for_s=60)
    slack.faults.deliver("events_api", delay_s=5)
    assert slack.faults.open() == [
        "chat.*: 500, 2 more",
        "*: ratelimited, for 60 s",
        "events_api: delivered late, 1 more",
    ]
    for _ in range(2):
        assert await post(client)
    assert slack.faults.open()[0] == "*: ratelimited, for 60 s"
    slack.faults.clear()
    assert slack.faults.open() == []


def test_an_order_without_an_end_says_so() -> None:
    faults = SlackFaults(lambda: 0.0)
    assert faults.add("chat.*", status=429, times=0).describe(0.0).endswith("until it is cleared")
    assert faults.add("chat.*", status=429).describe(0.0).endswith("1 more")
