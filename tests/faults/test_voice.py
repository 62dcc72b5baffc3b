"""Recordings in the fault table: files that Slack does not give, nothing to hear, decoders that die.

After each of them the promises of tests/support/promises.py hold, cards and requests for speech among them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.rehearsal.recordings import RecognisedSpeech
from bot.sandbox.slack.people.acts import FileUpload
from bot.voice import decoding
from tests.support.audio_files import silence, wav
from tests.support.clips import (
    PATIENCE_S,
    TONE_RECOGNITION,
    answered,
    cards,
    clip,
    drop,
    file,
    speech_requests,
)
from tests.support.promises import kept
from tests.support.waiting import until
from tests.support.workspace import Workspace, workspace

pytest.importorskip("av")
HELLO = range(10, 16)
ANSWER = "Understood."
UNREAD = "Slack does not let me read it"


def speaking(team: Workspace) -> None:
    team.model.script(ANSWER, times=0)


# Row 22: the file's address


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"html": True}, UNREAD),
        ({"status": 302, "location": "https://evil.example/"}, UNREAD),
        ({"status": 403}, "does not show"),
        ({"status": 404}, "not there any more"),
        ({"status": 410}, "not there any more"),
    ],
    ids=["sign-in page", "redirect", "forbidden", "not found", "gone"],
)
async def test_row_22_a_file_that_is_not_given_is_told_and_the_words_beside_it_are_answered(
    tmp_path: Path, fault: dict[str, Any], why: str
) -> None:
    async with workspace(tmp_path, model=TONE_RECOGNITION) as team:
        speaking(team)
        team.slack.faults.add("files.download", times=9, **fault)
        thread = await drop(team, clip(HELLO, tmp_path), text="@parley hello")
        await answered(team, thread)
        assert await kept(team) == [ANSWER]
        assert why in str(team.replies("#general", thread)[-1]["blocks"])
        assert not speech_requests(team)
        assert "DOCTYPE" not in team.model.requests[-1].prompt


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 429}, {"lose_response": True, "times": 3}], ids=str
)
async def test_row_22_trouble_at_the_file_host_delays_the_answer_and_the_clip_is_heard_once(
    tmp_path: Path, fault: dict[str, Any]
) -> None:
    async with workspace(tmp_path, model=TONE_RECOGNITION) as team:
        speaking(team)
        team.slack.faults.add("files.download", **fault)
        await drop(team, clip(HELLO, tmp_path))
        await until(lambda: speech_requests(team), PATIENCE_S)
        assert await kept(team) == [ANSWER]
        assert len(speech_requests(team)) == 1


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"size": 100}, "larger than I take"),
        ({"mode": "tombstone", "url_private": "", "url_private_download": ""}, "not there any more"),
        ({"mode": "external", "url_private": "https://evil.example/x", "url_private_download": ""}, "Slack"),
    ],
    ids=["larger than announced", "deleted", "kept elsewhere"],
)
async def test_row_22_a_file_that_is_not_what_was_announced_is_told(
    tmp_path: Path, more: dict[str, Any], why: str
) -> None:
    async with workspace(tmp_path, model=TONE_RECOGNITION, PARLEY_FILE_LIMIT_MB="1") as team:
        speaking(team)
        large = FileUpload("clip.m4a", bytes(1_500_000), voice=True, duration_s=1.0, more=more)
        thread = await drop(team, large, text="@parley hello")
        await answered(team, thread)
        assert await kept(team) == [ANSWER]
        assert why in str(team.replies("#general", thread)[-1]["blocks"])
        assert not speech_requests(team)


async def test_row_12_a_card_that_has_to_wait_for_its_channel_is_shown_once(tmp_path: Path) -> None:
    async with workspace(tmp_path, model=TONE_RECOGNITION) as team:
        speaking(team)
        team.slack.faults.add("chat.postMessage", status=429, retry_after_s=2)
        thread = await drop(team, clip(HELLO, tmp_path))
        await answered(team, thread)
        assert await kept(team) == [ANSWER]
        assert len(speech_requests(team)) == len(cards(team, thread)) == 1


async def test_row_22_a_promise_of_a_file_is_asked_for_and_heard(tmp_path: Path) -> None:
    async with workspace(tmp_path, model=TONE_RECOGNITION) as team:
        speaking(team)
        thread = await drop(team, clip(HELLO, tmp_path, file_access="check_file_info"))
        await answered(team, thread)
        assert await kept(team) == [ANSWER]
        assert len(speech_requests(team)) == len(cards(team, thread)) == 1


# Row 40: nothing to hear


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (file("quiet.wav", wav(silence(3))), "I heard nothing in quiet.wav"),
        (file("empty.wav", wav(silence(0))), "empty.wav"),
        (file("none.mp3", b""), "none.mp3"),
        (file("letter.mp3", b"%PDF-1.7 no sound at all"), "it is not a recording"),
        (file("cut.m4a", b"\x00\x00\x00\x20ftypM4A " + bytes(500)), "cut.m4a"),
        (file("large.wav", wav(silence(70))), "larger than I take"),
    ],
    ids=["silence", "no sound", "no bytes", "wrong type", "cut off", "too large"],
)
async def test_row_40_what_cannot_be_heard_is_told_and_nothing_is_paid(
    tmp_path: Path, given: FileUpload, why: str
) -> None:
    async with workspace(tmp_path, model=TONE_RECOGNITION, PARLEY_FILE_LIMIT_MB="1") as team:
        thread = await drop(team, given)
        await answered(team, thread)
        (said,) = await kept(team)
        assert why in said + str(team.replies("#general", thread)[-1]["blocks"])
        assert not team.model.requests


async def test_row_40_words_made_up_for_silence_are_nobodys(tmp_path: Path) -> None:
    made_up = RecognisedSpeech("Thank you for watching! Please subscribe.", "en", "", 3.0)
    async with workspace(tmp_path, model={"recognise": lambda recording: made_up}) as team:
        thread = await drop(team, file("quiet.wav", wav(silence(3))))
        await answered(team, thread)
        assert "subscribe" not in str(await kept(team))
        assert not team.model.requests


@pytest.mark.parametrize("fault", ["server_error", "rate_limit", "drop", "timeout"])
async def test_row_40_a_speech_model_that_fails_once_is_asked_again(tmp_path: Path, fault: str) -> None:
    async with workspace(tmp_path, model=TONE_RECOGNITION, PARLEY_REQUEST_DEADLINE_S="2") as team:
        speaking(team)
        team.model.faults.add(fault, endpoint="audio/transcriptions")
        thread = await drop(team, clip(HELLO, tmp_path))
        await answered(team, thread)
        assert await kept(team) == [ANSWER]
        assert len(speech_requests(team)) == 2
        assert len(cards(team, thread)) == 1


# Rows 50 and 51: the decoder


def decoders() -> Iterator[int]:
    """Process ids of decoders at work."""
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            if b"decoder_process" in Path(f"/proc/{child}/cmdline").read_bytes():
                yield int(child)


async def decoder() -> int:
    await until(lambda: any(True for _ in decoders()), PATIENCE_S)
    return next(decoders())


@pytest.mark.usefixtures("started_by_itself")
async def test_row_50_while_a_recording_is_being_decoded_others_are_answered(tmp_path: Path) -> None:
    async with workspace(tmp_path, model=TONE_RECOGNITION) as team:
        speaking(team)
        slow = await drop(team, clip(range(100), tmp_path))
        busy = await decoder()
        os.kill(busy, signal.SIGSTOP)
        quick = await team.ask("@parley hello", user="bob")
        assert await team.answer("#general", quick) == ANSWER
        assert not team.replies("#general", slow)
        os.kill(busy, signal.SIGCONT)
        await answered(team, slow)
        assert await kept(team) == [ANSWER] * 2


@pytest.mark.usefixtures("started_by_itself")
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP], ids=lambda s: s.name)
async def test_row_51_a_decoder_that_dies_or_hangs_costs_its_file_and_nothing_else(
    tmp_path: Path, ending: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "STALL_S", 1.0)
    async with workspace(tmp_path, model=TONE_RECOGNITION) as team:
        speaking(team)
        thread = await drop(team, clip(range(100), tmp_path), text="@parley hello")
        os.kill(await decoder(), ending)
        await answered(team, thread)
        assert await kept(team) == [ANSWER]
        assert "audio_message.m4a" in str(team.replies("#general", thread)[-1]["blocks"])
        assert not speech_requests(team)
        assert not list(decoders())
        again = await drop(team, clip(HELLO, tmp_path))
        await answered(team, again)
        assert len(await kept(team)) == 2
