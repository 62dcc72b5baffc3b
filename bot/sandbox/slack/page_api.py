"""Serves the page over HTTP: what people do, controls of the fake Slack, and what can be looked up.

What may be asked is listed in live.py, beside the frames of the page's WebSocket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import orjson
from aiohttp import web

from bot.sandbox.slack.api.rates import RateLimits
from bot.sandbox.slack.delivery.socket import AppSockets
from bot.sandbox.slack.faults import SlackFaults
from bot.sandbox.slack.live import Live, about_delivery
from bot.sandbox.slack.people.acts import Act, read_arguments
from bot.sandbox.slack.people.directory import PeopleDirectory
from bot.sandbox.slack.record import Delivery, Record


class SlackSession(Protocol):
    """What the page may do with the fake Slack as a whole."""

    events_url: str
    org_wide: bool

    def reset(self) -> None: ...
    def export(self) -> dict[str, Any]: ...
    async def replay(self, session: dict[str, Any], *, pace: float) -> int: ...
    def thread(self, channel: str, ts: str) -> list[dict[str, Any]]: ...


class PageApi:
    """Routes under /sandbox: nothing here is Slack's."""

    def __init__(
        self,
        session: SlackSession,
        directory: PeopleDirectory,
        record: Record,
        *,
        acts: Mapping[str, Act],
        faults: SlackFaults,
        sockets: AppSockets,
        rates: RateLimits,
        live: Live,
    ) -> None:
        self._session, self._directory, self._record = session, directory, record
        self._acts, self._faults, self._sockets = acts, faults, sockets
        self._rates, self._live = rates, live

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/sandbox/live", self._live.handle)
        app.router.add_route("GET", "/sandbox/files/{file}", self._file)
        app.router.add_route("GET", "/sandbox/files/{file}/thumbnail", self._thumbnail)
        app.router.add_post("/sandbox/api/{act}", self._act)
        app.router.add_route("GET", "/sandbox/api/{what}", self._look)

    async def _file(self, http: web.Request) -> web.StreamResponse:
        """A file as people see it: what the app may read does not matter to them."""
        for ws in self._directory.workspaces:
            if file := ws.files.get(http.match_info["file"]):
                return web.Response(body=file.content, headers={"Content-Type": file.about["mimetype"]})
        return web.Response(status=404, text="not found")

    async def _thumbnail(self, http: web.Request) -> web.StreamResponse:
        for ws in self._directory.workspaces:
            if (file := ws.files.get(http.match_info["file"])) and file.thumbnail:
                return web.Response(body=file.thumbnail, content_type="image/png")
        return web.Response(status=404, text="not found")

    async def _act(self, http: web.Request) -> web.StreamResponse:
        act = http.match_info["act"]
        body = orjson.loads(await http.read() or b"{}")
        try:
            if act in self._acts:
                result = await self._acts[act](**read_arguments(body))
            elif act in self._controls():
                result = await self._controls()[act](body)
            else:
                return web.json_response({"ok": False, "error": f"there is no act {act}"}, status=404)
        except (ValueError, TypeError, KeyError) as problem:
            return web.json_response({"ok": False, "error": str(problem)}, status=400)
        if isinstance(result, Delivery):
            result = about_delivery(result)
        return _json({"ok": True, "result": result})

    def _controls(self) -> dict[str, Callable[[dict[str, Any]], Awaitable[Any]]]:
        return {
            "faults": self._change_faults,
            "sockets": self._change_sockets,
            "settings": self._change_settings,
            "reset": self._reset,
            "replay": self._replay,
        }

    async def _change_faults(self, body: dict[str, Any]) -> None:
        if body.pop("clear", False):
            self._faults.clear()
        elif "deliver" in body:
            self._faults.deliver(body.pop("deliver"), **body)
        else:
            self._faults.add(body.pop("method"), **body)

    async def _change_sockets(self, body: dict[str, Any]) -> None:
        acts: dict[str, Callable[[], None]] = {
            name: getattr(self._sockets, name) for name in ("drop", "freeze", "garbage", "warn", "refresh")
        }
        acts[body["act"]]()

    async def _change_settings(self, body: dict[str, Any]) -> None:
        if "rate_limits" in body:
            self._rates.enabled = bool(body["rate_limits"])
        if "recording" in body:
            self._record.keeping = bool(body["recording"])
        if "events_url" in body:
            self._session.events_url = str(body["events_url"])
        if "org_wide" in body:
            self._session.org_wide = bool(body["org_wide"])

    async def _reset(self, body: dict[str, Any]) -> None:
        self._session.reset()

    async def _replay(self, body: dict[str, Any]) -> int:
        return await self._session.replay(body["session"], pace=body.get("pace", 1.0))

    async def _look(self, http: web.Request) -> web.StreamResponse:
        user = http.query.get("user", "alice")
        looks: dict[str, Callable[[], Any]] = {
            "state": lambda: self._live.snapshot(*self._directory.find_person(user)),
            "requests": lambda: list(self._record.requests),
            "deliveries": lambda: [about_delivery(d) for d in self._record.deliveries],
            "export": self._session.export,
            "counts": lambda: dict(self._record.counts),
            "refused": lambda: dict(self._record.refused),
            "faults": self._faults.open,
            "thread": lambda: self._session.thread(http.query["channel"], http.query["ts"]),
        }
        look = looks.get(http.match_info["what"])
        if look is None:
            return web.json_response({"ok": False, "error": "unknown"}, status=404)
        return _json(look())


def _json(value: Any) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json")
