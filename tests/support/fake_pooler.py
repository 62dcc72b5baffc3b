"""A pooler in transaction mode, as PgBouncer has one: each transaction gets whichever session is free.

It speaks PostgreSQL's protocol just so far that clients without a password, of a trusting server, get along.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

ASKS_FOR_ENCRYPTION = (80877103, 80877104)  # TLS, GSSAPI
ENDS_A_TURN = (b"S", b"Q")  # Sync, Query
READY, IDLE = b"Z", b"I"


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
    free: list[_Session] = field(default_factory=list)
    made: list[_Session] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        startup = await _read_startup(reader, writer)
        session = await self._take(startup)
        writer.write(session.greeting)
        self.free.append(session)
        held: _Session | None = None
        while True:
            asked, last = await _read_until(reader, ENDS_A_TURN)
            held = held or await self._take(startup)
            held.writer.write(asked)
            answer, last = await _read_until(held.reader, (READY,))
            writer.write(answer)
            if last == IDLE:
                self.free.append(held)
                held = None

    async def _take(self, startup: bytes) -> _Session:
        if self.free:
            return self.free.pop()
        session = _Session(*await asyncio.open_unix_connection(str(self.socket)))
        session.writer.write(startup)
        session.greeting, _ = await _read_until(session.reader, (READY,))
        self.made.append(session)
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
async def fake_pooler(socket: Path) -> AsyncIterator[FakePooler]:
    pooler = FakePooler(socket)
    server = await asyncio.start_server(pooler.serve, "127.0.0.1", 0)
    pooler.port = server.sockets[0].getsockname()[1]
    try:
        yield pooler
    finally:
        server.close()
        for session in pooler.made:
            session.writer.close()
