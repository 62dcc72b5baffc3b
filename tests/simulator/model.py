"""The model in a story: says the same to the same question, in chunks, over a line that breaks."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import aiohttp
import httpx2
import openai

from bot.config import Settings
from bot.wire import Wire
from tests.simulator.life import Life
from tests.simulator.slack import Weather

BEFORE = ("429", "500", "503", "no connection", "dropped")
WITHIN = ("reset", "eof", "silence")
NOT_A_QUESTION = "Nothing that anybody has asked."
MOST_CHUNKS = 24


def answer_to(question: str) -> str:
    """What the model says: different for each question, each word in its own place."""
    number = int(question)
    words = 6 + number * 37 % 150
    return f"Answer {number}: " + " ".join(f"w{number}n{n}" for n in range(words)) + "."


class StoryWire(Wire):
    """The line to the model of one life. `made` counts requests that left the process."""

    def __init__(
        self,
        settings: Settings,
        life: Life,
        dice: random.Random,
        weather: Weather,
        *,
        made: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        self.address = settings.openai_base_url
        self._life, self._dice, self._weather, self._made, self._tell = life, dice, weather, made, tell

    async def close(self) -> None:
        """Nothing is open."""

    async def open(self, path: str, body: Mapping[str, Any]) -> httpx2.Response:
        await self._life.gate("the model is asked")
        self._made()
        await asyncio.sleep(self._dice.uniform(0.02, 1.0))
        wrong = self._wrong()
        asked = re.findall(r"\bq(\d+)\b", str(body["messages"][-1]["content"]))
        self._tell(f"model asked for {asked}: {wrong or 'answers'}")
        request = httpx2.Request("POST", "https://model.invalid" + path)
        if wrong in BEFORE:
            raise _error(wrong, request)
        text = answer_to(asked[-1]) if asked else NOT_A_QUESTION
        return httpx2.Response(
            200,
            headers={"content-type": "text/event-stream"},
            request=request,
            stream=_Stream(self._said(text, wrong)),
        )

    async def post(self, path: str, body: Mapping[str, Any], upload: Any = None) -> Any:
        raise NotImplementedError

    def _wrong(self) -> str:
        if asyncio.get_running_loop().time() > self._weather.ends_at:
            return ""
        return (
            self._dice.choice(BEFORE + WITHIN) if self._dice.uniform(0, 100) < self._weather.trouble else ""
        )

    async def _said(self, text: str, wrong: str) -> AsyncIterator[bytes]:
        chunks = self._cut(text)
        breaks_at = self._dice.randrange(len(chunks)) if wrong else None
        pace_s = self._dice.choice((0.0, 0.01, 0.2))
        for number, chunk in enumerate(chunks):
            if number == breaks_at:
                await self._break(wrong)
                return
            await asyncio.sleep(pace_s * self._dice.random())
            await self._life.gate("the model says something")
            yield _event(choices=[{"index": 0, "delta": {"content": chunk}}])
        usage = {"prompt_tokens": 50, "completion_tokens": len(chunks), "total_tokens": 50 + len(chunks)}
        yield _event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
        yield _event(choices=[], usage=usage)
        yield b"data: [DONE]\n\n"

    def _cut(self, text: str) -> list[str]:
        places = sorted(self._dice.sample(range(1, len(text)), self._dice.randint(1, MOST_CHUNKS)))
        return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]

    async def _break(self, wrong: str) -> None:
        if wrong == "reset":
            raise httpx2.ReadError("reset")
        if wrong == "silence":
            await asyncio.sleep(3600)


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, parts: AsyncIterator[bytes]) -> None:
        self._parts = parts

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._parts

    async def aclose(self) -> None:
        await self._parts.aclose()  # type: ignore[attr-defined]


def _event(**told: Any) -> bytes:
    return b"data: " + json.dumps({"model": "gpt-4.1-mini", **told}).encode() + b"\n\n"


def _error(wrong: str, request: httpx2.Request) -> Exception:
    if wrong == "no connection":
        error = openai.APIConnectionError(request=request)
        error.__cause__ = httpx2.ConnectError("refused")
        return error
    if wrong == "dropped":
        error = openai.APIConnectionError(request=request)
        error.__cause__ = aiohttp.ServerDisconnectedError()
        return error
    response = httpx2.Response(int(wrong), headers={"retry-after": "2"}, request=request)
    kind = openai.RateLimitError if wrong == "429" else openai.InternalServerError
    return kind(wrong, response=response, body=None)
