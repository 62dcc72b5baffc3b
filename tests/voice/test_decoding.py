"""What becomes of a shared file before anything is sent: formats, true length, gate, parts, refusals."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import struct
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import FileTooLarge, UnsupportedFile
from bot.core.temporary import TemporarySpace
from bot.voice import decoding, loudness
from bot.voice.containers import CONTAINERS, detect_container
from bot.voice.decoding import DecodingLimits, Recording, decode_file
from tests.support.audio_files import (
    FORMATS,
    RATE,
    decode,
    encode,
    fan,
    listen,
    noise,
    say,
    silence,
    speech,
    tone,
    wav,
)
from tests.support.waiting import until

OPENAI = frozenset(FORMATS)
WANTS = DecodingLimits(containers=OPENAI, max_bytes=25 << 20, max_s=1_200, longest_s=3_600)


async def prepared(path: Path, tmp_path: Path, wants: DecodingLimits = WANTS) -> Recording:
    into = tmp_path / "parts"
    into.mkdir(exist_ok=True)
    return await decode_file(path, path.name, into, wants)


def written(tmp_path: Path, content: bytes, name: str = "clip") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("container", FORMATS)
async def test_a_short_clip_is_sent_byte_for_byte(container: str, tmp_path: Path) -> None:
    path = encode(speech(), tmp_path / "audio_message.bin", container)
    recording = await prepared(path, tmp_path)
    (part,) = recording.parts
    assert recording.unchanged
    assert part.path == path
    assert part.name == f"recording.{container}"
    assert recording.length_s == pytest.approx(2.77, abs=0.06)
    assert recording.has_sound


@pytest.mark.usefixtures("started_by_itself")
async def test_the_sound_of_a_video_clip_is_taken_without_decoding_its_pictures(tmp_path: Path) -> None:
    path = encode(speech(), tmp_path / "clip.webm", "mp4", video=True)
    recording = await prepared(path, tmp_path)
    assert recording.container == "mp4"
    assert recording.length_s == pytest.approx(2.77, abs=0.06)


@pytest.mark.usefixtures("started_by_itself")
async def test_parts_that_find_no_room_end_the_work_in_a_sentence(tmp_path: Path) -> None:
    path = encode(speech(), tmp_path / "clip", "flac")
    with TemporarySpace().folder(1) as folder:
        folder.take(999_000)
        with pytest.raises(UnsupportedFile, match="no room for it on my disk just now"):
            await decode_file(
                path, "clip", folder.path, replace(WANTS, containers=frozenset()), take_space=folder.take
            )


@pytest.mark.usefixtures("started_by_itself")
async def test_a_format_the_model_does_not_take_is_re_encoded(tmp_path: Path) -> None:
    path = encode(speech(), tmp_path / "clip", "flac")
    recording = await prepared(path, tmp_path, replace(WANTS, containers=OPENAI - {"flac"}))
    (part,) = recording.parts
    assert not recording.unchanged
    assert part.name.endswith(".webm")
    assert detect_container(part.path.read_bytes()) == "webm"
    assert len(decode(part.path.read_bytes())) / RATE == pytest.approx(2.764, abs=0.02)


async def test_a_file_over_the_size_limit_is_re_encoded_smaller(tmp_path: Path) -> None:
    path = encode(say(range(60)), tmp_path / "clip", "wav")
    recording = await prepared(path, tmp_path, replace(WANTS, max_bytes=500_000))
    assert [part.path.stat().st_size < 120_000 for part in recording.parts] == [True]
    assert [word for _, word in listen(recording.parts[0].path.read_bytes())] == [f"w{i}" for i in range(60)]


async def test_long_recordings_are_cut_in_pauses_and_nothing_is_lost(tmp_path: Path) -> None:
    path = encode(say(range(130), pause_s=0.7, pause_every=4), tmp_path / "clip", "m4a")
    recording = await prepared(path, tmp_path, replace(WANTS, max_s=20))
    assert len(recording.parts) >= 4
    assert all(part.overlap_s == 0 and part.length_s <= 20 for part in recording.parts)
    words = [word for part in recording.parts for _, word in listen(part.path.read_bytes())]
    assert words == [f"w{i}" for i in range(130)]


async def test_parts_follow_each_other_to_the_end_and_last_as_long_as_they_say(tmp_path: Path) -> None:
    path = encode(say(range(100)), tmp_path / "clip", "ogg")
    recording = await prepared(path, tmp_path, replace(WANTS, max_s=12))
    parts = recording.parts
    assert parts[0].start_s == 0
    assert parts[-1].end_s == pytest.approx(recording.length_s)
    for before, after in itertools.pairwise(parts):
        assert after.start_s == pytest.approx(before.end_s - after.overlap_s)
    assert all(len(decode(p.path.read_bytes())) / RATE == pytest.approx(p.length_s, abs=0.03) for p in parts)


async def test_where_there_is_no_pause_both_parts_hold_what_is_said_at_the_cut(tmp_path: Path) -> None:
    path = encode(say(range(100)), tmp_path / "clip", "flac")
    recording = await prepared(path, tmp_path, replace(WANTS, max_s=12))
    assert all(2 <= part.overlap_s <= 3 for part in recording.parts[1:])


async def test_the_same_file_is_always_cut_in_the_same_places(tmp_path: Path) -> None:
    path = encode(say(range(100), pause_s=0.5, pause_every=7), tmp_path / "clip", "mp3")
    wants = replace(WANTS, max_s=12)
    spans = [[(p.start_s, p.end_s) for p in (await prepared(path, tmp_path, wants)).parts] for _ in range(2)]
    assert spans[0] == spans[1]


@pytest.mark.parametrize(
    "samples",
    [
        silence(3),
        noise(3),
        noise(3, colour=1),
        noise(3, colour=2),
        fan(3),
        tone(50, 3),
        tone(1_000, 3),
        (noise(3) / 40).astype(np.int16),
        np.concatenate([silence(1), noise(0.02), silence(2)]),
    ],
    ids=["silence", "white", "pink", "brown", "fan", "hum", "beep", "faint", "click"],
)
async def test_nothing_is_heard_in_silence_and_steady_noise(samples: np.ndarray, tmp_path: Path) -> None:
    recording = await prepared(written(tmp_path, wav(samples)), tmp_path)
    assert not recording.has_sound
    assert recording.sounds == ()


@pytest.mark.parametrize("gain", [1.0, 0.1, 0.01])
@pytest.mark.parametrize("snr_db", [60, 20, 10])
@pytest.mark.parametrize("name", ["hey_parley", "wann"])
async def test_speech_is_heard_when_it_is_faint_and_when_it_is_noisy(
    name: str, gain: float, snr_db: int, tmp_path: Path
) -> None:
    spoken = np.concatenate([silence(0.5), speech(name), silence(0.5)]).astype(np.float64)
    background = noise(len(spoken) / RATE + 0.1, colour=1)[: len(spoken)].astype(np.float64)
    background *= np.std(spoken) / np.std(background) / 10 ** (snr_db / 20)
    samples = ((spoken + background) * gain).clip(-32768, 32767).astype(np.int16)
    assert loudness.find_sounds(loudness.measure_levels(samples))


async def test_one_short_word_is_heard(tmp_path: Path) -> None:
    word = np.concatenate([silence(1), speech()[int(0.35 * RATE) : int(0.65 * RATE)], silence(1)])
    recording = await prepared(written(tmp_path, wav(word)), tmp_path)
    assert recording.has_sound


async def test_spans_of_sound_tell_where_somebody_speaks(tmp_path: Path) -> None:
    samples = np.concatenate([silence(3), speech(), silence(4), speech("wann"), silence(2)])
    recording = await prepared(written(tmp_path, wav(samples)), tmp_path)
    (first, second) = recording.sounds
    assert first == pytest.approx((3, 5.7), abs=0.4)
    assert second == pytest.approx((9.76, 11.6), abs=0.4)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "not a recording"),
        (b"<!DOCTYPE html><html>", "not a recording"),
        (b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n", "not a recording"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "not a recording"),
        (b"RIFF\x24\x00\x00\x00AVI LIST", "not a recording"),
        (b"%PDF-1.7", "not a recording"),
        (b"PK\x03\x04" + bytes(100), "not a recording"),
        (b"\x00\x00\x00\x20ftypisom" + bytes(100), "broken|no sound"),
        (b"\x00\x00\x00\x20ftypM4A " + os.urandom(4_000), "broken|no sound"),
        (b"OggS" + random.Random(1).randbytes(4_000), "broken|no sound"),
        (b"fLaC" + random.Random(2).randbytes(4_000), "broken|no sound"),
        (b"\x1aE\xdf\xa3" + random.Random(3).randbytes(4_000), "broken|no sound"),
        (b"\xff\xfb\x90\x00" + random.Random(4).randbytes(4_000), "broken|no sound"),
        (b"\x00\x00\x01\xba" + random.Random(5).randbytes(4_000), "broken|no sound"),
        (wav(silence(0)), "no sound"),
    ],
)
async def test_what_is_no_recording_is_refused_in_words(content: bytes, why: str, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFile, match=why):
        await prepared(written(tmp_path, content, "voice.mp4"), tmp_path)


@pytest.mark.usefixtures("started_by_itself")
async def test_a_playlist_hidden_in_a_container_name_opens_nothing(tmp_path: Path) -> None:
    secret = written(tmp_path, wav(speech()), "secret.wav")
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:3,\n{secret}\n#EXT-X-ENDLIST\n"
    for disguise in ("ID3\x04", "\xff\xfb\x90", ""):
        content = disguise.encode("latin-1") + playlist.encode()
        with pytest.raises(UnsupportedFile):
            await prepared(written(tmp_path, content, "voice.mp3"), tmp_path)


def lying_wav(seconds_claimed: int, *, rate: int = 8_000, content: bytes = bytes(100)) -> bytes:
    size = seconds_claimed * rate * 2
    header = struct.pack("<4sI4s", b"RIFF", (size + 36) & 0xFFFFFFFF, b"WAVE")
    header += struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, rate * 2, 2, 16)
    return header + struct.pack("<4sI", b"data", size & 0xFFFFFFFF) + content


async def test_a_header_that_claims_75_hours_counts_for_what_it_holds(tmp_path: Path) -> None:
    content = lying_wav(75 * 3_600)
    assert len(content) == 144
    recording = await prepared(written(tmp_path, content), tmp_path)
    assert recording.length_s < 0.1
    assert not recording.has_sound


async def test_a_header_that_claims_less_than_it_holds_does_not_pass_the_limit(tmp_path: Path) -> None:
    samples = say(range(200))
    path = encode(samples, tmp_path / "clip", "mp3")
    with pytest.raises(FileTooLarge, match="1 minutes"):
        await prepared(path, tmp_path, replace(WANTS, longest_s=60, max_s=60))


@pytest.mark.usefixtures("started_by_itself")
async def test_an_hour_in_a_few_bytes_is_refused_by_decoding_only_what_is_allowed(tmp_path: Path) -> None:
    path = encode(silence(1_800), tmp_path / "clip", "flac")
    assert path.stat().st_size < 400_000
    with pytest.raises(FileTooLarge):
        await prepared(path, tmp_path, replace(WANTS, longest_s=600))


async def test_sample_rates_that_would_blow_up_the_resampler_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedFile, match="no recording of speech"):
        await prepared(written(tmp_path, wav(noise(1), rate=1)), tmp_path)


async def test_a_recording_that_was_cut_off_is_re_encoded_as_far_as_it_goes(tmp_path: Path) -> None:
    whole = encode(say(range(60)), tmp_path / "clip", "m4a").read_bytes()
    # The index stands behind the sound: without it nothing can be found.
    with pytest.raises(UnsupportedFile):
        await prepared(written(tmp_path, whole[: len(whole) // 2]), tmp_path)
    whole = encode(say(range(60)), tmp_path / "clip", "webm").read_bytes()
    recording = await prepared(written(tmp_path, whole[: len(whole) // 2]), tmp_path)
    words = [word for part in recording.parts for _, word in listen(part.path.read_bytes())]
    assert words[:20] == [f"w{i}" for i in range(20)]


async def test_recordings_glued_together_are_heard_to_the_end(tmp_path: Path) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    glued = encode(speech(), one, "mp3").read_bytes() + encode(speech("wann"), two, "mp3").read_bytes()
    recording = await prepared(written(tmp_path, glued), tmp_path)
    assert recording.length_s == pytest.approx(2.77 + 1.9, abs=0.3)


@pytest.mark.usefixtures("started_by_itself")
async def test_memory_has_a_ceiling_and_the_bot_lives_on(tmp_path: Path) -> None:
    path = encode(say(range(60)), tmp_path / "clip", "m4a")
    with pytest.raises(UnsupportedFile):
        await prepared(path, tmp_path, replace(WANTS, memory_bytes=1 << 20))


@pytest.mark.usefixtures("started_by_itself")
async def test_a_child_that_says_nothing_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = written(tmp_path, f"#!{sys.executable}\nimport time; time.sleep(60)".encode(), "stuck")
    stuck.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(stuck))
    monkeypatch.setattr(decoding, "STALL_S", 0.3)
    with pytest.raises(UnsupportedFile, match="within the limits"):
        await asyncio.wait_for(prepared(written(tmp_path, wav(speech())), tmp_path), 5)


@pytest.mark.usefixtures("started_by_itself")
async def test_the_child_sees_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-secret")
    spy = written(tmp_path, f"#!{sys.executable}\nimport os, json\n".encode(), "spy")
    spy.write_bytes(spy.read_bytes() + b"print(json.dumps({'refused': ' '.join(os.environ)}))\n")
    spy.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(spy))
    with pytest.raises(UnsupportedFile) as caught:
        await prepared(written(tmp_path, b""), tmp_path)
    assert "SLACK" not in caught.value.reason
    assert "PYTHONPATH" in caught.value.reason


async def test_progress_is_told_while_a_long_file_is_decoded(tmp_path: Path) -> None:
    path = encode(np.concatenate([say(range(100)), silence(60)]), tmp_path / "clip", "flac")
    reported: list[tuple[float, float]] = []
    (tmp_path / "parts").mkdir()
    await decode_file(
        path, "clip", tmp_path / "parts", WANTS, progress=lambda at, of: reported.append((at, of))
    )
    assert [round(at) for at, _ in reported] == [30, 60, 90]
    assert all(of == pytest.approx(92, abs=0.1) for _, of in reported)


@pytest.mark.usefixtures("started_by_itself")
async def test_giving_up_ends_the_child(tmp_path: Path) -> None:
    path = encode(say(range(490)), tmp_path / "clip", "m4a")
    work = asyncio.create_task(prepared(path, tmp_path, replace(WANTS, max_s=12)))
    await asyncio.sleep(0.3)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    await until(lambda: not any(map(decodes, list_children())))


def list_children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def decodes(child: str) -> bool:
    """Whether it is at work; the command line of one that has ended is empty, or not there any more."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return b"decoder_process" in Path(f"/proc/{child}/cmdline").read_bytes()
    return False


@given(st.binary(max_size=80))
def test_sniffing_never_fails_and_knows_only_what_it_can_open(head: bytes) -> None:
    assert detect_container(head) in {"", *CONTAINERS}


@given(st.lists(st.integers(0, 100), min_size=1, max_size=3_000))
def test_spans_are_in_order_apart_and_inside(levels: list[int]) -> None:
    spans = loudness.find_sounds(np.array(levels, dtype=np.uint8))
    edges = [edge for span in spans for edge in span]
    assert all(0 <= a < b <= len(levels) / 50 for a, b in spans)
    assert edges == sorted(edges)
