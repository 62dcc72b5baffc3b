"""The benchmarks that start processes of their own run; their figures are `make bench`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import age, expiry, replies, voice
from tests.support.audio_files import encode

pytestmark = [pytest.mark.process, pytest.mark.timeout(200)]


@pytest.mark.slow
async def test_one_more_turn_in_a_thread_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(age, "REPLIES", 1)
    cpu_ms, wall_ms = await age.measured(4, 10)
    assert cpu_ms >= 0
    assert wall_ms > 0


@pytest.mark.slow
async def test_what_is_written_for_a_message_that_is_due_is_measured(tmp_path: Path) -> None:
    assert expiry.fill(tmp_path / "parley.db", 30) > 0
    load = await expiry.measure(tmp_path / "parley.db", keep_days=30, seconds=0)
    assert await expiry.count_due(f"sqlite:///{tmp_path}/parley.db") == 0
    assert load.written_mb >= 0
    assert len(load.ack_ms) >= len(load.answer_ms) > 0


@pytest.mark.slow
async def test_a_reply_is_measured() -> None:
    run = await replies.measure("parley", replies=2)
    assert len(run.words_ms[20]) == 2
    assert run.calls
    assert len(run.ack_ms) >= 2


def test_the_memory_of_decoding_is_measured(tmp_path: Path) -> None:
    path = encode(voice.talk(0.02), tmp_path / "talk.wav", "wav")
    assert voice.peak_mb(path, voice.SPLIT) > 1
