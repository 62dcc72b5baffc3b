"""Delivers by Socket Mode: single-use addresses, hello, envelopes, acknowledgements, pings, and faults.

Each payload goes to one connection, picked at random with a fixed seed. An acknowledgement counts only on the
connection that got the envelope: what Slack does with others is not documented, so the strict reading holds.
Source: docs.slack.dev/apis/events-api/using-socket-mode
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterable
from typing import Any

import orjson
from aiohttp import WSCloseCode, WSMsgType, web

from bot.sandbox.slack import limits
from bot.sandbox.slack.delivery.dispatch import Dispatcher
from bot.sandbox.slack.record import Delivery, DeliveryAttempt, Record
from bot.sandbox.slack.state import APP


class Connection:
    """One open socket of the app. `frozen`: still open, but it neither reads nor answers (half-open)."""

    def __init__(self, id: str, ws: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self.id, self.ws, self.transport = id, ws, transport
        self.frozen = False
        self.retiring = False  # told to go away, gets nothing new
        self.pending: dict[str, tuple[Delivery, DeliveryAttempt, asyncio.TimerHandle]] = {}
        self.sending: set[asyncio.Task[None]] = set()

    def send(self, frame: bytes) -> None:
        """Write without waiting; a socket that is gone is noticed by its reader."""
        task = asyncio.create_task(self._write(frame))
        self.sending.add(task)
        task.add_done_callback(self.sending.discard)

    async def _write(self, frame: bytes) -> None:
        if not self.frozen and not self.ws.closed:
            try:
                await self.ws.send_frame(frame, WSMsgType.TEXT)
            except (ConnectionError, RuntimeError):
                return


class AppSockets:
    """The app's open connections; the transport for Socket Mode."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        record: Record,
        announce: Callable[[int], None],  # how many connections there are now
        *,
        ack_deadline_s: float,
        seed: int = 1,
        ping_s: float = limits.SOCKET_PING_S,
    ) -> None:
        self.connections: dict[str, Connection] = {}
        self._chosen: frozenset[str] = frozenset()
        self._dispatcher, self._record, self._announce = dispatcher, record, announce
        self._deadline_s, self._ping_s = ack_deadline_s, ping_s
        self._random = random.Random(seed)
        self._tickets: set[str] = set()
        self._count = 0

    def ticket(self) -> str:
        """A pass for one connection."""
        self._count += 1
        ticket = f"sandbox-{self._count}"
        self._tickets.add(ticket)
        return ticket

    # -- the transport

    def send(self, delivery: Delivery, attempt: DeliveryAttempt) -> None:
        ready = [c for c in self.connections.values() if not c.retiring]
        ready = [c for c in ready if c.id in self._chosen] or ready
        if not ready:
            self._dispatcher.fail(delivery, attempt, "connection_failed")
            return
        connection = ready[0] if len(ready) == 1 else self._random.choice(ready)
        self._count += 1
        envelope_id = f"{self._count:08x}-0000-4000-8000-{self._random.getrandbits(48):012x}"
        attempt.via = connection.id
        timer = self._dispatcher.later(self._deadline_s, self._time_out, connection, envelope_id)
        connection.pending[envelope_id] = (delivery, attempt, timer)
        connection.send(_envelope(envelope_id, delivery, attempt))

    def _time_out(self, connection: Connection, envelope_id: str) -> None:
        delivery, attempt, _ = connection.pending.pop(envelope_id)
        self._dispatcher.fail(delivery, attempt, "timeout")

    # -- the connections

    async def handle(self, http: web.Request) -> web.StreamResponse:
        ticket = http.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=403, text="invalid or used ticket")
        self._tickets.discard(ticket)
        # Pings are answered by hand, so that a frozen connection can leave them unanswered.
        ws = web.WebSocketResponse(autoping=False, max_msg_size=0)
        await ws.prepare(http)
        connection = Connection(ticket, ws, http.transport)
        if len(self.connections) >= limits.SOCKET_CONNECTIONS:
            await ws.send_str(_disconnect("too_many_websockets"))
            await ws.close()
            return ws
        self.connections[connection.id] = connection
        self._announce_count()
        ping = asyncio.create_task(self._ping(connection))
        try:
            await ws.send_str(self._hello())
            await self._read(connection)
        finally:
            ping.cancel()
            self._forget(connection)
        return ws

    def _hello(self) -> str:
        return orjson.dumps(
            {
                "type": "hello",
                "num_connections": len(self.connections),
                "debug_info": {
                    "host": "applink-sandbox",
                    "build_number": 1,
                    "approximate_connection_time": limits.CONNECTION_LIFE_S,
                },
                "connection_info": {"app_id": APP},
            }
        ).decode()

    async def _ping(self, connection: Connection) -> None:
        while True:
            await asyncio.sleep(self._ping_s)
            if not connection.frozen and not connection.ws.closed:
                await connection.ws.ping(b"sandbox")

    async def _read(self, connection: Connection) -> None:
        async for frame in connection.ws:
            if connection.frozen:
                continue
            if frame.type == WSMsgType.PING:
                await connection.ws.pong(frame.data)
            elif frame.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                self._acknowledge(connection, frame.data)

    def _acknowledge(self, connection: Connection, text: str | bytes) -> None:
        try:
            ack = orjson.loads(text)
            pending = connection.pending.pop(ack["envelope_id"], None)
        except (orjson.JSONDecodeError, KeyError, TypeError):
            self._record.counts["socket:unreadable"] += 1
            return
        if pending is None:
            self._record.counts["socket:unexpected_ack"] += 1
            return
        delivery, attempt, timer = pending
        self._dispatcher.cancel(timer)
        response = ack.get("payload") or {}
        if not isinstance(response, dict):
            response = {"text": str(response)}
        self._dispatcher.acknowledge(delivery, attempt, response)

    def _forget(self, connection: Connection) -> None:
        """Whatever was not acknowledged on this connection never will be."""
        self.connections.pop(connection.id, None)
        for delivery, attempt, timer in connection.pending.values():
            self._dispatcher.cancel(timer)
            self._dispatcher.fail(delivery, attempt, "connection_failed")
        connection.pending.clear()
        self._announce_count()

    def _announce_count(self) -> None:
        self._announce(len(self.connections))
        self._record.notify()

    def choose(self, ids: Iterable[str]) -> None:
        """Deliver to these connections alone, as long as there is one of them; none: to any."""
        self._chosen = frozenset(ids)

    # -- what can go wrong

    def _find(self, id: str) -> list[Connection]:
        return [c for c in self.connections.values() if id in ("", c.id)]

    def drop(self, id: str = "") -> None:
        """Cut connections (one, or all) without a goodbye."""
        for connection in self._find(id):
            self._cut(connection)

    def _cut(self, connection: Connection) -> None:
        if connection.transport is not None:
            connection.transport.abort()
        self._forget(connection)

    def freeze(self, id: str = "") -> None:
        """Leave connections open, but dead: no pong, no delivery arrives, no acknowledgement is heard."""
        for connection in self._find(id):
            connection.frozen = True

    def garbage(self, text: str = "{not json", id: str = "") -> None:
        """Send something that is no envelope."""
        for connection in self._find(id):
            connection.send(text.encode())

    def warn(self, id: str = "") -> None:
        """Announce that connections will be refreshed soon; they go on until then."""
        for connection in self._find(id):
            connection.send(_disconnect("warning").encode())

    def refresh(self, id: str = "", *, reason: str = "refresh_requested", grace_s: float = 10.0) -> None:
        """Ask the app to connect anew; connections it has not closed after the grace are cut."""
        for connection in self._find(id):
            connection.retiring = True
            connection.send(_disconnect(reason).encode())
            self._dispatcher.later(grace_s, self._cut, connection)

    async def close(self) -> None:
        for connection in list(self.connections.values()):
            await connection.ws.close(code=WSCloseCode.GOING_AWAY)


def _envelope(envelope_id: str, delivery: Delivery, attempt: DeliveryAttempt) -> bytes:
    envelope: dict[str, Any] = {
        "envelope_id": envelope_id,
        "payload": delivery.payload,
        "type": delivery.kind,
        "accepts_response_payload": delivery.kind != "events_api",
    }
    if delivery.kind == "events_api":
        envelope |= {"retry_attempt": attempt.number, "retry_reason": attempt.reason}
    return orjson.dumps(envelope)


def _disconnect(reason: str) -> str:
    return orjson.dumps(
        {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-sandbox"}}
    ).decode()
