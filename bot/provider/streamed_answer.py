"""Reads an answer that comes in parts: the data of its events, as they come or a few of them together.

What the data means is bot/provider/stream_readers.py's; how long a server may take is
bot/provider/stream_deadline.py's.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Mapping

import aiohttp

from bot.provider.error_table import NotAnAnswer
from bot.provider.sse import EventParser
from bot.provider.stream_deadline import StreamDeadline

DRAIN_S = 0.1  # for the end of a response after its last event, so that the connection can be used again
DONE = b"[DONE]"

# The first words of an answer are read as they come, what follows at moments that all answers have in common:
# waking up for every word, of every answer apart, costs more than all that is done with the words. Steps are
# longer where people see the next words only a second later.
AT_ONCE_S, STEP_S = 0.15, 0.05
LATER_S, LATER_STEP_S = 1.0, 0.1


class StreamedAnswer:
    """The response to one request. `read_some` gives b"" at its end."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.headers: Mapping[str, str] = response.headers
        self._response = response

    async def read_some(self) -> bytes:
        """What has come of the body since, at least a byte."""
        return await self._response.content.readany()

    async def rest(self, seconds: float) -> None:
        """Leaves what comes meanwhile with the system, which puts it together."""
        connection = self._response.connection
        transport = connection.transport if connection else None
        if transport is None or transport.is_closing() or self._response.content.is_eof():
            return
        transport.pause_reading()
        try:
            await asyncio.sleep(seconds)
        finally:
            transport.resume_reading()

    async def aclose(self) -> None:
        """Ends the request, or leaves the connection to the next one when the answer was read to its end."""
        self._response.release()


class ReadingPace:
    """When the next part of an answer is read."""

    def __init__(self) -> None:
        self._from = math.inf

    def begin(self) -> None:
        """The first text has been read."""
        self._from = asyncio.get_running_loop().time()

    def pause_s(self) -> float:
        """How long to leave the answer alone before its next part is read."""
        now = asyncio.get_running_loop().time()
        if now < self._from + AT_ONCE_S:
            return 0.0
        step_s = STEP_S if now < self._from + LATER_S else LATER_STEP_S
        return step_s - now % step_s


async def read_events(
    answer: StreamedAnswer, deadline: StreamDeadline, pace: ReadingPace
) -> AsyncIterator[list[bytes]]:
    """The data of the events that arrive together, `[DONE]` and what comes after it included.

    Of a server that ignores `stream`, the whole answer and `[DONE]`. EOFError when the stream ends without
    saying that it is done.
    """
    kind, parser = str(answer.headers.get("content-type", "")).lower(), EventParser()
    if "html" in kind:
        raise NotAnAnswer(kind)
    if "json" in kind:
        body = await _read_all(answer, deadline)
        # Some call a stream JSON, too.
        yield [body, DONE] if body.lstrip()[:1] in (b"{", b"[") else parser.feed(body) + parser.finish()
        return
    while part := await deadline.wait(answer.read_some):
        found = parser.feed(part)
        yield found
        if found and DONE in map(bytes.strip, found):
            async for found in _drain(answer, parser, deadline):
                yield found
            return
        if pause_s := pace.pause_s():
            await answer.rest(pause_s)
    left = parser.finish()
    yield left
    if DONE not in map(bytes.strip, left):
        raise EOFError("the stream ended without an end")


async def _read_all(answer: StreamedAnswer, deadline: StreamDeadline) -> bytes:
    parts = list[bytes]()
    while part := await deadline.wait(answer.read_some):
        parts.append(part)
    return b"".join(parts)


async def _drain(
    answer: StreamedAnswer, parser: EventParser, deadline: StreamDeadline
) -> AsyncIterator[list[bytes]]:
    """What comes after the last event: nothing, or what was used."""
    deadline.expect(DRAIN_S)
    with contextlib.suppress(Exception):
        while part := await deadline.wait(answer.read_some):
            yield parser.feed(part)
