"""Carries bytes to and from the model API: the SDK's client, and a connection pool of our own for streams.

Of the SDK we use addresses, keys, headers, uploads and errors, not its models: an object per chunk costs ten
times what reading it does, and resources that nobody touches are never loaded. Requests for text, which are
nearly all, pass by its layers, which cost more than the request. Importing it costs half of the CPU of a
start, so that waits until the process is ready, or for the first request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson

from bot.core.errors import SetupError
from bot.core.proxies import find_proxy
from bot.core.settings import Settings
from bot.provider.error_table import NotAnAnswer, to_provider_error
from bot.provider.model_hosts import ModelHosts, find_host_problems, model_url
from bot.provider.reported_usage import header_of
from bot.provider.streamed_answer import StreamedAnswer

if TYPE_CHECKING:
    import ssl

    import httpx2
    from openai import AsyncOpenAI

CONNECT_S = 5.0
# Connections are held while an answer streams; more than this many at once are a fault, not a load.
MAX_CONNECTIONS, MAX_IDLE, IDLE_S = 1000, 100, 30.0

NO_HEADERS: Mapping[str, str] = {}

Upload = tuple[str, bytes]


class Transport:
    """One model API at one address. Its methods raise what the SDK and aiohttp raise."""

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
        self._pool: aiohttp.ClientSession | None = None
        self._loading = asyncio.Lock()

    async def load(self) -> AsyncOpenAI:
        """The SDK's client; at first it is made in a thread, where its import does not stop the loop."""
        async with self._loading:
            if self._client is None:
                client, trusted = await asyncio.to_thread(_new_client, self.address, self._key, self._hosts)
                self._pool = _open_pool(client, trusted, self._hosts)
                self._client = client
            return self._client

    async def close(self) -> None:
        if self._client is not None and self._pool is not None:
            await self._client.close()
            await self._pool.close()

    async def open(
        self, path: str, body: Mapping[str, Any], *, headers: Mapping[str, str] = NO_HEADERS
    ) -> StreamedAnswer:
        """The response to a JSON request, its body still to be read and then closed."""
        client = self._client or await self.load()
        assert self._pool is not None
        response = await self._pool.post(
            f"{client.base_url}{path.lstrip('/')}", data=orjson.dumps(body), headers=headers
        )
        if not 200 <= response.status < 300:
            raise await _read_error(client, response)
        return StreamedAnswer(response)

    async def post(
        self,
        path: str,
        body: Mapping[str, Any],
        upload: Upload | None = None,
        *,
        headers: Mapping[str, str] = NO_HEADERS,
        note_headers: Callable[[Mapping[str, str]], None] | None = None,
    ) -> Any:
        """The answer in one piece: JSON, or `{"text": …}` of one that is plain text. What a gateway says in a
        header that it billed stands in its usage. `note_headers` gets those of the response."""
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
        if note_headers:
            note_headers(response.headers)
        return _add_cost(_read_json(response), header_of(response.headers))

    async def get(self, path: str) -> Any:
        client = await self.load()
        import httpx2

        return _read_json(await client.get(path, cast_to=httpx2.Response))


def _new_client(address: str, key: str, hosts: ModelHosts) -> tuple[AsyncOpenAI, ssl.SSLContext]:
    """The SDK's client, and the authorities it trusts."""
    import httpx2
    from openai import AsyncOpenAI, DefaultAioHttpClient

    async def require_host(request: httpx2.Request) -> None:  # of every request, those of redirects too
        await hosts.require(str(request.url))

    trusted = httpx2.create_ssl_context()
    timeout = httpx2.Timeout(None, connect=CONNECT_S)
    limits = httpx2.Limits(
        max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_IDLE, keepalive_expiry=IDLE_S
    )
    client = AsyncOpenAI(
        api_key=key,
        base_url=address,
        max_retries=0,  # our own policy counts each request
        timeout=timeout,
        http_client=DefaultAioHttpClient(
            timeout=timeout, limits=limits, event_hooks={"request": [require_host]}, verify=trusted
        ),
    )
    return client, trusted


def _open_pool(client: AsyncOpenAI, trusted: ssl.SSLContext, hosts: ModelHosts) -> aiohttp.ClientSession:
    """Connections for requests such as the SDK would make."""

    async def require_host(
        request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:  # of every request, those of redirects too
        await hosts.require(str(request.url))
        return await send(request)

    given = {**client.auth_headers, **client.default_headers}
    return aiohttp.ClientSession(
        headers={name: value for name, value in given.items() if isinstance(value, str)},
        connector=aiohttp.TCPConnector(limit=MAX_CONNECTIONS, keepalive_timeout=IDLE_S, ssl=trusted),
        # None on reading: bot/provider/stream_deadline.py has one timer per stream, this one would be set per
        # chunk.
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=find_proxy(str(client.base_url), any_scheme=True),
        middlewares=[require_host],
    )


async def _read_error(client: AsyncOpenAI, response: aiohttp.ClientResponse) -> Exception:
    """The SDK's error for a status that is none of success."""
    import httpx2

    async with response:
        body = await response.read()
    told = httpx2.Response(
        response.status,
        headers=[pair for pair in response.headers.items() if pair[0].lower() != "content-encoding"],
        content=body,
        request=httpx2.Request("POST", str(response.url)),
    )
    return client._make_status_error_from_response(told)


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
