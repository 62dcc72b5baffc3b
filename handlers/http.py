"""HTTP servers: Slack's signed events, the operator's health and metrics, the control socket.

/livez   the process and its event loop are alive
/readyz  it can take and answer messages now; else 503 and the reasons, one a line
/metrics Prometheus text, without names or content
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import orjson
from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong

from bot.core.errors import Missing, SetupError
from bot.jobs.inbox import Inbox
from bot.knowledge.local_files import LocalFile
from bot.ops.metrics import METRICS
from bot.privacy.access_log import AccessLog
from bot.voice import clip_card
from bot.voice.local_files import TranscribeFile, TranscriptionOrder
from handlers.slack.deliveries import SIGNATURE, TIMESTAMP, Deliveries

log = logging.getLogger(__name__)

EVENTS_PATH = "/slack/events"
# Seconds since 1970. More digits are no time, and Bolt falls over some of them.
STAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
# What is taken in. Slack's largest deliveries are far below this; anything larger is not Slack's.
BODY_LIMIT_BYTES = 1024 * 1024
# Slack sends a delivery at once; who takes longer to ask, or to ask again, holds a connection for nothing.
READ_DEADLINE_S = 10.0
TOO_LARGE = 431  # of headers, or of the first line. Source: RFC 6585

# Takes a file of this machine in; how far it is, and at the end what became of it.
AddLocalFile = Callable[[LocalFile], AsyncIterator[dict[str, Any]]]
Problems = Callable[[], Awaitable[list[str]]]


def add_events(server: web.Application, deliveries: Deliveries) -> None:
    """Takes Slack's deliveries at EVENTS_PATH."""

    async def receive(request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(READ_DEADLINE_S):
                raw = await request.read()
        except TimeoutError:
            return web.Response(status=408)
        except (ConnectionError, web.RequestPayloadError):  # it broke off, and nobody waits for an answer
            return web.Response(status=400)
        if not is_stamped(request):
            return web.Response(status=401)
        body = read_body(raw, request.content_type)
        answer = None if body is None else await deliveries.answer_http(request, *body)
        if answer is None:
            return web.Response(status=400, text="not a delivery of Slack's")
        return answer

    server.router.add_post(EVENTS_PATH, receive)


class TerseRequests(web.RequestHandler):
    """What nobody can make sense of gets a status, and the log a line, without repeating what was sent."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Implements what the server does about a request that cannot be read, or failed."""
        if status >= 500:
            log.error("a request failed", exc_info=exc)
        else:
            log.info("a request that cannot be read: %s", type(exc).__name__)
        status = TOO_LARGE if status == 400 and _is_about_size(exc) else status
        answer = web.Response(status=status, text=f"{status}\n")
        answer.force_close()
        return answer


class TerseRunner(web.AppRunner):
    """Runs a server that answers by `TerseRequests`."""

    @property
    def server(self) -> Any:
        """What makes the protocol of each connection."""
        made = super().server
        return made and partial(_make_terse, made)


def _make_terse(make: Callable[[], web.RequestHandler]) -> web.RequestHandler:
    handler = make()
    handler.__class__ = TerseRequests  # the server makes its own class and takes no other
    return handler


def _is_about_size(exc: BaseException | None) -> bool:
    return isinstance(exc, LineTooLong) or (
        isinstance(exc, BadHttpMessage) and "too many headers" in exc.message.lower()
    )


def describe(error: OSError) -> str:
    """What the system says; asyncio puts the address before it."""
    if isinstance(error, socket.gaierror):  # whose numbers are not the system's
        return error.strerror or str(error)
    return os.strerror(error.errno) if error.errno else str(error)


def is_stamped(request: web.Request) -> bool:
    """Whether it says once when it was signed, as a time can be, with one signature."""
    stamps = request.headers.getall(TIMESTAMP, [])
    signatures = request.headers.getall(SIGNATURE, [])
    return len(stamps) == len(signatures) == 1 and STAMP.fullmatch(stamps[0]) is not None


def read_body(raw: bytes, kind: str) -> tuple[str, Any] | None:
    """The body, when it is one that Bolt can read without falling over: JSON, or a form, perhaps with JSON
    in it, that is an object whose event or view, if it has one, is an object too. With it the object, where
    the body is JSON, else None."""
    try:
        body = raw.decode()
        if kind == "application/json" or body.startswith("{"):
            value = orjson.loads(body)
            return (body, value) if _has_right_shape(value) else None
        read = [orjson.loads(text) for text in parse_qs(body, True).get("payload") or ()]
    except ValueError:
        return None
    return (body, None) if all(map(_has_right_shape, read)) else None


def _has_right_shape(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    return isinstance(value.get("event", {}), dict) and isinstance(value.get("view"), dict | None)


def ops_app(problems: Problems, measure: Callable[[], Awaitable[None]]) -> web.Application:
    """The operator's server. `problems` lists why the bot is not ready; `measure` brings gauges up to
    date."""

    async def livez(_: web.Request) -> web.Response:
        return web.Response(text="alive\n")

    async def readyz(_: web.Request) -> web.Response:
        found = await problems()
        return web.Response(status=503 if found else 200, text="\n".join(found or ["ready"]) + "\n")

    async def metrics(_: web.Request) -> web.Response:
        await measure()
        return web.Response(text=METRICS.render(), content_type="text/plain")

    server = web.Application()
    server.router.add_get("/livez", livez)
    server.router.add_get("/readyz", readyz)
    server.router.add_get("/metrics", metrics)
    return server


def control_app(
    inbox: Inbox,
    retain: Callable[[], Awaitable[object]],
    forget: Callable[[str, str], Awaitable[object]],
    *,
    transcribe_file: TranscribeFile,
    add_document: AddLocalFile,
    access_log: AccessLog,
    problems: Problems,
) -> web.Application:
    """What commands ask of the running bot, over its own socket (bot/ops/control_socket.py)."""

    async def change(request: web.Request) -> web.Response:
        act = inbox.replay if request.match_info["action"] == "replay" else inbox.discard
        try:
            await act(int(request.match_info["seq"]))
        except Missing as exc:
            return web.Response(status=404, text=str(exc))
        return web.Response(text="done\n")

    async def erase(_: web.Request) -> web.Response:
        await retain()
        return web.Response(text="done\n")

    async def forgotten(request: web.Request) -> web.Response:
        await forget(request.match_info["team"], request.match_info["person"])
        return web.Response(text="done\n")

    async def ready(_: web.Request) -> web.Response:
        return web.json_response({"problems": await problems()})

    async def looked(request: web.Request) -> web.Response:
        entry = await request.json()
        access_log.note(entry["team"], "", entry["about"], entry["scope"])
        return web.Response(text="done\n")

    async def transcribe(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        async for line in stream_transcription(TranscriptionOrder(**await request.json()), transcribe_file):
            await answer.write(orjson.dumps(line) + b"\n")
        return answer

    async def add(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        async for line in add_document(LocalFile(**await request.json())):
            await answer.write(orjson.dumps(line) + b"\n")
        return answer

    server = web.Application()
    server.router.add_post("/transcribe", transcribe)
    server.router.add_post("/knowledge", add)
    server.router.add_post("/health", ready)
    server.router.add_post("/retention", erase)
    server.router.add_post("/looked", looked)
    server.router.add_post("/forget/{team}/{person}", forgotten)
    server.router.add_post(r"/inbox/{seq:\d+}/{action:replay|discard}", change)
    return server


async def stream_transcription(
    order: TranscriptionOrder, transcribe: TranscribeFile
) -> AsyncIterator[dict[str, Any]]:
    """Progress of a transcription, as often as it changes, and at the end the card or the problem."""
    lines: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def work() -> None:
        found = await transcribe(
            order, lambda done, total: lines.put_nowait({"done_s": done, "total_s": total})
        )
        lines.put_nowait(
            {"problem": found} if isinstance(found, str) else {"card": clip_card.dump_card(found)}
        )

    task = asyncio.create_task(work())
    task.add_done_callback(lambda _: lines.put_nowait({}))
    try:
        while line := await lines.get():
            yield line
        await task
    finally:
        task.cancel()


@asynccontextmanager
async def serve_control(server: web.Application, path: Path) -> AsyncIterator[None]:
    """Serves on a Unix socket that only this user may open; one that is there already is replaced."""
    path.unlink(missing_ok=True)
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    own = 0
    try:
        await web.UnixSite(runner, str(path)).start()
        path.chmod(0o600)
        own = path.stat().st_ino
        yield
    finally:
        await runner.cleanup()
        if path.exists() and path.stat().st_ino == own:  # else a newer process listens there
            path.unlink()


@asynccontextmanager
async def serve_http(
    server: web.Application, host: str, port: int, *, or_any: bool = False
) -> AsyncIterator[int]:
    """Serves until the block ends; yields the port, which is a free one when 0 was asked for.

    SetupError when the address cannot be bound; `or_any`: a port that is taken is replaced by a free one.
    """
    runner = TerseRunner(
        server,
        access_log=None,
        shutdown_timeout=1.0,
        keepalive_timeout=READ_DEADLINE_S,
        lingering_time=0.0,
        auto_decompress=False,  # Slack compresses nothing; what somebody else did is no signed body
    )
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as exc:
            if not or_any or exc.errno != errno.EADDRINUSE:
                raise SetupError([f"cannot listen on {host}, port {port}: {describe(exc)}"]) from exc
            log.error("port %d of %s is taken; a free one is used instead", port, host)
            await web.TCPSite(runner, host, 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
