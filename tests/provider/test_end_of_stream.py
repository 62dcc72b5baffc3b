"""A stream that said its last word has ended, whatever its server does with the line."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from bot.sandbox.model.server import FakeModel
from tests.support.model_api import open_bench

EVENTS = (
    {"type": "response.created", "response": {"id": "r", "object": "response", "status": "in_progress"}},
    {"type": "response.output_text.delta", "delta": "Paris."},
    {
        "type": "response.completed",
        "response": {
            "id": "r",
            "object": "response",
            "status": "completed",
            "usage": {"input_tokens": 7, "output_tokens": 2, "total_tokens": 9},
        },
    },
)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("end", ["held", "cut", "regular"])
async def test_a_response_that_is_completed_is_whole_and_no_breakage(
    tmp_path: Path, end: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in EVENTS)
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"%x\r\n%b\r\n" % (len(body), body) + (b"0\r\n\r\n" if end == "regular" else b""))
        await writer.drain()
        if end == "held":
            await over.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        address = f"http://127.0.0.1:{port}/v1"
        async with (
            FakeModel() as nobody,
            open_bench(
                tmp_path, model=nobody, unseen=1, style="responses", stall_s=30.0, openai_base_url=address
            ) as bench,
        ):
            async with asyncio.timeout(10):
                completion = await bench.ask()
        over.set()
    assert (completion.text, completion.finish) == ("Paris.", "stop")
    assert completion.usage.output_tokens == 2
    assert "broke" not in caplog.text
