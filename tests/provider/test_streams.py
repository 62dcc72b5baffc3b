"""Answers as many servers stream them, each through the real provider from a real HTTP server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import Overloaded
from tests.support.model_api import open_bench

CASES = sorted((Path(__file__).parents[1] / "data" / "streams").glob("*.json"))
FINISH = {
    "whole": "stop",
    "finished: unknown reason, clean end": "stop",
    "finished: a clean end without a reason": "stop",
    "cut at the template token; nothing after it is kept": "stop",
    "one odd event never costs the answer; a half pair joins with its other half": "stop",
    "usage estimated and marked": "stop",
    "marked as broken off": "broken",
    "a sentence that says a tool was wanted and none is there": "tools",
    "one more try, then a sentence": "stop",
}


def cut(sent: list[str], way: str) -> tuple[bytes, ...]:
    body = [piece.encode() for piece in sent]
    if way == "in one":
        return (b"".join(body),)
    return tuple(bytes([byte]) for byte in b"".join(body)) if way == "byte by byte" else tuple(body)


@pytest.mark.parametrize("way", ["as given", "in one", "byte by byte"])
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
async def test_what_a_server_streams_is_shown_as_it_should_be(tmp_path: Path, path: Path, way: str) -> None:
    case: dict[str, Any] = json.loads(path.read_text("utf-8"))
    async with open_bench(tmp_path) as bench:
        bench.model.script("", body=cut(case["sent"], way), times=0)
        if case["note"] == "retried, then one sentence":
            with pytest.raises(Overloaded):
                await bench.ask()
            assert len(bench.bodies) == 3
            return
        answer = bench.stream()
        parts = [part async for part in answer]
        completion = answer.completion
        assert "".join(parts) == completion.text == (case["shown"] or "")
        assert completion.finish == FINISH[case["note"]]
        assert len(bench.bodies) == (2 if case["note"].startswith("one more try") else 1)
        assert not answer.taken_back
        if case["note"].startswith("usage"):
            assert completion.usage.estimated
