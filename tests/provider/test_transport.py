"""Streams on connections of our own: the same requests and errors as the SDK's, and reading by steps."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.core.errors import Credentials, ProviderError, Refused
from bot.provider.streamed_answer import AT_ONCE_S, LATER_S, LATER_STEP_S, STEP_S, ReadingPace, StreamedAnswer
from bot.sandbox.model.server import FakeModel
from tests.support.model_api import Bench, open_bench
from tests.support.throwaway_server import Answer, throwaway_server
from tests.support.virtual_time import now, run

SAID = b'data: {"choices": [{"delta": {"content": "Paris."}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


@contextlib.asynccontextmanager
async def served(path: Path, answer: Answer, requests: int = 1, **settings: Any) -> AsyncIterator[Bench]:
    async with throwaway_server(answer) as here, FakeModel() as nobody:
        given = {"openai_base_url": f"{here}/v1", "style": "chat"} | settings
        async with open_bench(path, model=nobody, unseen=requests, **given) as bench:
            yield bench


def stream(body: bytes = SAID, **headers: str) -> web.Response:
    return web.Response(body=body, headers={"Content-Type": "text/event-stream", **headers})


def without(headers: dict[str, str], names: set[str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in names}


async def test_a_stream_is_asked_for_with_the_headers_of_the_sdk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = list[dict[str, str]]()

    async def answer(request: web.Request) -> web.Response:
        seen.append({name.lower(): value for name, value in request.headers.items()})
        return stream() if "chat" in request.path else web.json_response({"data": []})

    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-1")
    async with served(tmp_path, answer) as bench:
        assert (await bench.ask()).text == "Paris."
        with contextlib.suppress(ProviderError):
            await bench.provider.list_models()
    streamed, listed = seen
    assert streamed["openai-organization"] == "org-1"
    of_the_line = {
        "connection",
        "accept-encoding",
        "content-length",
        "content-type",
        "x-stainless-retry-count",
    }
    assert without(streamed, of_the_line) == without(listed, of_the_line)


@pytest.mark.parametrize("status", [307, 308])
async def test_a_redirect_to_a_host_that_is_allowed_is_followed(tmp_path: Path, status: int) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path.startswith("/v1"):
            return web.Response(status=status, headers={"Location": "/new" + request.path})
        assert "France" in await request.text()
        return stream()

    async with served(tmp_path, answer) as bench:
        assert (await bench.ask()).text == "Paris."


@pytest.mark.parametrize("status", [300, 304])
async def test_a_redirect_to_nowhere_is_refused(tmp_path: Path, status: int) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status)

    async with served(tmp_path, answer) as bench:
        with pytest.raises(Refused):
            await bench.ask()


async def test_what_is_compressed_is_read_as_if_it_were_not(tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        return stream(gzip.compress(SAID), **{"Content-Encoding": "gzip"})

    async with served(tmp_path, answer) as bench:
        assert (await bench.ask()).text == "Paris."


async def test_a_compressed_refusal_says_what_is_refused(tmp_path: Path) -> None:
    body = gzip.compress(b'{"error": {"message": "no", "code": "invalid_api_key"}}')

    async def answer(request: web.Request) -> web.Response:
        headers = {"content-encoding": "gzip", "Content-Type": "application/json"}
        return web.Response(status=401, body=body, headers=headers)

    async with served(tmp_path, answer) as bench:
        with pytest.raises(Credentials, match="AuthenticationError invalid_api_key"):
            await bench.ask()


async def test_a_stream_goes_through_the_proxy_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = list[str]()

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Proxy-Authorization", ""))
        return stream()

    async with throwaway_server(answer) as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.replace("//", "//us:er@"))
        for direct in ("", "127.0.0.1"):
            monkeypatch.setenv("NO_PROXY", direct)
            (path := tmp_path / f"without {direct}").mkdir()
            async with served(path, answer) as bench:
                assert (await bench.ask()).text == "Paris."
    assert seen == ["Basic dXM6ZXI=", ""]


async def test_a_long_answer_is_read_in_steps_once_it_has_begun(tmp_path: Path) -> None:
    words = [f"word{number} " for number in range(400)]
    async with FakeModel(tokens_per_s=400) as model, open_bench(tmp_path, model=model) as bench:
        model.script("".join(words))
        parts = [part async for part in bench.stream()]
    assert "".join(parts) == "".join(words)
    assert parts[0].startswith(words[0].strip())
    assert len(parts) < len(words) / 2


def test_the_beginning_of_an_answer_is_read_as_it_comes_and_the_rest_in_steps() -> None:
    async def read() -> None:
        pace = ReadingPace()
        assert pace.pause_s() == 0, "nothing was said yet"
        pace.begin()
        assert pace.pause_s() == 0
        await asyncio.sleep(AT_ONCE_S)
        assert 0 < pace.pause_s() <= STEP_S
        await asyncio.sleep(LATER_S - now() + STEP_S / 2)
        assert STEP_S / 2 < pace.pause_s() <= LATER_STEP_S

    run(read())


async def test_an_answer_that_rests_ends_at_once(tmp_path: Path) -> None:
    closed = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"data: x\n\n")
                await asyncio.sleep(0.01)
        finally:
            closed.set()

    async with throwaway_server(answer) as here, aiohttp.ClientSession() as session:
        streamed = StreamedAnswer(await session.get(here))
        assert await streamed.read_some()
        resting = asyncio.create_task(streamed.rest(3600))
        await asyncio.sleep(0)
        resting.cancel()
        await asyncio.wait([resting])
        assert await streamed.read_some(), "it can be read on"
        await streamed.aclose()
        await asyncio.wait_for(closed.wait(), 10)
