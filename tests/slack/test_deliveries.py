"""Posts are taken at once, over HTTP only when they are signed; whatever else comes is Bolt's."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.ops.metrics import METRICS
from handlers.http import EVENTS_PATH, add_events
from handlers.slack.bolt import AsyncApp
from handlers.slack.deliveries import Deliveries

POST = {"type": "event_callback", "event": {"type": "message", "text": "schön"}}
OTHER = {"type": "event_callback", "event": {"type": "app_home_opened"}}
SECRET = "secret"


async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
    return AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-1", bot_user_id="U0BOT")


class Door:
    """Deliveries with an intake that notes what it is given, and Bolt that knows one event."""

    def __init__(self, outcome: int | Exception = 200) -> None:
        self.taken = list[Any]()
        self.heard = asyncio.Queue[str]()
        self.acknowledged = list[str]()
        self._outcome = outcome
        app = AsyncApp(
            authorize=authorize, signing_secret=SECRET, attaching_conversation_kwargs_enabled=False
        )
        app.event("app_home_opened")(self._hear)
        self.deliveries = Deliveries(app, self._take, SECRET)

    async def _hear(self, event: dict[str, Any]) -> None:
        self.heard.put_nowait(event["type"])

    async def _take(self, body: dict[str, Any]) -> int:
        self.taken.append(body)
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    async def post(self, body: Any, *, secret: str = SECRET, age_s: int = 0, kind: str = "") -> int:
        """The status of the answer to a signed request."""
        text = body if isinstance(body, str) else json.dumps(body)
        stamp = str(int(time.time()) - age_s)
        signature = SignatureVerifier(secret).generate_signature(timestamp=stamp, body=text)
        headers = {
            "Content-Type": kind or "application/json",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": str(signature),
        }
        server = web.Application()
        add_events(server, self.deliveries)
        runner = web.AppRunner(server, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            url = f"http://127.0.0.1:{runner.addresses[0][1]}{EVENTS_PATH}"
            async with (
                aiohttp.ClientSession() as session,
                session.post(url, data=text.encode(), headers=headers) as answer,
            ):
                return answer.status
        finally:
            await runner.cleanup()

    async def envelope(self, payload: Any) -> bool:
        """Whether an envelope over a socket was acknowledged."""
        request = SocketModeRequest(type="events_api", envelope_id="E1", payload=payload)
        await self.deliveries.answer_socket(_Socket(self.acknowledged), request)  # type: ignore[arg-type]
        return self.acknowledged == ["E1"]


class _Socket:
    """As much of the SDK's client as an answer needs."""

    def __init__(self, acknowledged: list[str]) -> None:
        self.logger = logging.getLogger("test")
        self._acknowledged = acknowledged

    async def send_socket_mode_response(self, response: Any) -> None:
        self._acknowledged.append(response.envelope_id)


async def test_a_signed_post_is_taken_and_answered_as_the_intake_says() -> None:
    for status in (200, 400):
        door = Door(status)
        assert await door.post(POST) == status
        assert door.taken == [POST]


@pytest.mark.parametrize("wrong", [{"secret": "another"}, {"age_s": 400}, {"age_s": -400}])
async def test_a_post_that_is_not_signed_in_time_is_refused_unread(wrong: dict[str, Any]) -> None:
    door = Door()
    assert await door.post(POST, **wrong) == 401
    assert door.taken == []


@pytest.mark.parametrize(
    ("raised", "status"), [(OSError("disk"), 500), (AttributeError("shape"), 400), (KeyError("x"), 400)]
)
async def test_a_post_that_cannot_be_stored_is_not_acknowledged(raised: Exception, status: int) -> None:
    assert await Door(raised).post(POST) == status
    assert not await Door(raised).envelope(POST)
    assert not await Door(400).envelope(POST)


async def test_an_envelope_with_a_post_is_acknowledged_once_it_is_taken() -> None:
    door = Door()
    assert await door.envelope(POST)
    assert door.taken == [POST]


async def test_whatever_is_no_post_is_bolts() -> None:
    door = Door()
    assert await door.post(OTHER) == 200
    assert await door.envelope(OTHER)
    async with asyncio.timeout(10):  # a listener runs on behind its acknowledgement
        assert [await door.heard.get() for _ in range(2)] == ["app_home_opened"] * 2
    challenge = {"type": "url_verification", "challenge": "x"}
    assert await door.post(challenge) == 200
    assert await door.post({"type": "event_callback", "event": {"type": ["message"]}}) in (400, 404)
    assert door.taken == []


def count_measured() -> int:
    (found,) = re.findall(r"^parley_acked_seconds_count (\d+)$", METRICS.render(), re.MULTILINE) or ["0"]
    return int(found)


@pytest.mark.parametrize("what", [POST, OTHER])
async def test_it_is_measured_how_long_an_acknowledgement_takes_and_only_that(what: dict[str, Any]) -> None:
    before = count_measured()
    assert await Door().post(what) == 200
    assert await Door().envelope(what)
    assert count_measured() == before + 2
    assert await Door(500).post(POST) == 500
    assert not await Door(500).envelope(POST)
    assert count_measured() == before + 2
