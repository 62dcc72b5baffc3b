"""Where Slack's deliveries come in, over HTTP or a socket: posts are taken at once, the rest is Bolt's.

Nearly all deliveries are posts, and of those Bolt would only find out that they are for the intake. Over HTTP
they are signed like all others, and checked before anything is read from them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from bot.ops.metrics import METRICS
from handlers.slack.failures import WRONG_SHAPE, answer_undelivered

log = logging.getLogger(__name__)

TIMESTAMP, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
POSTS = ("message", "app_mention")  # types of events that tell of a post
ACKNOWLEDGED = 200

# Takes the body of a delivery that tells of a post; the HTTP status that Slack is to be answered.
TakePost = Callable[[dict[str, Any]], Awaitable[int]]


class Deliveries:
    """The one way in. `app` answers what is no post."""

    def __init__(self, app: AsyncApp, take_post: TakePost, signing_secret: str) -> None:
        self.app = app
        self._take_post = take_post
        self._verifier = SignatureVerifier(signing_secret) if signing_secret else None

    async def answer_http(self, request: web.Request, text: str, value: Any) -> web.Response | None:
        """The answer to a request; None for one of a shape that Slack does not send. `value`: what its body
        says, where that is JSON."""
        began = time.monotonic()
        answer = await self._answer_http(request, text, value)
        if answer is not None:
            _note_answer(answer.status, began)
        return answer

    async def _answer_http(self, request: web.Request, text: str, value: Any) -> web.Response | None:
        if tells_of_post(value) and self._is_signed(request, text):
            return web.Response(status=await self._take(value))
        try:
            asked = AsyncBoltRequest(body=text, query=request.query_string, headers=request.headers)  # type: ignore[arg-type]
            answer = await self.app.async_dispatch(asked)
        except WRONG_SHAPE as exc:  # Bolt itself falls over an id that is a number, and the like
            log.warning("a delivery of a shape that Slack does not send: %s", type(exc).__name__)
            return None
        return await to_aiohttp_response(answer)

    async def answer_socket(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Acknowledges an envelope, or leaves it for Slack to deliver again."""
        began = time.monotonic()
        if not tells_of_post(request.payload):
            answer = await run_async_bolt_app(self.app, request)
            await send_async_response(client, request, answer, 0.0)
            status = answer.status
        else:
            status = await self._take(request.payload)
            if status == ACKNOWLEDGED:
                acknowledgement = SocketModeResponse(envelope_id=request.envelope_id)
                await client.send_socket_mode_response(acknowledgement)
        _note_answer(status, began)

    def _is_signed(self, request: web.Request, text: str) -> bool:
        stamp, signature = request.headers[TIMESTAMP], request.headers[SIGNATURE]
        return self._verifier is not None and self._verifier.is_valid(text, stamp, signature)

    async def _take(self, body: dict[str, Any]) -> int:
        try:
            return await self._take_post(body)
        except Exception as exc:
            return (await answer_undelivered(exc)).status


def _note_answer(status: int, began: float) -> None:
    if status == ACKNOWLEDGED:
        METRICS.observe("parley_acked_seconds", time.monotonic() - began)


def tells_of_post(body: Any) -> bool:
    """Whether a delivery is an event about what somebody wrote."""
    event = body.get("event") if isinstance(body, dict) else None
    return isinstance(event, dict) and event.get("type") in POSTS
