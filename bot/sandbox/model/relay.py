"""Passes requests on to a model that is not ours, unchanged, and keeps them to be shown.

Faults that need no knowledge of the answer can be added here as at the fake model. The key passes through
and is not kept.

    async with Relay("http://127.0.0.1:11434/v1") as relay:
        relay.base_url        # what the bot is given in its place
        relay.requests[-1]    # newest last, as the fake model keeps them
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import orjson
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, web

from bot.sandbox.model.controls import FaultRoutes
from bot.sandbox.model.exchange import BODY_LIMIT_BYTES, TEXT, ApiRequest
from bot.sandbox.model.fault_frames import REFUSALS, apply_before_answer, reset_connection
from bot.sandbox.model.faults import ModelFault, ModelFaults
from bot.sandbox.model.rules import ModelRefusal
from bot.sandbox.rehearsal.question import read_text_request

# Faults that can be made without touching what the model says.
KINDS = frozenset({*REFUSALS, "timeout", "drop", "slow", "reset", "eof", "stall"})
# Headers that belong to one connection; the answer is not packed, so that it can be read here.
_OWN = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "content-encoding"}
)
_MODEL_IN_FORM = re.compile(rb'name="model"\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]+)')


class RelayFaults(ModelFaults):
    """Those of the fake model that can be made here."""

    def add(self, kind: str, **given: Any) -> ModelFault:
        if kind not in KINDS:
            raise ValueError("only the rehearsal model can do that; a real one answers")
        return super().add(kind, **given)


class Relay:
    """The server; an async context manager."""

    def __init__(self, upstream: str, *, host: str = "127.0.0.1", keep: int = 500) -> None:
        self.upstream = upstream.rstrip("/")
        self.host, self.port = host, 0
        self.faults = RelayFaults()
        self.requests: deque[ApiRequest] = deque(maxlen=keep)
        self._numbers = itertools.count(1)

    @property
    def base_url(self) -> str:
        return f"http://{self.host}:{self.port}/v1"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=BODY_LIMIT_BYTES)
        app.router.add_route("*", "/v1/{path:.+}", self._forward)
        FaultRoutes(self).add_to(app)
        self._runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.host, 0).start()
        self.port = self._runner.addresses[0][1]
        self._session = ClientSession(timeout=ClientTimeout(total=None, connect=10), trust_env=True)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()
        await self._runner.cleanup()

    def reset(self) -> None:
        """Forget faults and requests."""
        self.faults.clear()
        self.requests.clear()

    async def _forward(self, http: web.Request) -> web.StreamResponse:
        path, raw = http.match_info["path"], await http.read()
        record = ApiRequest(next(self._numbers), time.time(), path, _read_body(http, raw), {})
        if http.method == "POST":
            self.requests.append(record)
        if path in TEXT:
            record.prompt = read_text_request(path, record.body).prompt
        fault = self.faults.take(path, str(record.body.get("model", "")))
        try:
            if fault:
                record.outcome = fault.kind
                await apply_before_answer(http, fault)
            return await self._ask_upstream(http, raw, record, fault)
        except ModelRefusal as refusal:
            record.status = refusal.status
            return web.json_response({"error": refusal.error}, status=refusal.status, headers=refusal.headers)
        except (ClientError, TimeoutError) as problem:
            record.status, record.outcome = 502, "unreachable"
            return web.json_response({"error": {"message": str(problem)}}, status=502)
        except (asyncio.CancelledError, ConnectionResetError):  # the asker left
            record.outcome = record.outcome or "disconnected"
            raise
        finally:
            record.ended_at = time.time()
            record.outcome = record.outcome or "answered"

    async def _ask_upstream(
        self, http: web.Request, raw: bytes, record: ApiRequest, fault: ModelFault | None
    ) -> web.StreamResponse:
        headers = {name: value for name, value in http.headers.items() if name.lower() not in _OWN}
        place = f"{self.upstream}/{record.endpoint}"
        async with self._session.request(
            http.method, place, params=http.query, data=raw or None, headers=headers
        ) as answer:
            record.status = answer.status
            if answer.content_type == "text/event-stream":
                return await self._pass_stream(http, answer, record, fault)
            body = await answer.read()
            if answer.status >= 400:
                record.outcome = record.outcome or "refused"
            _note_answer(record, body)
            return web.Response(body=body, status=answer.status, headers=_headers_to_pass(answer))

    async def _pass_stream(
        self, http: web.Request, answer: ClientResponse, record: ApiRequest, fault: ModelFault | None
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=_headers_to_pass(answer))
        await response.prepare(http)
        slow = fault is not None and fault.kind == "slow"
        if fault and slow:
            await asyncio.sleep(fault.delay_s)
        async for event in _read_events(answer):
            if fault and fault.kind in ("reset", "eof", "stall") and record.chunks_sent >= fault.after_chunks:
                if fault.kind == "stall":
                    await asyncio.sleep(fault.delay_s or 3600)
                if fault.kind != "eof":
                    reset_connection(http)
                return response
            _note_answer(record, event.removeprefix(b"data:").strip())
            await response.write(event + b"\n\n")
            record.chunks_sent += 1
            record.first_token_at = record.first_token_at or time.time()
            if fault and slow:
                await asyncio.sleep(1 / float(fault.value or 5))
        return response


def _headers_to_pass(answer: ClientResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.lower() not in _OWN}


def _read_body(http: web.Request, raw: bytes) -> dict[str, Any]:
    """The request's JSON; of a form with a file the model and the size."""
    if http.content_type.startswith("multipart/"):
        named = _MODEL_IN_FORM.search(raw)
        return {"model": named[1].decode() if named else "", "form": f"{len(raw)} bytes"}
    try:
        read = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return read if isinstance(read, dict) else {}


async def _read_events(answer: ClientResponse) -> Any:
    """Server-sent events, each as it came, without the empty line at its end."""
    rest = b""
    async for chunk in answer.content.iter_any():
        *whole, rest = (rest + chunk).replace(b"\r\n", b"\n").split(b"\n\n")
        for event in whole:
            yield event
    if rest.strip():
        yield rest


def _note_answer(record: ApiRequest, body: bytes) -> None:
    """Adds what an answer, or one event of it, says to what is known of the request."""
    try:
        content = orjson.loads(body[body.find(b"{") :])
    except orjson.JSONDecodeError:
        return
    record.text += "".join(_find_texts(content))
    used = content.get("usage") or (content.get("response") or {}).get("usage")
    if isinstance(used, dict):
        record.usage = used


def _find_texts(content: dict[str, Any]) -> Iterator[str]:
    """The words in an answer or an event, of any of the endpoints."""
    for choice in content.get("choices") or ():
        part = choice.get("delta") or choice.get("message") or {}
        yield part.get("content") or choice.get("text") or ""
    if content.get("type") == "response.output_text.delta":
        yield content["delta"]
    if content.get("object") == "response":
        yield from (
            part.get("text", "") for item in content.get("output") or () for part in item.get("content") or ()
        )
    if "type" not in content and isinstance(content.get("text"), str):  # a transcription
        yield content["text"]
