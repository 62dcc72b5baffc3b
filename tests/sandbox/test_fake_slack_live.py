"""The page's door: each person sees what is theirs, acts over HTTP, and a session can be done again."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.server import FakeSlack


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(rate_limits=False, retry_delays_s=(), ack_deadline_s=0.2) as fake:
        yield fake


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)


@pytest.fixture
async def http(slack: FakeSlack) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(slack.base_url) as session:
        yield session


class Page:
    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def frame(self, kind: str) -> dict[str, Any]:
        """The next frame of a kind."""
        while True:
            frame = await self.ws.receive_json(timeout=2)
            if frame["type"] == kind:
                return dict(frame)


@asynccontextmanager
async def page(http: aiohttp.ClientSession, user: str) -> AsyncIterator[Page]:
    async with http.ws_connect(f"/sandbox/live?user={user}") as ws:
        yield Page(ws)


async def act(http: aiohttp.ClientSession, name: str, /, **given: Any) -> dict[str, Any]:
    async with http.post(f"/sandbox/api/{name}", json=given) as answer:
        return dict(await answer.json())


async def test_a_page_first_gets_everything_the_person_sees(
    slack: FakeSlack, http: aiohttp.ClientSession
) -> None:
    await slack.say("alice", "#leads", "private")
    async with page(http, "carol") as carol, page(http, "alice") as alice:
        state = await carol.frame("state")
        assert {c["name"] for c in state["channels"]} == {"general", "support", "finance", ""}
        assert "C0LEADS001" not in state["messages"]
        assert (await alice.frame("state"))["messages"]["C0LEADS001"][0]["text"] == "private"


async def test_changes_come_as_they_happen(
    slack: FakeSlack, http: aiohttp.ClientSession, client: AsyncWebClient
) -> None:
    async with page(http, "alice") as alice:
        await alice.frame("state")
        ts = (await act(http, "say", user="alice", channel="@parley", text="hi"))["result"]
        assert (await alice.frame("message"))["message"]["ts"] == ts
        assert (await alice.frame("delivery"))["delivery"]["name"] == "message"
        await client.assistant_threads_setStatus(channel_id="D0ALICE001", thread_ts=ts, status="thinking")
        assert (await alice.frame("status"))["status"] == "thinking"
        stream = await client.chat_startStream(channel="D0ALICE001", thread_ts=ts, markdown_text="He")
        assert (await alice.frame("message"))["message"]["streaming"]
        await client.chat_appendStream(channel="D0ALICE001", ts=str(stream["ts"]), markdown_text="llo")
        assert (await alice.frame("append"))["parts"] == [{"type": "markdown_text", "text": "llo"}]
        assert (await alice.frame("request"))["request"]["method"] == "chat.appendStream"
        await client.chat_stopStream(channel="D0ALICE001", ts=str(stream["ts"]))
        final = (await alice.frame("message"))["message"]
        assert (final["text"], "streaming" in final) == ("Hello", False)


async def test_ephemeral_messages_reach_only_their_addressee(
    slack: FakeSlack, http: aiohttp.ClientSession, client: AsyncWebClient
) -> None:
    async with page(http, "alice") as alice, page(http, "bob") as bob:
        await client.chat_postEphemeral(channel="C0GENERAL1", user="U0BOB00001", text="psst")
        await slack.say("carol", "#general", "aloud")
        assert (await bob.frame("ephemeral"))["message"]["text"] == "psst"
        kinds = []
        while "message" not in kinds:
            kinds.append((await alice.ws.receive_json(timeout=2))["type"])
        assert "ephemeral" not in kinds


async def test_a_page_can_change_sides(slack: FakeSlack, http: aiohttp.ClientSession) -> None:
    async with page(http, "alice") as someone:
        assert (await someone.frame("state"))["me"] == "U0ALICE001"
        await someone.ws.send_json({"as": "dana"})
        state = await someone.frame("state")
        assert [c["name"] for c in state["channels"]] == ["partners", ""]


async def test_what_a_person_cannot_do_is_refused_in_words(http: aiohttp.ClientSession) -> None:
    answer = await act(http, "say", user="dana", channel="#finance", text="hi")
    assert answer == {"ok": False, "error": "dana is not in #finance"}
    answer = await act(http, "say", user="alice", channel="#general")
    assert "text" in answer["error"]
    assert (await act(http, "dance"))["error"] == "there is no act dance"


async def test_files_settings_faults_and_sockets_over_http(
    slack: FakeSlack, http: aiohttp.ClientSession, client: AsyncWebClient
) -> None:
    content = base64.b64encode(b"hello").decode()
    given = {"user": "alice", "channel": "#general", "name": "a.txt", "content": content}
    ts = (await act(http, "upload", **given))["result"]
    assert slack.thread("#general", ts)[0]["files"][0]["size"] == 5
    await act(http, "settings", rate_limits=True)
    assert slack.rates.enabled
    await act(http, "faults", method="auth.test", error="fatal_error")
    assert slack.faults.methods
    await act(http, "faults", deliver="message", copies=1)
    assert slack.faults.deliveries
    await act(http, "faults", clear=True)
    assert not slack.faults.methods
    assert (await act(http, "sockets", act="drop"))["ok"]
    async with http.get("/sandbox/api/counts") as answer:
        assert (await answer.json())["events_api"] == 2


async def test_without_recording_only_the_counters_go_on() -> None:
    async with FakeSlack(recording=False, retry_delays_s=()) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        await client.auth_test()
        await slack.say("alice", "#general", "hi")
        assert not slack.requests
        assert not slack.deliveries
        assert not slack.export()["acts"]
        assert (slack.counts["auth.test"], slack.counts["events_api"]) == (1, 1)


async def test_a_reset_leaves_an_empty_workspace_and_says_so(
    slack: FakeSlack, http: aiohttp.ClientSession
) -> None:
    await slack.say("alice", "#general", "hi")
    async with page(http, "alice") as alice:
        await alice.frame("state")
        await act(http, "reset")
        assert (await alice.frame("state"))["messages"]["C0GENERAL1"] == []
    assert not slack.requests


@asynccontextmanager
async def parrot(slack: FakeSlack) -> AsyncIterator[None]:
    """A bot that repeats what it hears, with a button."""
    app = AsyncApp(client=AsyncWebClient(token=slack.bot_token, base_url=slack.api_url))
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}

    @app.event("app_mention")
    async def repeat(event: dict[str, Any], client: AsyncWebClient) -> None:
        blocks = [{"type": "actions", "elements": [button]}]
        thread = event.get("thread_ts") or event["ts"]
        await client.chat_postMessage(
            channel=event["channel"], text=event["text"], thread_ts=thread, blocks=blocks
        )

    @app.action("go")
    async def go(ack: Any) -> None:
        await ack()

    @app.event("message")
    async def ignore(event: dict[str, Any]) -> None:
        return None

    handler = AsyncSocketModeHandler(app, slack.app_token)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


async def test_an_exported_session_can_be_done_again(slack: FakeSlack, http: aiohttp.ClientSession) -> None:
    async with parrot(slack):
        ts = await slack.say("alice", "#general", "@parley one")
        reply = await slack.until(lambda: slack.thread("#general", ts)[1:])
        assert (await slack.press("alice", "#general", reply[0]["ts"], "go")).acked
        with pytest.raises(ValueError, match="carol is not in"):
            await slack.say("carol", "#leads", "no")
        await slack.say("bob", "#general", "@parley two", thread_ts=ts)
        await slack.until(lambda: len(slack.thread("#general", ts)) == 4)
        async with http.get("/sandbox/api/export") as answer:
            session = await answer.json()
        assert [entry["act"] for entry in session["acts"]] == ["say", "press", "say", "say"]
        before = [m["text"] for m in slack.thread("#general", ts)]
        slack.reset()
        assert (await act(http, "replay", session=session, pace=0))["result"] == 3
        root = next(iter(slack.workspace.channels["C0GENERAL1"].messages))
        again = await slack.until(lambda: [m["text"] for m in slack.thread("#general", root)][:4])
        await slack.until(lambda: len(slack.thread("#general", root)) == 4)
        again = [m["text"] for m in slack.thread("#general", root)]
        assert sorted(again) == sorted(before)
        assert slack.counts["interactive:acked"] == 1


async def test_something_else_is_not_a_session(http: aiohttp.ClientSession) -> None:
    assert "not a session" in (await act(http, "replay", session={"acts": []}))["error"]
