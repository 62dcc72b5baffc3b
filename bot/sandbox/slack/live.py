"""Pushes every change to the browser pages over a WebSocket; lists the page's HTTP requests too.

WebSocket /sandbox/live?user=alice
    The page is told what this person can see. First comes a frame {"type": "state", …} (see `snapshot`), then
    one frame per change. The page may send {"as": "bob"}: a new "state" follows, as that person sees it.
    Frames, each a JSON object with "type":
      state              everything at once; again after a reset
      message            {channel, message}: new or changed, keyed by message.ts; "streaming" while written
      append             {channel, ts, parts}: parts are chunks, {"type": "markdown_text", "text"} or
                         task_update, plan_update, blocks as the app sent them
      message_deleted    {channel, ts}
      ephemeral          {channel, message}: only to its addressee
      ephemeral_deleted  {channel, ts}
      status             {channel, thread_ts, status, loading_messages}: "" clears it
      session            {channel, thread_ts, status, title}: while "processing" there is a stop button
      title              {channel, thread_ts, title}
      prompts            {channel, thread_ts, title, prompts: [{title, message}]}: thread_ts "" is all the DM
      modals             {views: [lowest … topmost]}: the person's; "errors" in a view by block_id
      home               {view}: the person's Home tab
      channel            {channel}: its members or settings changed; send "as" again for a new state
      delivery           {delivery: {id, kind, name, team, at, payload, attempts, acked_after_s, response,
                         over}}: the same id again as it proceeds
      request            {request: {method, arguments, at, status, response, team}}
      sockets            {connections}: how many sockets the app holds

HTTP POST /sandbox/api/{act}: a JSON object with the keyword arguments of FakeSlack's method of that name
    say edit delete react upload command press submit close_modal shortcut open_home look_at stop join
    invite archive connect make_private delete_channel deactivate share_file change_file unshare_file
    delete_file
    → {"ok": true, "result": …} or 400 {"ok": false, "error": "…"}. Files are {name, content (base64), voice,
    duration_s}. `result` is the message's ts (say, upload) or a delivery as above (command, press, submit,
    shortcut), which comes when the app acknowledged it or the deadline passed.
    POST faults    {"method": …, as Faults.add} | {"deliver": "*", as Faults.deliver} | {"clear": true}
    POST sockets   {"act": "drop" | "freeze" | "garbage" | "warn" | "refresh"}
    POST settings  {"rate_limits": bool, "recording": bool, "events_url": str, "org_wide": bool}
    POST reset     {}
    POST replay    {"session": what export gave, "pace": 1.0}
    GET export, state?user=alice, requests, deliveries, counts, refused, thread?channel=…&ts=…
Nothing here is Slack's; it is how the sandbox is looked at.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from bot.sandbox.slack.api.views import stack
from bot.sandbox.slack.record import Delivery, Record, SlackRequest
from bot.sandbox.slack.state import Person, SlackChannel, Workspace

SHOWN = 200  # requests and deliveries in a snapshot
BEHIND = 2_000  # frames a slow page may be behind before it is cut off


class PageViewer:
    """One page, looking as one person."""

    def __init__(self, ws: Workspace, person: Person) -> None:
        self.ws, self.person = ws, person
        self.frames: asyncio.Queue[bytes | None] = asyncio.Queue(BEHIND)

    def can_see(self, frame: dict[str, Any]) -> bool:
        if frame.get("only", self.person.id) != self.person.id:
            return False
        channel = self.ws.channels.get(frame.get("channel", ""))
        return channel is None or self.person.id in channel.members

    def put(self, frame: bytes) -> None:
        try:
            self.frames.put_nowait(frame)
        except asyncio.QueueFull:
            # A page that does not read is let go; it gets a new state when it comes back.
            while not self.frames.empty():
                self.frames.get_nowait()
            self.frames.put_nowait(None)


class Live:
    """All open pages, and the frames that go to them."""

    def __init__(
        self,
        record: Record,
        find: Callable[[str], tuple[Workspace, Person]],
        about: Callable[[Workspace], dict[str, Any]],
    ) -> None:
        self.viewers: set[PageViewer] = set()
        self._record, self._find, self._about = record, find, about

    def publish(self, ws: Workspace, frame: dict[str, Any]) -> None:
        """Send a frame to everybody of that workspace who may see it."""
        if not self.viewers:
            return
        text = orjson.dumps(frame)
        for viewer in self.viewers:
            if viewer.ws is ws and viewer.can_see(frame):
                viewer.put(text)

    def request(self, request: SlackRequest) -> None:
        if self.viewers:
            self._all({"type": "request", "request": asdict(request)})

    def delivery(self, delivery: Delivery) -> None:
        if self.viewers:
            self._all({"type": "delivery", "delivery": about_delivery(delivery)})

    def sockets(self, connections: int) -> None:
        if self.viewers:
            self._all({"type": "sockets", "connections": connections})

    def refresh(self) -> None:
        """A new state for every page."""
        for viewer in self.viewers:
            viewer.ws, viewer.person = self._find(viewer.person.id)
            viewer.put(self._state(viewer))

    def _all(self, frame: dict[str, Any]) -> None:
        text = orjson.dumps(frame)
        for viewer in self.viewers:
            viewer.put(text)

    def _state(self, viewer: PageViewer) -> bytes:
        return orjson.dumps(self.snapshot(viewer.ws, viewer.person))

    def snapshot(self, ws: Workspace, person: Person) -> dict[str, Any]:
        """What this person sees, and what the side panel shows."""
        seen = [c for c in ws.channels.values() if person.id in c.members]
        ids = {c.id for c in seen}
        return {
            "type": "state",
            "team": {"id": ws.team, "name": ws.name, "domain": ws.domain},
            "me": person.id,
            "bot": {"user_id": ws.bot, "bot_id": ws.bot_id, "name": ws.bot_name},
            "people": [asdict(p) for p in ws.people.values()],
            "channels": [_channel(c) for c in seen],
            "messages": {c.id: list(c.messages.values()) for c in seen},
            "ephemerals": [
                {"channel": e["channel"], "message": e["message"]}
                for e in ws.ephemerals
                if e["addressee"] == person.id
            ],
            "statuses": [
                {"channel": c, "thread_ts": t, "status": s.text, "loading_messages": s.loading_messages}
                for (c, t), s in ws.statuses.items()
                if c in ids
            ],
            "sessions": _by_thread(ws.sessions, ids),
            "prompts": _by_thread(ws.prompts, ids),
            "titles": [
                {"channel": c, "thread_ts": t, "title": v} for (c, t), v in ws.titles.items() if c in ids
            ],
            "modals": stack(ws, person.id),
            "home": ws.views.get(ws.homes.get(person.id, "")),
            "requests": [asdict(r) for r in list(self._record.requests)[-SHOWN:]],
            "deliveries": [about_delivery(d) for d in list(self._record.deliveries)[-SHOWN:]],
            **self._about(ws),
        }

    async def handle(self, http: web.Request) -> web.StreamResponse:
        try:
            viewer = PageViewer(*self._find(http.query.get("user", "alice")))
        except ValueError as problem:
            return web.Response(status=404, text=str(problem))
        socket = web.WebSocketResponse(heartbeat=20.0)
        await socket.prepare(http)
        viewer.put(self._state(viewer))
        self.viewers.add(viewer)
        writer = asyncio.create_task(_write(viewer, socket))
        try:
            async for frame in socket:
                if frame.type == WSMsgType.TEXT:
                    self._switch(viewer, frame.data)
        finally:
            self.viewers.discard(viewer)
            writer.cancel()
        return socket

    def _switch(self, viewer: PageViewer, text: str) -> None:
        try:
            viewer.ws, viewer.person = self._find(orjson.loads(text)["as"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            return
        viewer.put(self._state(viewer))


async def _write(viewer: PageViewer, socket: web.WebSocketResponse) -> None:
    while (frame := await viewer.frames.get()) is not None:
        try:
            await socket.send_frame(frame, WSMsgType.TEXT)
        except (ConnectionError, RuntimeError):
            return
    await socket.close()


def about_delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "kind": delivery.kind,
        "name": delivery.name,
        "team": delivery.team,
        "at": delivery.at,
        "payload": delivery.payload,
        "attempts": [asdict(a) for a in delivery.attempts],
        "acked_after_s": delivery.acked_after_s,
        "response": delivery.response,
        "over": delivery.over,
    }


def _channel(channel: SlackChannel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind,
        "members": list(channel.members),
        "topic": channel.topic,
        "purpose": channel.purpose,
        "shared_with": channel.shared_with,
        "archived": channel.archived,
    }


def _by_thread(table: dict[tuple[str, str], dict[str, Any]], ids: set[str]) -> list[dict[str, Any]]:
    return [{"channel": c, "thread_ts": t, **v} for (c, t), v in table.items() if c in ids]
