"""Writes a stream at a given pace, cheaply: one timer per stream writes what is due.

No task is woken per chunk. Chunks are framed for chunked transfer here and written to the transport at
once; a stream without a pace is a single write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from aiohttp import web


class PacedStream:
    """One stream being written. `sent` counts the frames that left, also when the line breaks."""

    def __init__(
        self, transport: asyncio.Transport, frames: Sequence[bytes], gap_s: float, first_s: float
    ) -> None:
        self.sent = 0
        self._transport = transport
        self._frames = frames
        self._gap_s = gap_s
        self._loop = asyncio.get_running_loop()
        self._start = self._loop.time() + first_s
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None

    async def play(self) -> None:
        """Write all frames, each when it is due; ConnectionResetError when nobody reads any more."""
        self._tick()
        try:
            await self._over
        finally:
            if self._timer:
                self._timer.cancel()

    def _tick(self) -> None:
        now = self._loop.time()
        if self._over.done():
            return
        if self._transport.is_closing():
            self._over.set_exception(ConnectionResetError("the reader is gone"))
            return
        due = self._due(now)
        if due > self.sent:
            # Late ticks write all that is due in one go, so the pace holds on a busy machine.
            if frames := b"".join(self._frames[self.sent : due]):  # an empty chunk would end the body
                self._transport.write(frame_chunk(frames))
            self.sent = due
        if self.sent == len(self._frames):
            self._over.set_result(None)
        else:
            self._timer = self._loop.call_at(self._start + self.sent * self._gap_s, self._tick)

    def _due(self, now: float) -> int:
        if now < self._start:
            return 0
        if not self._gap_s:
            return len(self._frames)
        return min(len(self._frames), int((now - self._start) / self._gap_s + 1e-6) + 1)


def frame_chunk(data: bytes) -> bytes:
    """One chunk of a body in chunked transfer encoding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def find_transport(request: web.Request) -> asyncio.Transport:
    """The line to the client; ConnectionResetError when it is gone already."""
    if request.transport is None:
        raise ConnectionResetError("the client is gone")
    return request.transport
