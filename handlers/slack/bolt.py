"""Bolt as Parley uses it: one workspace, one token, no request to Slack for each delivery.

With client.py, web_api.py, deliveries.py, socket.py and failures.py this is all that knows Slack's SDKs;
other rooms take their types from here.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse

from bot.core.settings import Settings
from handlers.slack.client import SlackClient

__all__ = [
    "AsyncApp",
    "AsyncBoltRequest",
    "BoltResponse",
    "Middleware",
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


def _quiet_logger(name: str) -> logging.Logger:
    """Bolt logs the bodies of what it refuses, and warns of a token that is not missing: errors only."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.ERROR)
    return logger
