"""Serves what Slack has on other hosts, here under one address: uploads, private files and response_urls."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import orjson
from aiohttp import web

from bot.sandbox.slack.api.file_removal import is_seen_by_app
from bot.sandbox.slack.api.server import LOGIN_PAGE, reset_connection
from bot.sandbox.slack.delivery.response_urls import ResponseUrls
from bot.sandbox.slack.faults import SlackFaults
from bot.sandbox.slack.state import Workspace


class Hosts:
    """Routes that are not the Web API."""

    def __init__(
        self, workspaces: Sequence[Workspace], faults: SlackFaults, response_urls: ResponseUrls
    ) -> None:
        self._workspaces, self._faults, self._response_urls = workspaces, faults, response_urls

    def add_to(self, app: web.Application) -> None:
        add = app.router.add_route
        add("POST", "/upload/v1/{file}", self._upload)
        add("GET", "/files-pri/{file}/{name:.*}", self._download)
        add("GET", "/files-tmb/{file}-{secret}/{name}", self._download)
        for kind in ("commands", "actions", "app"):
            add("POST", f"/{kind}/{{team}}/{{key}}", self._respond)

    # -- files

    async def _upload(self, http: web.Request) -> web.StreamResponse:
        content = await _content(http)
        fault = self._faults.take("files.upload", {})
        if fault and fault.answers:
            return web.Response(status=fault.status, text=LOGIN_PAGE, content_type="text/html")
        for ws in self._workspaces:
            file = ws.files.get(http.match_info["file"])
            if file and file.about["mode"] == "uploading":
                file.content = content
                file.about |= {"mode": "hosted", "size": len(content)}
                return web.Response(text=f"OK - {len(content)}")
        return web.Response(status=404, text="unknown upload")

    async def _download(self, http: web.Request) -> web.StreamResponse:
        team, _, id = http.match_info["file"].partition("-")
        fault = self._faults.take("files.download", {"file": id})
        if fault:
            await asyncio.sleep(fault.delay_s)
            if fault.lose_response:
                return reset_connection(http)
            if fault.answers:
                where = {"Location": fault.location} if fault.location else {}
                return web.Response(
                    status=fault.status, text=LOGIN_PAGE, content_type="text/html", headers=where
                )
        ws = next((w for w in self._workspaces if w.team == team), None)
        token = http.headers.get("Authorization", "").removeprefix("Bearer ")
        if ws is None or token != ws.bot_token or "files:read" not in ws.scopes or ws.revoked:
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        file = ws.files.get(id)
        if file is None or file.about.get("mode") == "tombstone":
            return web.Response(status=404, text="not found")
        if not is_seen_by_app(ws, file):
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        if "secret" in http.match_info:
            return web.Response(body=file.thumbnail, content_type="image/png")
        return web.Response(body=file.content, headers={"Content-Type": file.about["mimetype"]})

    # -- response_url

    async def _respond(self, http: web.Request) -> web.StreamResponse:
        try:
            body = orjson.loads(await http.read())
        except orjson.JSONDecodeError:
            return web.Response(status=400, text="invalid_payload")
        status, answer = self._response_urls.use(http.match_info["key"], body)
        if answer["ok"]:
            return web.Response(text="ok")
        return web.json_response(answer, status=status)


async def _content(http: web.Request) -> bytes:
    """The bytes of an upload, sent raw or as a form."""
    if not http.content_type.startswith("multipart/"):
        return await http.read()
    form = await http.post()
    part = next(iter(form.values()))
    return part.file.read() if isinstance(part, web.FileField) else str(part).encode()
