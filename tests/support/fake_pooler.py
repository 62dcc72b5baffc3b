"""A pooler as PgBouncer is one: in transaction mode each transaction gets whichever session is free; in
session mode each client has one of its own, and may ask for no options when it comes.

It speaks PostgreSQL's protocol just so far that clients without a password, of a trusting server, get along.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

ASKS_FOR_ENCRYPTION = (80877103, 80877104)  # TLS, GSSAPI
ENDS_A_TURN = (b"S", b"Q")  # Sync, Query
READY, IDLE = b"Z", b"I"
REFUSED = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"


@dataclass
class _Session:
    """A session of the server's, and how it greeted."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    greeting: bytes = b""


@dataclass
class FakePooler:
    """Hands out sessions of the server behind this socket, the one that was given back last first."""

    socket: Path
    of_sessions: bool = False
    free: list[_Session] = field(default_factory=list)
    made: list[_Session] = field(default_factory=list)
    clients: set[asyncio.Task[None]] = field(default_factory=set)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self.clients.add(task)
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            writer.close()
            self.clients.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        startup = await _read_startup(reader, writer)
        if self.of_sessions and b"\0options\0" in startup:
            writer.write(b"E" + struct.pack("!i", len(REFUSED) + 4) + REFUSED)
            return
        held: _Session | None = await self._take(startup)
        assert held
        writer.write(held.greeting)
        if not self.of_sessions:
            self.free.append(held)
            held = None
        while True:
            asked, last = await _read_until(reader, ENDS_A_TURN)
            held = held or await self._take(startup)
            held.writer.write(asked)
            answer, last = await _read_until(held.reader, (READY,))
            writer.write(answer)
            if last == IDLE and not self.of_sessions:
                self.free.append(held)
                held = None

    async def _take(self, startup: bytes) -> _Session:
        if self.free:
            return self.free.pop()
        session = _Session(*await asyncio.open_unix_connection(str(self.socket)))
        self.made.append(session)
        session.writer.write(startup)
        session.greeting, _ = await _read_until(session.reader, (READY,))
        return session


async def _read_startup(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    while True:
        size = await reader.readexactly(4)
        body = await reader.readexactly(struct.unpack("!i", size)[0] - 4)
        if struct.unpack("!i", body[:4])[0] not in ASKS_FOR_ENCRYPTION:
            return size + body
        writer.write(b"N")


async def _read_until(reader: asyncio.StreamReader, kinds: tuple[bytes, ...]) -> tuple[bytes, bytes]:
    """Messages up to one of such a kind, and the body of that."""
    read = b""
    while True:
        head = await reader.readexactly(5)
        body = await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)
        read += head + body
        if head[:1] in kinds:
            return read, body


@asynccontextmanager
async def fake_pooler(socket: Path, *, of_sessions: bool = False) -> AsyncIterator[FakePooler]:
    pooler = FakePooler(socket, of_sessions)
    server = await asyncio.start_server(pooler.serve, "127.0.0.1", 0)
    pooler.port = server.sockets[0].getsockname()[1]
    try:
        yield pooler
    finally:
        server.close()
        for task in pooler.clients:
            task.cancel()
        await asyncio.gather(*pooler.clients, return_exceptions=True)
        for session in pooler.made:
            session.writer.close()
            with suppress(ConnectionError):
                await session.writer.wait_closed()
