"""What a process that opens somebody's file can do: read it, answer, and nothing else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from bot.core.limited_process import ProcessLimits, limited_process

LIMITS = ProcessLimits(memory_bytes=300 << 20, cpu_s=1)


async def told(tmp_path: Path, does: str = "", limits: ProcessLimits = LIMITS) -> tuple[list[Any], bool]:
    """Its lines, and whether its time was over."""
    (tmp_path / "file").write_text("what was shared")
    module = "tests.support.curious_child"
    async with limited_process(module, {"does": does}, tmp_path / "file", limits=limits) as process:
        lines = [line async for line in process.lines()]
        return lines, await process.out_of_time()


async def test_it_reads_its_file_and_has_no_network_no_programs_and_nothing_of_our_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    (found,), _ = await told(tmp_path)
    assert found["content"] == "what was shared"
    assert not [name for name in found["environment"] if "TOKEN" in name]
    assert not found["socket"]
    assert not found["kill"]
    assert not found["program"]
    if sys.platform == "linux":
        assert not found["native_socket"]
        assert not found["native_kill"]


async def test_a_program_that_it_may_start_is_all_that_is_added(tmp_path: Path) -> None:
    limits = ProcessLimits(300 << 20, 1, may_start=True)
    (found,), _ = await told(tmp_path, limits=limits)
    assert found["program"]
    assert not found["native_socket"]
    assert not found["native_kill"]


async def test_too_much_memory_is_said_too_much_time_is_known_and_a_crash_is_neither(tmp_path: Path) -> None:
    assert await told(tmp_path, "take_memory") == ([{"refused": "it needs too much memory"}], False)
    assert await told(tmp_path, "turn_forever") == ([], True)
    assert await told(tmp_path, "fall") == ([], False)
