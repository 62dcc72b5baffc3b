"""Serves the page, with the fake Slack, the fake model and the bot's process under its one address.

It passes on what belongs to the fakes (over HTTP and WebSocket, as any other client would) and adds what only
the sandbox knows: which model answers, how the bot's process fares, the bundled clips, and prices.

    GET  /                              the page;  /page/{file}
    *    /sandbox/live, /sandbox/api/*  passed on to the fake Slack, /sandbox/api/model/* to the fake model
    GET  /sandbox/about                 {model, bot, processes, started_at}
    GET  /sandbox/processes             {bots, database}: each bot with what its own monitor says of it
    POST /sandbox/bot                   {"act": "kill" | "freeze" | "resume" | "stop" | "start", "bot": 0}
    POST /sandbox/database              {"act": "kill"}
    POST /sandbox/reset                 a new workspace, and a bot that remembers nothing
    GET  /sandbox/log                   ?bot=0: a bot's last lines
    GET  /sandbox/clips, /sandbox/clips/{file}
    GET  /sandbox/model_requests        ?after=N: as the model kept them, each with its cost_usd
    GET  /sandbox/files/{id}            files of the workspace, as people see them; {id}/thumbnail
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientSession, ClientTimeout, WSMsgType, web
from aiohttp.typedefs import Handler

from bot.sandbox.bot_figures import read_figures
from bot.sandbox.bot_process import BotProcess
from bot.sandbox.database import SandboxDatabase
from bot.sandbox.prices import cost_usd
from bot.sandbox.rehearsal import recordings

PAGE = Path(__file__).parent / "page"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data: blob:; media-src 'self' blob:; form-action 'none'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
}
_HERE = ("127.0.0.1", "localhost", "[::1]")


class PageServer:
    """The server of the page; an async context manager."""

    def __init__(
        self,
        *,
        port: int,
        slack_url: str,
        model_url: str,
        model: Callable[[], dict[str, Any]],
        bots: Sequence[BotProcess],
        database: SandboxDatabase,
        reset: Callable[[], Awaitable[None]],
        host: str = "127.0.0.1",
    ) -> None:
        """`model_url`: where requests to the model are seen, "" when nowhere; `model` tells which answers."""
        self.host, self.port = host, port
        self._slack_url, self._model_url = slack_url, model_url
        self._model, self._bots, self._database, self._reset = model, bots, database, reset
        self._started_at = time.time()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[refuse_other_pages])
        app.router.add_get("/", self._index)
        app.router.add_get("/page/{file}", self._file)
        app.router.add_get("/sandbox/live", self._live)
        app.router.add_get("/sandbox/about", self._about)
        app.router.add_get("/sandbox/processes", self._processes)
        app.router.add_post("/sandbox/bot", self._act_on_bot)
        app.router.add_post("/sandbox/database", self._act_on_database)
        app.router.add_post("/sandbox/reset", self._act_reset)
        app.router.add_get("/sandbox/log", self._log)
        app.router.add_get("/sandbox/clips", self._clips)
        app.router.add_get("/sandbox/clips/{file}", self._clip)
        app.router.add_get("/sandbox/model_requests", self._model_requests)
        app.router.add_route("*", "/sandbox/api/model/{path:.*}", self._to_model)
        app.router.add_route("*", "/sandbox/api/{path:.*}", self._to_slack)
        app.router.add_get("/sandbox/files/{file:.+}", self._to_slack)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.host, self.port).start()
        self.port = self._runner.addresses[0][1]
        self._session = ClientSession(timeout=ClientTimeout(total=None, connect=5))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        await self._runner.cleanup()

    # The page itself --------------------------------------------------------------------------------

    async def _index(self, http: web.Request) -> web.Response:
        return self._from_disk(PAGE / "index.html")

    async def _file(self, http: web.Request) -> web.Response:
        return self._from_disk(PAGE / http.match_info["file"])

    def _from_disk(self, path: Path) -> web.Response:
        if path.parent != PAGE or path.suffix not in _TYPES or not path.is_file():
            raise web.HTTPNotFound
        headers = _HEADERS | {"Content-Type": f"{_TYPES[path.suffix]}; charset=utf-8"}
        return web.Response(body=path.read_bytes(), headers=headers)

    # What only the sandbox knows ----------------------------------------------------------------------

    async def _about(self, http: web.Request) -> web.Response:
        about = {
            "model": self._model() | {"seen": bool(self._model_url)},
            "bot": self._bots[0].about(),
            "processes": len(self._bots),
            "started_at": self._started_at,
        }
        return web.json_response(about)

    async def _processes(self, http: web.Request) -> web.Response:
        figures = await asyncio.gather(*(read_figures(self._session, bot.ops_url) for bot in self._bots))
        bots = [bot.about() | found for bot, found in zip(self._bots, figures, strict=True)]
        return web.json_response({"bots": bots, "database": self._database.about()})

    async def _act_on_bot(self, http: web.Request) -> web.Response:
        given = await http.json()
        act, bot = given.get("act"), self._find_bot(given.get("bot", 0))
        acts = {"kill": bot.kill, "freeze": bot.freeze, "resume": bot.resume, "start": bot.start}
        if act == "stop":
            await bot.stop()
        elif act in acts:
            acts[act]()
        else:
            return web.json_response({"ok": False, "error": f"there is no act {act}"}, status=400)
        return web.json_response({"ok": True, "result": bot.about()})

    async def _act_on_database(self, http: web.Request) -> web.Response:
        await self._database.kill()
        return web.json_response({"ok": True, "result": self._database.about()})

    def _find_bot(self, number: object) -> BotProcess:
        text = str(number)
        if not text.isdecimal() or int(text) >= len(self._bots):
            raise web.HTTPNotFound
        return self._bots[int(text)]

    async def _act_reset(self, http: web.Request) -> web.Response:
        await self._reset()
        return web.json_response({"ok": True, "result": None})

    async def _log(self, http: web.Request) -> web.Response:
        return web.json_response({"lines": list(self._find_bot(http.query.get("bot", 0)).log)})

    async def _clips(self, http: web.Request) -> web.Response:
        listed = [{k: v for k, v in clip.items() if k != "loudness"} for clip in recordings.load_clips()]
        return web.json_response({"clips": listed})

    async def _clip(self, http: web.Request) -> web.Response:
        for clip in recordings.load_clips():
            if clip["file"] == http.match_info["file"]:
                body = (recordings.CLIPS / clip["file"]).read_bytes()
                return web.Response(body=body, content_type=clip["mime"])
        raise web.HTTPNotFound

    async def _model_requests(self, http: web.Request) -> web.Response:
        if not self._model_url:
            return web.json_response({"requests": []})
        place = f"{self._model_url}/sandbox/api/model/requests"
        async with self._session.get(place, params={"after": http.query.get("after", "0")}) as answer:
            requests = (await answer.json())["requests"]
        costs = await asyncio.to_thread(lambda: [cost_usd(request) for request in requests])
        listed = [request | {"cost_usd": cost} for request, cost in zip(requests, costs, strict=True)]
        return web.json_response({"requests": listed})

    # Passed on ----------------------------------------------------------------------------------------

    async def _to_slack(self, http: web.Request) -> web.StreamResponse:
        return await self._forward(http, self._slack_url)

    async def _to_model(self, http: web.Request) -> web.StreamResponse:
        if not self._model_url:
            return web.json_response(
                {"ok": False, "error": "requests to this model are not seen here"}, status=404
            )
        return await self._forward(http, self._model_url)

    async def _forward(self, http: web.Request, to: str) -> web.StreamResponse:
        body = await http.read() if http.can_read_body else None
        kind = {"Content-Type": http.headers.get("Content-Type", "application/json")}
        async with self._session.request(http.method, to + http.path_qs, data=body, headers=kind) as got:
            kept = {"Content-Type": got.headers.get("Content-Type", "application/octet-stream")}
            return web.Response(body=await got.read(), status=got.status, headers=_HEADERS | kept)

    async def _live(self, http: web.Request) -> web.WebSocketResponse:
        """The page's socket, joined to one of the fake Slack's."""
        page = web.WebSocketResponse(heartbeat=20.0, max_msg_size=0)
        await page.prepare(http)
        async with self._session.ws_connect(self._slack_url + http.path_qs, max_msg_size=0) as slack:

            async def outward() -> None:
                async for frame in slack:
                    if frame.type == WSMsgType.TEXT:
                        await page.send_str(frame.data)
                await page.close()

            sending = asyncio.create_task(outward())
            try:
                async for frame in page:
                    if frame.type == WSMsgType.TEXT:
                        await slack.send_str(frame.data)
            finally:
                sending.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                    await sending
        return page


@web.middleware
async def refuse_other_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse requests of any other page: neither under another name nor from another origin."""
    if request.host.rpartition(":")[0] not in _HERE and request.host not in _HERE:
        raise web.HTTPForbidden(text="the sandbox answers on this machine only")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        raise web.HTTPForbidden(text="another page asked for this")
    return await handler(request)
