"""Carries bytes to and from the model API: the SDK's client, its uploads, and streams as JSON texts.

Of the SDK we use addresses, keys, uploads and error classes, not its models: an object per chunk costs ten
times what reading it does, and resources that nobody touches are never loaded. Importing it costs half of the
CPU of a start, so that waits until the process is ready, or for the first request.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import orjson

from bot.core.errors import SetupError
from bot.core.settings import Settings
from bot.provider.error_table import NotAnAnswer, to_provider_error
from bot.provider.model_hosts import ModelHosts, find_host_problems, model_url
from bot.provider.reported_usage import header_of
from bot.provider.sse import EventParser
from bot.provider.stream_deadline import StreamDeadline

if TYPE_CHECKING:
    import httpx2
    from openai import AsyncOpenAI

CONNECT_S = 5.0
# Connections are held while an answer streams; more than this many at once are a fault, not a load.
MAX_CONNECTIONS, MAX_IDLE, IDLE_S = 1000, 100, 30.0
DRAIN_S = 0.1  # for the end of a response after its last event, so that the connection can be used again
DONE = b"[DONE]"

NO_HEADERS: Mapping[str, str] = {}

Upload = tuple[str, bytes]


class Transport:
    """One model API at one address. Its methods raise what the SDK raises."""

    def __init__(self, settings: Settings) -> None:
        """SetupError when the SDK is not installed, or words must not go to the address."""
        if find_spec("openai") is None:
            raise SetupError(["the package openai is not installed"])
        if problems := find_host_problems(settings):
            raise SetupError(problems)
        self.address = model_url(settings)
        self._hosts = ModelHosts.of(settings)
        self._key = settings.openai_api_key or "none"  # a server on one's own machine may want none
        self._client: AsyncOpenAI | None = None
        self._loading = asyncio.Lock()

    async def load(self) -> AsyncOpenAI:
        """The SDK's client; at first it is made in a thread, where its import does not stop the loop."""
        async with self._loading:
            if self._client is None:
                self._client = await asyncio.to_thread(_new_client, self.address, self._key, self._hosts)
            return self._client

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    async def open(
        self, path: str, body: Mapping[str, Any], *, headers: Mapping[str, str] = NO_HEADERS
    ) -> httpx2.Response:
        """The response to a JSON request, its body still to be read and then closed."""
        client = await self.load()
        import httpx2
        from openai import AsyncStream

        return await client.post(
            path,
            cast_to=httpx2.Response,
            body=body,
            options={"headers": dict(headers)},
            stream=True,
            stream_cls=AsyncStream[Any],
        )  # type: ignore[return-value]  # with this cast_to the SDK returns the response itself

    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        upload: Upload | None = None,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> Any:
        """The answer in one piece: JSON, or `{"text": …}` of one that is plain text. What a gateway says in a
        header that it billed stands in its usage."""
        client = await self.load()
        import httpx2

        if upload is None:
            response = await client.post(
                path, cast_to=httpx2.Response, body=body, options={"headers": dict(headers)}
            )
        else:
            response = await client.post(
                path,
                cast_to=httpx2.Response,
                body=body,
                files=[("file", upload)],
                options={"headers": {**headers, "Content-Type": "multipart/form-data"}},
            )
        return _add_cost(_read_json(response), header_of(response.headers))

    async def get(self, path: str) -> Any:
        client = await self.load()
        import httpx2

        return _read_json(await client.get(path, cast_to=httpx2.Response))


def _new_client(address: str, key: str, hosts: ModelHosts) -> AsyncOpenAI:
    import httpx2
    from openai import AsyncOpenAI, DefaultAioHttpClient

    async def require_host(request: httpx2.Request) -> None:  # of every request, those of redirects too
        await hosts.require(str(request.url))

    # No timeout on reading: bot/provider/stream_deadline.py has one timer per stream, this one would be set
    # per chunk.
    timeout = httpx2.Timeout(None, connect=CONNECT_S)
    limits = httpx2.Limits(
        max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_IDLE, keepalive_expiry=IDLE_S
    )
    return AsyncOpenAI(
        api_key=key,
        base_url=address,
        max_retries=0,  # our own policy counts each request
        timeout=timeout,
        http_client=DefaultAioHttpClient(
            timeout=timeout, limits=limits, event_hooks={"request": [require_host]}
        ),
    )


def _read_json(response: httpx2.Response) -> Any:
    kind = _content_type(response)
    if "json" in kind:
        return orjson.loads(response.content)
    if "html" in kind:
        raise NotAnAnswer(kind)
    return {"text": response.text}


def _add_cost(answer: Any, cost: str) -> Any:
    """An answer with what the header says in its usage, unless that says itself what was billed."""
    if not cost or not isinstance(answer, dict) or not isinstance(usage := answer.get("usage") or {}, dict):
        return answer
    return {**answer, "usage": {"cost": cost, **usage}}


def _content_type(response: httpx2.Response) -> str:
    return str(response.headers.get("content-type", "")).lower()


async def read_events(response: httpx2.Response, deadline: StreamDeadline) -> AsyncIterator[list[bytes]]:
    """The data of the events that arrive together, as they arrive, `[DONE]` and what comes after it included.

    Of a server that ignores `stream`, the whole answer and `[DONE]`. EOFError when the stream ends without
    saying that it is done.
    """
    kind, parser = _content_type(response), EventParser()
    if "html" in kind:
        raise NotAnAnswer(kind)
    if "json" in kind:
        body = await deadline.wait(response.aread)
        # Some call a stream JSON, too.
        yield [body, DONE] if body.lstrip()[:1] in (b"{", b"[") else parser.feed(body) + parser.finish()
        return
    parts = _body_parts(response)
    while True:
        try:
            found = parser.feed(await deadline.wait(parts.__anext__))
        except StopAsyncIteration:
            break
        yield found
        if found and DONE in map(bytes.strip, found):
            async for found in _drain(parts, parser, deadline):
                yield found
            return
    left = parser.finish()
    yield left
    if DONE not in map(bytes.strip, left):
        raise EOFError("the stream ended without an end")


def _body_parts(response: httpx2.Response) -> AsyncIterator[bytes]:
    """The body as it arrives; httpx2's own iterators cost more than the parsing, so only to decompress."""
    import httpx2

    assert isinstance(response.stream, httpx2.AsyncByteStream)
    return response.aiter_bytes() if "content-encoding" in response.headers else aiter(response.stream)


async def _drain(
    parts: AsyncIterator[bytes], parser: EventParser, deadline: StreamDeadline
) -> AsyncIterator[list[bytes]]:
    """What comes after the last event: nothing, or what was used."""
    deadline.expect(DRAIN_S)
    with contextlib.suppress(Exception):
        while True:
            yield parser.feed(await deadline.wait(parts.__anext__))


async def list_models(settings: Settings) -> list[dict[str, Any]]:
    """The models of the API, each with `id` and perhaps `shutdown_date`; raises ProviderError."""
    transport = Transport(settings)
    try:
        return await read_models(transport)
    finally:
        await transport.close()


async def read_models(transport: Transport) -> list[dict[str, Any]]:
    """The same over a connection that is there."""
    try:
        return list((await transport.get("/models"))["data"])
    except Exception as exc:
        raise to_provider_error(exc) from exc
