"""Slack's file host in a story, as the bot downloads from it and uploads to it; its line fails too."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any

import aiohttp

from bot.sandbox.slack.api.server import LOGIN_PAGE
from bot.sandbox.slack.server import FakeSlack
from tests.simulator.life import Life
from tests.simulator.slack import WAY_S, Weather

TROUBLE = ("503", "429", "sign in", "lost")


class FileHost:
    """What an aiohttp.ClientSession is used for. One per life."""

    def __init__(self, slack: FakeSlack, life: Life, dice: random.Random, weather: Weather) -> None:
        self._slack, self._life, self._dice, self._weather = slack, life, dice, weather

    def get(self, url: str, *, headers: dict[str, str], allow_redirects: bool) -> _Request:
        """A file of Slack's, for whoever shows the token."""
        assert not allow_redirects, "the token may follow no redirect"
        assert headers["Authorization"] == f"Bearer {self._slack.bot_token}"
        return _Request(self, self._kept(url).content)

    def post(self, url: str, *, data: bytes, allow_redirects: bool, proxy: object = None) -> _Request:
        """A file of ours."""
        file = self._slack.workspace.files[url.rpartition("/")[2]]
        file.content = data
        file.about |= {"mode": "hosted", "size": len(data)}
        return _Request(self, b"OK")

    def _kept(self, url: str) -> Any:
        files = self._slack.workspace.files.values()
        return next(
            file for file in files if url in (file.about["url_private"], file.about["url_private_download"])
        )

    async def answer(self, content: bytes) -> _Response:
        await self._life.gate("a file is asked for")
        await asyncio.sleep(self._dice.uniform(*WAY_S))
        wrong = self._wrong()
        if wrong == "lost":
            raise aiohttp.ServerDisconnectedError
        await self._life.gate("a file arrives")
        if wrong == "sign in":
            return _Response(200, LOGIN_PAGE.encode())
        return _Response(int(wrong or 200), content)

    def _wrong(self) -> str:
        weather = self._weather
        over = asyncio.get_running_loop().time() > weather.ends_at
        return self._dice.choice(TROUBLE) if not over and self._dice.uniform(0, 100) < weather.trouble else ""


class _Response:
    """A response whose body is there already."""

    def __init__(self, status: int, content: bytes) -> None:
        self.status, self.content_length, self._content = status, len(content), content
        self.headers: dict[str, str] = {}
        self.content = self

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), size):
            yield self._content[start : start + size]


class _Request:
    def __init__(self, host: FileHost, content: bytes) -> None:
        self._host, self._content = host, content

    async def __aenter__(self) -> _Response:
        return await self._host.answer(self._content)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is open."""
