"""What the fake Slack pushes arrives as from Slack: signed HTTP, Socket Mode, and the retries of both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import orjson
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import limits
from bot.sandbox.slack.server import FakeSlack
from tests.support.throwaway_server import throwaway_server

QUICK = (0.01, 0.02, 0.03)


class Receiver:
    """An app's request URL: answers as told, remembers what came."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: list[tuple[dict[str, str], bytes]] = []
        self.answer: Callable[[int], web.Response] = lambda _n: web.Response()
        self.wait_s = 0.0

    async def handle(self, http: web.Request) -> web.Response:
        self.seen.append((dict(http.headers), await http.read()))
        await asyncio.sleep(self.wait_s)
        return self.answer(len(self.seen))

    @property
    def events(self) -> list[dict[str, Any]]:
        return [orjson.loads(body) for _, body in self.seen]


@asynccontextmanager
async def receiving(**options: Any) -> AsyncIterator[tuple[FakeSlack, Receiver]]:
    receiver = Receiver()
    async with throwaway_server(receiver.handle) as address:
        receiver.url = f"{address}/slack/events"
        async with FakeSlack(events_url=receiver.url, **{"retry_delays_s": QUICK, **options}) as slack:
            yield slack, receiver


# -- HTTP


async def test_events_are_signed_as_slack_signs() -> None:
    async with receiving() as (slack, receiver):
        await slack.say("alice", "#general", "hi")
        await slack.until(lambda: slack.deliveries[-1].acked)
        headers, body = receiver.seen[0]
        assert SignatureVerifier(slack.signing_secret).is_valid_request(body, headers)
        assert "X-Slack-Retry-Num" not in headers


async def test_a_mention_in_a_channel_is_two_events_of_one_post() -> None:
    async with receiving() as (slack, receiver):
        ts = await slack.say("alice", "#general", "@parley hi")
        await slack.until(lambda: len(receiver.seen) == 2)
        types = {e["event"]["type"] for e in receiver.events}
        assert types == {"message", "app_mention"}
        assert len({e["event_id"] for e in receiver.events}) == 2
        assert {e["event"]["ts"] for e in receiver.events} == {ts}
        await slack.say("alice", "@parley", "@parley hi")
        await slack.until(lambda: len(receiver.seen) == 3)
        assert receiver.events[2]["event"]["channel_type"] == "im"


async def test_a_failed_event_is_tried_three_more_times_with_one_id() -> None:
    async with receiving() as (slack, receiver):
        receiver.answer = lambda n: web.Response(status=500)
        await slack.say("alice", "#general", "hi")
        await slack.until(lambda: slack.deliveries[-1].over)
        assert [h.get("X-Slack-Retry-Num") for h, _ in receiver.seen] == [None, "1", "2", "3"]
        assert receiver.seen[1][0]["X-Slack-Retry-Reason"] == "http_error"
        assert len({e["event_id"] for e in receiver.events}) == 1
        assert slack.counts["events_api:lost"] == 1


async def test_the_third_retry_can_be_the_one_that_arrives() -> None:
    async with receiving() as (slack, receiver):
        receiver.answer = lambda n: web.Response(status=500 if n < 4 else 200)
        await slack.say("alice", "#general", "hi")
        await slack.until(lambda: slack.deliveries[-1].acked)
        assert [a.outcome for a in slack.deliveries[-1].attempts] == ["http_error"] * 3 + ["acked"]


async def test_no_retry_header_stops_the_retries() -> None:
    async with receiving() as (slack, receiver):
        receiver.answer = lambda n: web.Response(status=500, headers={"X-Slack-No-Retry": "1"})
        await slack.say("alice", "#general", "hi")
        await slack.until(lambda: slack.deliveries[-1].over)
        assert len(receiver.seen) == 1


async def test_a_slow_answer_is_a_timeout() -> None:
    async with receiving(ack_deadline_s=0.05, retry_delays_s=(0.01,)) as (slack, receiver):
        receiver.wait_s = 0.2
        await slack.say("alice", "#general", "hi")
        await slack.until(lambda: slack.deliveries[-1].over)
        assert [a.outcome for a in slack.deliveries[-1].attempts] == ["http_timeout"] * 2


async def test_more_than_two_redirects_are_too_many() -> None:
    async with receiving(retry_delays_s=()) as (slack, receiver):
        receiver.answer = lambda n: web.Response(status=307, headers={"Location": receiver.url})
        await slack.say("alice", "#general", "hi")
        await slack.until(lambda: slack.deliveries[-1].over)
        assert slack.deliveries[-1].attempts[0].outcome == "too_many_redirects"


async def test_nobody_listening_is_a_failed_connection() -> None:
    async with FakeSlack(events_url="http://127.0.0.1:9/", retry_delays_s=()) as slack:
        await slack.say("alice", "#general", "hi")
        await slack.until(lambda: slack.deliveries[-1].over)
        assert slack.deliveries[-1].attempts[0].outcome == "connection_failed"


async def test_commands_are_forms_and_never_tried_again() -> None:
    async with receiving() as (slack, receiver):
        receiver.answer = lambda n: web.Response(status=500)
        delivery = await slack.command("alice", "#general", "/parley", "help <me>")
        assert not delivery.acked
        assert len(receiver.seen) == 1
        assert b"command=%2Fparley&text=help+%26lt%3Bme%26gt%3B" in receiver.seen[0][1]
        assert "did not respond" in slack.ephemerals("alice")[0]["text"]


async def test_an_answer_to_a_command_is_shown_to_the_asker() -> None:
    async with receiving() as (slack, receiver):
        receiver.answer = lambda n: web.Response(text="just you")
        await slack.command("alice", "#general", "/parley")
        assert slack.ephemerals("alice")[0]["text"] == "just you"
        everybody = {"response_type": "in_channel", "text": "all of you"}
        receiver.answer = lambda n: web.json_response(everybody)
        await slack.command("alice", "#general", "/parley")
        said = list(slack.workspace.channels["C0GENERAL1"].messages.values())
        assert [m["text"] for m in said] == ["all of you"]


# -- Socket Mode


@asynccontextmanager
async def connected(slack: FakeSlack) -> AsyncIterator[AsyncApp]:
    """A bare bolt app on Socket Mode that takes everything."""
    app = AsyncApp(client=AsyncWebClient(token=slack.bot_token, base_url=slack.api_url))

    async def take(event: dict[str, Any]) -> None:
        return None

    for kind in ("message", "app_mention", "reaction_added"):
        app.event(kind)(take)
    handler = AsyncSocketModeHandler(app, slack.app_token, ping_interval=0.1)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    try:
        await slack.until(lambda: slack.sockets.connections)
        yield app
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]


class Socket:
    """A socket held by hand: sees every frame, acknowledges when told."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def frame(self) -> dict[str, Any]:
        return dict(await self.ws.receive_json(timeout=2))

    async def ack(self, envelope_id: str, payload: Any = None) -> None:
        await self.ws.send_json({"envelope_id": envelope_id} | ({"payload": payload} if payload else {}))


@asynccontextmanager
async def socket(slack: FakeSlack, **options: Any) -> AsyncIterator[Socket]:
    client = AsyncWebClient(base_url=slack.api_url)
    url = str((await client.apps_connections_open(app_token=slack.app_token))["url"])
    async with aiohttp.ClientSession() as session, session.ws_connect(url, **options) as ws:
        yield Socket(ws)


async def test_bolt_gets_and_acknowledges_events() -> None:
    async with FakeSlack() as slack, connected(slack):
        await slack.say("alice", "#general", "@parley hi")
        await slack.until(lambda: all(d.acked for d in slack.deliveries))
        assert slack.counts["events_api:acked"] == 2


async def test_hello_comes_first_and_an_address_works_once() -> None:
    async with FakeSlack() as slack:
        async with socket(slack) as one:
            hello = await one.frame()
            assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        url = f"{slack.base_url}/link/?ticket=sandbox-1"
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(url)


async def test_an_eleventh_connection_is_turned_away() -> None:
    async with FakeSlack(rate_limits=False) as slack, AsyncExitStack() as stack:
        for _ in range(limits.SOCKET_CONNECTIONS):
            await (await stack.enter_async_context(socket(slack))).frame()
        last = await stack.enter_async_context(socket(slack))
        assert (await last.frame())["reason"] == "too_many_websockets"


async def test_each_payload_goes_to_one_connection() -> None:
    async with FakeSlack(rate_limits=False) as slack, socket(slack) as one, socket(slack) as two:
        await one.frame()
        await two.frame()
        for n in range(20):
            await slack.say("alice", "#general", f"{n}")
        used = {d.attempts[0].via for d in slack.deliveries}
        assert used == set(slack.sockets.connections)
        assert all(len(d.attempts) == 1 for d in slack.deliveries)


async def test_an_event_not_acknowledged_comes_again_with_its_count() -> None:
    async with FakeSlack(ack_deadline_s=0.05, retry_delays_s=QUICK) as slack, socket(slack) as one:
        await one.frame()
        await slack.say("alice", "#general", "hi")
        first, second = await one.frame(), await one.frame()
        assert (first["retry_attempt"], second["retry_attempt"], second["retry_reason"]) == (0, 1, "timeout")
        assert first["envelope_id"] != second["envelope_id"]
        assert first["payload"]["event_id"] == second["payload"]["event_id"]
        await one.ack(second["envelope_id"])
        await slack.until(lambda: slack.deliveries[-1].acked)


async def test_an_acknowledgement_on_another_connection_does_not_count() -> None:
    async with FakeSlack(ack_deadline_s=0.2, retry_delays_s=()) as slack, socket(slack) as one:
        await one.frame()
        await slack.say("alice", "#general", "hi")
        envelope = await one.frame()
        async with socket(slack) as two:
            await two.ack(envelope["envelope_id"])
            await slack.until(lambda: slack.deliveries[-1].over)
        assert not slack.deliveries[-1].acked
        assert slack.counts["socket:unexpected_ack"] == 1


async def test_commands_wait_for_their_answer_and_are_sent_once() -> None:
    async with FakeSlack(ack_deadline_s=0.1, retry_delays_s=QUICK) as slack, socket(slack) as one:
        await one.frame()
        pending = asyncio.create_task(slack.command("alice", "#general", "/parley", "hi"))
        envelope = await one.frame()
        assert envelope["accepts_response_payload"]
        assert "retry_attempt" not in envelope
        await one.ack(envelope["envelope_id"], {"text": "there you are"})
        assert (await pending).acked
        assert slack.ephemerals("alice")[0]["text"] == "there you are"
        assert not (await slack.command("alice", "#general", "/parley", "again")).acked
        assert slack.counts["slash_commands:lost"] == 1


async def test_a_dropped_socket_fails_what_was_not_acknowledged() -> None:
    async with FakeSlack(retry_delays_s=(0.1,), ack_deadline_s=5) as slack:
        async with socket(slack) as one:
            await one.frame()
            await slack.say("alice", "#general", "hi")
            await one.frame()
            slack.sockets.drop()
            assert (await one.ws.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        async with socket(slack) as two:
            await two.frame()
            assert (await two.frame())["retry_attempt"] == 1


async def test_bolt_reconnects_after_a_drop_and_after_a_refresh() -> None:
    async with FakeSlack(retry_delays_s=QUICK, rate_limits=False) as slack, connected(slack):
        for act in (slack.sockets.drop, slack.sockets.refresh):
            first = set(slack.sockets.connections)
            act()
            await slack.until(lambda f=first: set(slack.sockets.connections) - f)  # type: ignore[misc]
        await slack.say("alice", "#general", "hi")
        await slack.until(lambda: slack.deliveries[-1].acked)


async def test_a_half_open_socket_answers_no_ping() -> None:
    async with (
        FakeSlack(ack_deadline_s=0.1, retry_delays_s=()) as slack,
        socket(slack, autoping=False) as one,
    ):
        await one.frame()
        await one.ws.ping(b"1")
        assert (await one.ws.receive(timeout=1)).type == aiohttp.WSMsgType.PONG
        slack.sockets.freeze()
        await one.ws.ping(b"2")
        with pytest.raises(TimeoutError):
            await one.ws.receive(timeout=0.1)
        await slack.say("alice", "#general", "hi")
        await slack.until(lambda: slack.deliveries[-1].over)
        assert slack.counts["events_api:lost"] == 1


async def test_garbage_and_warnings_do_not_end_a_connection() -> None:
    async with FakeSlack() as slack, socket(slack) as one:
        await one.frame()
        slack.sockets.garbage("{nonsense")
        slack.sockets.warn()
        assert (await one.ws.receive()).data == "{nonsense"
        assert (await one.frame())["reason"] == "warning"
        await slack.say("alice", "#general", "hi")
        assert (await one.frame())["type"] == "events_api"


async def test_bolt_survives_garbage() -> None:
    async with FakeSlack() as slack, connected(slack):
        slack.sockets.garbage()
        await slack.say("alice", "#general", "hi")
        await slack.until(lambda: slack.deliveries[-1].acked)


async def test_only_subscribed_events_of_channels_the_app_is_in_are_sent() -> None:
    async with FakeSlack(retry_delays_s=()) as slack:
        await slack.join("parley", "#leads", leave=True)
        slack.deliveries.clear()
        await slack.say("alice", "#leads", "secret, @parley")
        assert not slack.deliveries
