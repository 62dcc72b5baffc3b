"""The model in a story: says the same to the same question, in chunks, over a line that breaks.

Every request that left the process is kept as an `Asked`, with how it ended as seen from the other side: what
the ledger says is compared with these. What is asked by whom is told from the request alone.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import httpx2
import openai

from bot.core.settings import Settings
from bot.guard.model_judge import RULES
from bot.provider.streamed_answer import StreamedAnswer
from bot.provider.transport import Transport
from bot.voice.recognition import TRANSLATE
from tests.simulator.life import Life
from tests.simulator.slack import Weather

BEFORE = ("429", "500", "503", "no connection", "dropped")
WITHIN = ("reset", "eof", "silence")
ASKED = re.compile(r"\bq(\d+)\b")
NOT_A_QUESTION = "Nothing that anybody has asked."
WRITE_EXAMPLES = "Write short, varied messages"  # how the guard asks for examples
MOST_CHUNKS = 24
WHOLE, LEFT = "whole", "left"  # how a request ends when nothing goes wrong: to its end, or nobody wanted it


@dataclass(slots=True)
class Asked:
    """One request that left the process. `end` is empty while it is under way."""

    life: Life
    kind: str  # of the ledger's kinds
    number: int | None  # of the question it is about
    end: str = ""
    piece: int = 0  # of a recording
    along: tuple[int, ...] = ()  # the questions that were asked with it
    used: tuple[int, int] = (0, 0)  # tokens read and written, as reported with the end
    seconds: float = 0.0  # of sound, likewise


Mind = Callable[[Asked, Mapping[str, Any]], Any]  # a text, or the JSON of an answer in one piece


def answer_to(question: str) -> str:
    """What the model says: different for each question, each word in its own place."""
    number = int(question)
    words = 6 + number * 37 % 150
    return f"Answer {number}: " + " ".join(f"w{number}n{n}" for n in range(words)) + "."


def answering(asked: Asked, body: Mapping[str, Any]) -> str:
    """The mind that is asked when nothing else is meant."""
    return NOT_A_QUESTION if asked.number is None else answer_to(str(asked.number))


class StoryTransport(Transport):
    """The line to the model of one life. `minds`: who thinks about requests of a kind."""

    def __init__(
        self,
        settings: Settings,
        life: Life,
        dice: random.Random,
        weather: Weather,
        *,
        minds: Mapping[str, Mind],
        made: Callable[[Asked], None],
        tell: Callable[[str], None],
    ) -> None:
        self.address = settings.openai_base_url
        self._life, self._dice, self._weather, self._made, self._tell = life, dice, weather, made, tell
        self._minds = minds

    async def close(self) -> None:
        """Nothing is open."""

    async def open(self, path: str, body: Mapping[str, Any], **how: Any) -> StreamedAnswer:
        asked, wrong, _ = await self._ask(path, body)
        text = self._minds[asked.kind](asked, body)
        most = int(body.get("max_tokens") or body["max_completion_tokens"])
        finish, text = "length" if len(text) > most else "stop", text[:most]  # no token is shorter
        asked.used = (_tokens(body["messages"]), _tokens(text))
        return _Stream(asked, self._said(asked, text, finish, wrong))

    async def post(self, path: str, body: Mapping[str, Any], upload: Any = None, **how: Any) -> Any:
        if upload:
            body = {**body, "file": upload[1]}
        asked, wrong, request = await self._ask(path, body)
        if asked.kind not in self._minds:
            asked.end = "404"
            raise openai.NotFoundError("404", response=httpx2.Response(404, request=request), body=None)
        answer = self._minds[asked.kind](asked, body)
        usage = {"input_tokens": 0 if upload else _tokens(body), "output_tokens": 0}
        answer = {"usage": usage, **answer}
        asked.used, asked.seconds = (usage["input_tokens"], 0), answer["usage"].get("seconds", 0.0)
        try:
            await asyncio.sleep(self._dice.uniform(0.0, 1.0))
            if wrong:
                await self._break(wrong)
                raise ValueError(wrong)
            await self._life.gate("the model answers")
            asked.end = WHOLE
        finally:
            asked.end = asked.end or wrong or LEFT
        return answer

    async def _ask(self, path: str, body: Mapping[str, Any]) -> tuple[Asked, str, httpx2.Request]:
        """A request on its way there; what goes wrong with it before there is an answer is raised."""
        await self._life.gate("the model is asked")
        asked = _read(self._life, path, body)
        self._made(asked)
        request = httpx2.Request("POST", "https://model.invalid" + path)
        try:
            await asyncio.sleep(self._dice.uniform(0.02, 1.0))
        except asyncio.CancelledError:
            asked.end = LEFT
            raise
        wrong = self._wrong()
        self._tell(f"model asked for {asked.kind} {asked.number}: {wrong or 'answers'}")
        if wrong in BEFORE:
            asked.end = wrong
            raise _error(wrong, request)
        return asked, wrong, request

    def _wrong(self) -> str:
        if asyncio.get_running_loop().time() > self._weather.ends_at:
            return ""
        return (
            self._dice.choice(BEFORE + WITHIN) if self._dice.uniform(0, 100) < self._weather.trouble else ""
        )

    async def _said(self, asked: Asked, text: str, finish: str, wrong: str) -> AsyncGenerator[bytes, None]:
        chunks = self._cut(text)
        breaks_at = self._dice.randrange(len(chunks)) if wrong else None
        pace_s = self._dice.choice((0.0, 0.01, 0.2))
        for number, chunk in enumerate(chunks):
            if number == breaks_at:
                asked.end = wrong
                await self._break(wrong)
                return
            await asyncio.sleep(pace_s * self._dice.random())
            await self._life.gate("the model says something")
            yield _event(choices=[{"index": 0, "delta": {"content": chunk}}])
        read, said = asked.used
        usage = {"prompt_tokens": read, "completion_tokens": said, "total_tokens": read + said}
        yield _event(choices=[{"index": 0, "delta": {}, "finish_reason": finish}])
        yield _event(choices=[], usage=usage)
        asked.end = WHOLE
        yield b"data: [DONE]\n\n"

    def _cut(self, text: str) -> list[str]:
        most = min(MOST_CHUNKS, len(text) - 1)
        places = sorted(self._dice.sample(range(1, len(text)), self._dice.randint(1, most)))
        return [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]

    async def _break(self, wrong: str) -> None:
        if wrong == "reset":
            raise aiohttp.ClientPayloadError("reset")
        if wrong == "silence":
            await asyncio.sleep(3600)


class _Stream(StreamedAnswer):
    def __init__(self, asked: Asked, parts: AsyncGenerator[bytes, None]) -> None:
        self.headers = {"content-type": "text/event-stream"}
        self._asked, self._parts = asked, parts

    async def read_some(self) -> bytes:
        return await anext(self._parts, b"")

    async def rest(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def aclose(self) -> None:
        self._asked.end = self._asked.end or LEFT
        await self._parts.aclose()


def _read(life: Life, path: str, body: Mapping[str, Any]) -> Asked:
    """What kind of request it is, and which question it is about."""
    if path == "/audio/transcriptions":
        part = json.loads(body["file"])
        return Asked(life, "transcription", part["number"], piece=part.get("index", 0))
    messages = body.get("messages") or [{"content": body["input"]}]
    asked = ASKED.findall(str(messages[-1]["content"]))
    numbers = tuple(map(int, asked))
    kind = _kind(path, str(messages[0]["content"]))
    return Asked(life, kind, numbers[-1] if numbers else None, along=numbers[:-1])


def _kind(path: str, system: str) -> str:
    if path == "/decisions":
        return "decision"
    if system.startswith((RULES, WRITE_EXAMPLES)):
        return "guard"
    return "translation" if system.startswith(TRANSLATE) else "answer"


def _tokens(said: object) -> int:
    return len(str(said)) // 4


def _event(**fields: Any) -> bytes:
    return b"data: " + json.dumps({"model": "gpt-4.1-mini", **fields}).encode() + b"\n\n"


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
