"""Answers to a response_url in a story: Bolt's own message, handed to Slack over the same line that fails.

Bolt opens a connection of its own for each; that is the only thing replaced, by a middleware that comes
before the listeners.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.context.respond.async_respond import AsyncRespond
from slack_bolt.context.respond.internals import _build_message
from slack_bolt.response import BoltResponse
from slack_sdk.webhook.webhook_response import WebhookResponse

from bot.sandbox.slack.server import FakeSlack
from tests.simulator.life import Life
from tests.simulator.slack import WAY_S

Middleware = Callable[..., Awaitable[BoltResponse]]


class StoryRespond(AsyncRespond):
    """Good for one delivery. What is sent by a process that dies right after it is Slack's."""

    def __init__(self, url: str, slack: FakeSlack, life: Life, dice: random.Random) -> None:
        super().__init__(response_url=url)
        self._slack, self._life, self._dice = slack, life, dice

    async def __call__(self, text: str | dict[str, Any] = "", **how: Any) -> WebhookResponse:  # type: ignore[override]
        said = _build_message(**text) if isinstance(text, dict) else _build_message(text, **how)
        await self._life.gate("an answer is sent")
        await asyncio.sleep(self._dice.uniform(*WAY_S))
        assert self.response_url
        status, body = self._slack.response_urls.use(self.response_url.rpartition("/")[2], said)
        await self._life.gate("an answer is taken")
        return WebhookResponse(url=self.response_url, status_code=status, body=str(body), headers={})


def responding(slack: FakeSlack, life: Life, dice: random.Random) -> Middleware:
    """The middleware that gives listeners their `respond`."""

    async def give(context: AsyncBoltContext, next: Callable[[], Awaitable[BoltResponse]]) -> BoltResponse:
        if url := context.response_url:
            context["respond"] = StoryRespond(url, slack, life, dice)
        return await next()

    return give
