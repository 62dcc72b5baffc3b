"""The other hosts of Slack, under one address: uploads, private files, response_urls, and the page's acts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from bot.sandbox.slack.api.server import LOGIN_PAGE, reset
from bot.sandbox.slack.live import about_delivery
from bot.sandbox.slack.people.acts import ACTS, read_arguments
from bot.sandbox.slack.record import Delivery

if TYPE_CHECKING:
    from bot.sandbox.slack.server import FakeSlack


class Hosts:
    """Routes that are not the Web API."""

    def __init__(self, slack: FakeSlack) -> None:
        self._slack = slack

    def routes(self, app: web.Application) -> None:
        add = app.router.add_route
        add("POST", "/upload/v1/{file}", self._upload)
        add("GET", "/files-pri/{file}/{name:.*}", self._download)
        for kind in ("commands", "actions", "app"):
            add("POST", f"/{kind}/{{team}}/{{key}}", self._respond)
        add("GET", "/sandbox/files/{file}", self._shown)
        add("POST", "/sandbox/api/{act}", self._act)
        add("GET", "/sandbox/api/{what}", self._look)

    # -- files

    async def _upload(self, http: web.Request) -> web.StreamResponse:
        content = await _content(http)
        slack = self._slack
        fault = slack.faults.take("files.upload", {})
        if fault and fault.answers:
            return web.Response(status=fault.status, text=LOGIN_PAGE, content_type="text/html")
        for ws in slack.workspaces:
            file = ws.files.get(http.match_info["file"])
            if file and file.about["mode"] == "uploading":
                file.content = content
                file.about |= {"mode": "hosted", "size": len(content)}
                return web.Response(text=f"OK - {len(content)}")
        return web.Response(status=404, text="unknown upload")

    async def _download(self, http: web.Request) -> web.StreamResponse:
        slack = self._slack
        team, _, id = http.match_info["file"].partition("-")
        fault = slack.faults.take("files.download", {"file": id})
        if fault:
            await asyncio.sleep(fault.delay_s)
            if fault.lose_response:
                return reset(http)
            if fault.answers:
                where = {"Location": fault.location} if fault.location else {}
                return web.Response(
                    status=fault.status, text=LOGIN_PAGE, content_type="text/html", headers=where
                )
        ws = next((w for w in slack.workspaces if w.team == team), None)
        token = http.headers.get("Authorization", "").removeprefix("Bearer ")
        if ws is None or token != ws.bot_token or "files:read" not in ws.scopes or ws.revoked:
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        file = ws.files.get(id)
        if file is None or file.about.get("mode") == "tombstone":
            return web.Response(status=404, text="not found")
        return web.Response(body=file.content, headers={"Content-Type": file.about["mimetype"]})

    # -- response_url

    async def _respond(self, http: web.Request) -> web.StreamResponse:
        try:
            body = orjson.loads(await http.read())
        except orjson.JSONDecodeError:
            return web.Response(status=400, text="invalid_payload")
        status, answer = self._slack.response_urls.use(http.match_info["key"], body)
        if answer["ok"]:
            return web.Response(text="ok")
        return web.json_response(answer, status=status)

    # -- the page

    async def _shown(self, http: web.Request) -> web.StreamResponse:
        """A file as people see it: what the app may read does not matter to them."""
        for ws in self._slack.workspaces:
            if file := ws.files.get(http.match_info["file"]):
                return web.Response(body=file.content, headers={"Content-Type": file.about["mimetype"]})
        return web.Response(status=404, text="not found")

    async def _act(self, http: web.Request) -> web.StreamResponse:
        act = http.match_info["act"]
        body = orjson.loads(await http.read() or b"{}")
        try:
            if act in ACTS:
                result = await getattr(self._slack, act)(**read_arguments(body))
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
            "faults": self._faults,
            "sockets": self._sockets,
            "settings": self._settings,
            "reset": self._reset,
            "replay": self._replay,
        }

    async def _faults(self, body: dict[str, Any]) -> None:
        if body.pop("clear", False):
            self._slack.faults.clear()
        elif "deliver" in body:
            self._slack.faults.deliver(body.pop("deliver"), **body)
        else:
            self._slack.faults.add(body.pop("method"), **body)

    async def _sockets(self, body: dict[str, Any]) -> None:
        acts: dict[str, Callable[[], None]] = {
            name: getattr(self._slack.sockets, name)
            for name in ("drop", "freeze", "garbage", "warn", "refresh")
        }
        acts[body["act"]]()

    async def _settings(self, body: dict[str, Any]) -> None:
        if "rate_limits" in body:
            self._slack.rates.enabled = bool(body["rate_limits"])
        if "recording" in body:
            self._slack.recording = bool(body["recording"])
        if "events_url" in body:
            self._slack.events_url = str(body["events_url"])

    async def _reset(self, body: dict[str, Any]) -> None:
        self._slack.reset()

    async def _replay(self, body: dict[str, Any]) -> int:
        return await self._slack.replay(body["session"], pace=body.get("pace", 1.0))

    async def _look(self, http: web.Request) -> web.StreamResponse:
        slack = self._slack
        looks: dict[str, Callable[[], Any]] = {
            "state": lambda: slack.live.snapshot(*slack.person(http.query.get("user", "alice"))),
            "requests": lambda: list(slack.requests),
            "deliveries": lambda: [about_delivery(d) for d in slack.deliveries],
            "export": slack.export,
            "counts": lambda: dict(slack.counts),
            "faults": slack.faults.open,
            "thread": lambda: slack.thread(http.query["channel"], http.query["ts"]),
        }
        look = looks.get(http.match_info["what"])
        if look is None:
            return web.json_response({"ok": False, "error": "unknown"}, status=404)
        return _json(look())


def _json(value: Any) -> web.Response:
    return web.Response(body=orjson.dumps(value), content_type="application/json")


async def _content(http: web.Request) -> bytes:
    """The bytes of an upload, sent raw or as a form."""
    if not http.content_type.startswith("multipart/"):
        return await http.read()
    form = await http.post()
    part = next(iter(form.values()))
    return part.file.read() if isinstance(part, web.FileField) else str(part).encode()
