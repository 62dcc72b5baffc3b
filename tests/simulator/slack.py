"""Slack in a story: the sandbox's own workspace and rules, reached without HTTP, with a line that fails.

A request that was sent is Slack's: it is carried out also when the process that sent it is dead by then.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Any

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.sandbox.slack.server import FakeSlack
from tests.simulator.life import Life

WAY_S = (0.005, 0.15)
SLOW_WAY_S = (0.2, 0.8)
TROUBLE = ("500", "503", "429", "internal_error", "lost before", "lost after", "taken, 503")


@dataclass(frozen=True, slots=True)
class Weather:
    """How many of a hundred requests go wrong, or slowly, until `ends_at` (seconds of the story)."""

    trouble: float = 0.0
    slow: float = 0.0
    ends_at: float = 0.0


class StoryClient(AsyncWebClient):
    """The SDK's client as Parley uses it. One per life."""

    def __init__(
        self,
        url: str,
        slack: FakeSlack,
        life: Life,
        dice: random.Random,
        weather: Weather,
        tell: Callable[[str], None],
    ) -> None:
        super().__init__(token=slack.bot_token, base_url=url)
        self._slack, self._life, self._dice, self._weather, self._tell = slack, life, dice, weather, tell

    async def api_call(self, api_method: str, **how: Any) -> AsyncSlackResponse:  # type: ignore[override]
        arguments = dict(how.get("json") or how.get("params") or {})
        await self._life.gate(f"{api_method} is sent")
        way_s = self._dice.uniform(*(SLOW_WAY_S if self._chance(self._weather.slow) else WAY_S))
        wrong = self._dice.choice(TROUBLE) if self._chance(self._weather.trouble) else ""
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[tuple[dict[str, Any], int, dict[str, str]]] = loop.create_future()
        # In a context of its own: what Slack does because of it is no part of this life.
        arrive = partial(self._arrive, api_method, arguments, wrong, answered)
        loop.call_later(way_s / 2, arrive, context=Context())
        body, status, headers = await answered
        await asyncio.sleep(way_s / 2)
        await self._life.gate(f"{api_method} is answered")
        if status == 0:
            raise aiohttp.ServerDisconnectedError
        response = AsyncSlackResponse(
            client=self,
            http_verb="POST",
            api_url=api_method,
            req_args={},
            data=body,
            headers=headers,
            status_code=status,
        )
        return response.validate()

    def _chance(self, percent: float) -> bool:
        if asyncio.get_running_loop().time() > self._weather.ends_at:
            return False
        return self._dice.uniform(0, 100) < percent

    def _arrive(self, method: str, arguments: dict[str, Any], wrong: str, answered: Any) -> None:
        """In Slack, whatever has become of the sender. Half of what a dying process sent never arrives."""
        if not self._life.alive and self._dice.random() < 0.5:
            return
        taken = wrong in ("", "lost after", "taken, 503")
        response = self._slack.answer(method, arguments) if taken else _refusal(wrong)
        self._tell(f"slack {method} {_short(arguments)} → {wrong or response[0].get('error', 'ok')}")
        if wrong == "lost after":
            response = ({}, 0, {})
        elif wrong == "taken, 503":
            response = ({}, 503, {})
        if not answered.done():
            answered.set_result(response)


def _refusal(wrong: str) -> tuple[dict[str, Any], int, dict[str, str]]:
    if wrong == "lost before":
        return {}, 0, {}
    if wrong == "429":
        return {"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "3"}
    if wrong.isdecimal():
        return {}, int(wrong), {}
    return {"ok": False, "error": wrong}, 200, {}


def _short(arguments: dict[str, Any]) -> str:
    words = (
        arguments.get(name) for name in ("channel", "ts", "thread_ts", "status", "markdown_text", "text")
    )
    return " ".join(repr(word[:40]) for word in words if isinstance(word, str))
