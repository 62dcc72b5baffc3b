"""Bolt as Parley uses it: one workspace, one token, no request to Slack for each delivery.

With client.py, socket.py and failures.py this is all that knows Slack's SDKs; other rooms take their types
from here.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.core.settings import Settings
from handlers.slack.client import SlackClient
from handlers.slack.failures import WRONG_SHAPE

log = logging.getLogger(__name__)

TIMESTAMP, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"

__all__ = [
    "SIGNATURE",
    "TIMESTAMP",
    "AsyncApp",
    "AsyncBoltRequest",
    "BoltResponse",
    "Middleware",
    "dispatch",
    "make_app",
]

Middleware = Callable[
    [AsyncBoltRequest, BoltResponse, Callable[[], Awaitable[BoltResponse]]], Awaitable[BoltResponse]
]


def make_app(settings: Settings, slack: SlackClient, *, before_authorize: Middleware) -> AsyncApp:
    """Bolt without listeners; `before_authorize` sees every delivery after its signature was checked."""

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_token=settings.slack_bot_token,
            bot_user_id=slack.bot_user,
        )

    return AsyncApp(
        name="parley",
        client=slack.client,
        authorize=authorize,
        signing_secret=settings.slack_signing_secret,
        before_authorize=before_authorize,
        attaching_conversation_kwargs_enabled=False,
        logger=_quiet_logger("slack_bolt"),
    )


async def dispatch(app: AsyncApp, request: web.Request, body: str) -> web.Response | None:
    """What Bolt answers to a delivery over HTTP; None for one of a shape that Slack does not send."""
    try:
        asked = AsyncBoltRequest(body=body, query=request.query_string, headers=request.headers)  # type: ignore[arg-type]
        answer = await app.async_dispatch(asked)
    except WRONG_SHAPE as exc:  # Bolt itself falls over an id that is a number, and the like
        log.warning("a delivery of a shape that Slack does not send: %s", type(exc).__name__)
        return None
    return await to_aiohttp_response(answer)


def _quiet_logger(name: str) -> logging.Logger:
    """Bolt logs the bodies of what it refuses, and warns of a token that is not missing: errors only."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.ERROR)
    return logger
