"""Recognises the two bundled clips, and detects the format and the length of any recording.

It knows the clips by their loudness (however they were re-encoded), takes silence as no words, and says
openly that it cannot recognise anything else. With PARLEY_SANDBOX_SPEECH=<whisper model> and the extra
`local-speech` installed, faster-whisper transcribes instead.
"""

from __future__ import annotations

import io
import json
import math
import os
import wave
from array import array
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# What stands in place of what was not recognised.
NOT_RECOGNISED = (
    "(The rehearsal model cannot hear this recording: it only knows the two bundled clips. Connect a real "
    "speech model, or install the extra local-speech and start with PARLEY_SANDBOX_SPEECH=small.)"
)
CLIPS = Path(__file__).parents[1] / "clips"
RATE = 8000  # samples per second that fingerprints are made of
_FRAME_S = 0.05
_SILENCE = 60.0  # mean amplitude of 32,768 below which nothing is said
_SAME = 0.9  # correlation of loudness above which two recordings are the same speech
_LONGEST_KNOWN_S = 60.0

# Source: the first bytes each format begins with, by its own specification.
_MAGIC = (
    *((b"OggS", "ogg"), (b"fLaC", "flac"), (b"\x1aE\xdf\xa3", "webm"), (b"ID3", "mp3"), (b"RIFF", "wav")),
    (b"\x00\x00\x01\xba", "mpeg"),
)


@dataclass(frozen=True, slots=True)
class RecognisedSpeech:
    """What a recording says. `english` is its translation; both are empty when nothing is said."""

    text: str
    language: str
    english: str
    seconds: float


class UnreadableRecording(Exception):
    """These bytes are no recording in a known format."""


def detect_container(recording: bytes) -> str:
    """The format by its first bytes: wav, mp3, mp4, mpeg, ogg, webm or flac; "" when it is none of them."""
    for magic, name in _MAGIC:
        if recording.startswith(magic):
            return name
    if recording[4:8] == b"ftyp":
        return "mp4"
    return "mp3" if len(recording) > 1 and recording[0] == 0xFF and recording[1] & 0xE0 == 0xE0 else ""


def recognise_speech(recording: bytes) -> RecognisedSpeech:
    """Listen to a recording; Unreadable when it cannot be decoded. Too slow for the event loop."""
    sound = read_samples(recording)
    seconds = len(sound) / RATE
    if seconds < _LONGEST_KNOWN_S:
        loudness = _loudness(sound)
        if max(loudness, default=0) < _SILENCE:
            return RecognisedSpeech("", "en", "", seconds)
        for clip in load_clips():
            if is_same_speech(loudness, clip["loudness"]):
                return RecognisedSpeech(clip["text"], clip["language"], clip["english"], seconds)
    engine = os.environ.get("PARLEY_SANDBOX_SPEECH", "")
    if engine and find_spec("faster_whisper"):
        return _recognise_with_whisper(engine, recording, seconds)
    return RecognisedSpeech(NOT_RECOGNISED, "en", NOT_RECOGNISED, seconds)


@cache
def load_clips() -> list[dict[str, Any]]:
    """The bundled clips: file, mime, text, language, english, duration_ms, loudness."""
    found: list[dict[str, Any]] = json.loads((CLIPS / "clips.json").read_text("utf-8"))
    return [clip | {"loudness": [float(value) for value in clip["loudness"].split()]} for clip in found]


def read_samples(recording: bytes) -> array[int]:
    """The sound as 16-bit samples, one channel, RATE per second."""
    if detect_container(recording) == "wav" and (plain := _read_wave(recording)):
        return plain
    try:
        import av
    except ImportError as missing:
        raise UnreadableRecording("only WAV can be read without the extra `voice`") from missing
    sound = array("h")
    try:
        with av.open(io.BytesIO(recording), "r") as opened:
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            for frame in opened.decode(audio=0):
                for part in resampler.resample(frame):
                    sound.frombytes(bytes(part.planes[0])[: part.samples * 2])
    except (av.FFmpegError, IndexError, ValueError) as exc:
        raise UnreadableRecording(str(exc)) from exc
    return sound


def _read_wave(recording: bytes) -> array[int] | None:
    """Plain 16-bit WAV by the standard library alone, picked to RATE; None for another kind."""
    try:
        with wave.open(io.BytesIO(recording)) as opened:
            if opened.getsampwidth() != 2:
                return None
            raw = array("h", opened.readframes(opened.getnframes()))
            step = opened.getframerate() / RATE
            channels = opened.getnchannels()
    except (wave.Error, EOFError, ValueError):
        return None
    mono = raw[::channels]
    return array("h", (mono[int(at * step)] for at in range(int(len(mono) / step))))


def _loudness(sound: array[int]) -> list[float]:
    size = int(RATE * _FRAME_S)
    return [sum(map(abs, sound[at : at + size])) / size for at in range(0, len(sound) - size + 1, size)]


def measure_loudness(recording: bytes) -> list[float]:
    """The fingerprint: mean amplitude of every twentieth of a second."""
    return _loudness(read_samples(recording))


def is_same_speech(one: list[float], two: list[float]) -> bool:
    """Do two fingerprints belong to the same speech? Encoders may shift the start by a few frames."""
    if not one or not two or abs(len(one) - len(two)) > 0.1 * len(two) + 4:
        return False
    return any(_correlation(one[max(0, s) :], two[max(0, -s) :]) > _SAME for s in (0, 1, -1, 2, -2, 3, -3))


def _correlation(one: list[float], two: list[float]) -> float:
    pairs = [(math.log1p(a), math.log1p(b)) for a, b in zip(one, two, strict=False)]
    mean_a = sum(a for a, _ in pairs) / len(pairs)
    mean_b = sum(b for _, b in pairs) / len(pairs)
    both = sum((a - mean_a) * (b - mean_b) for a, b in pairs)
    spread = math.sqrt(sum((a - mean_a) ** 2 for a, _ in pairs) * sum((b - mean_b) ** 2 for _, b in pairs))
    return both / spread if spread else 0.0


@cache
def _load_engine(model: str) -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(model, device="cpu", compute_type="int8")


def _recognise_with_whisper(model: str, recording: bytes, seconds: float) -> RecognisedSpeech:
    """Real recognition: faster-whisper on this machine; fetches the model's weights on first use."""
    engine = _load_engine(model)
    parts, about = engine.transcribe(io.BytesIO(recording), vad_filter=True)
    text = " ".join(part.text.strip() for part in parts)
    if about.language == "en":
        return RecognisedSpeech(text, "en", text, seconds)
    parts, _ = engine.transcribe(
        io.BytesIO(recording), task="translate", language=about.language, vad_filter=True
    )
    return RecognisedSpeech(text, about.language, " ".join(part.text.strip() for part in parts), seconds)
