"""Recordings for tests: files in every format from a few seconds of speech, tones that stand for words, and
somebody who reads such words back from real samples."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from bot.sandbox.rehearsal.recordings import RecognisedSpeech

Samples = NDArray[np.int16]
RATE = 16_000
SOUNDS = Path(__file__).parents[1] / "sounds"

# Format → (FFmpeg's muxer, encoder, sample rate).
FORMATS = {
    "mp3": ("mp3", "libmp3lame", 44_100),
    "mp4": ("mp4", "aac", 44_100),
    "m4a": ("ipod", "aac", 44_100),
    "mpeg": ("mpeg", "mp2", 44_100),
    "mpga": ("mp2", "mp2", 44_100),
    "wav": ("wav", "pcm_s16le", 22_050),
    "webm": ("webm", "libopus", 48_000),
    "ogg": ("ogg", "libopus", 48_000),
    "flac": ("flac", "flac", 16_000),
}


def speech(name: str = "hey_parley") -> Samples:
    """A committed clip: 2.8 s of English, or "wann", 1.9 s of German."""
    return decode((SOUNDS / f"{name}.flac").read_bytes())


def decode(recording: bytes) -> Samples:
    """Any recording as 16 kHz mono, as a speech model would see it."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
    blocks: list[Any] = []
    with av.open(io.BytesIO(recording), "r") as box:
        for frame in box.decode(audio=0):
            frame.pts = None
            blocks += [out.to_ndarray()[0] for out in resampler.resample(frame)]
    blocks += [out.to_ndarray()[0] for out in resampler.resample(None)]
    return np.concatenate(blocks)


def encode(samples: Samples, path: Path, container: str, *, video: bool = False) -> Path:
    """A file in one of FORMATS, with a second of moving picture beside the sound if asked."""
    muxer, codec, rate = FORMATS[container]
    with av.open(str(path), "w", format=muxer) as box:
        sound: Any = box.add_stream(codec, rate=rate, layout="mono")
        picture: Any = box.add_stream("libx264", rate=25, width=64, height=64) if video else None
        if picture:
            for number in range(25):
                frame = av.VideoFrame(64, 64, "yuv420p")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                box.mux(picture.encode(frame))
            box.mux(picture.encode(None))
        for frame in _frames(samples, sound.format.name, rate):
            box.mux(sound.encode(frame))
        box.mux(sound.encode(None))
    return path


def _frames(samples: Samples, format: str, rate: int) -> Iterable[Any]:
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = RATE
    resampler = av.AudioResampler(format=format, layout="mono", rate=rate)
    return [*resampler.resample(frame), *resampler.resample(None)]


def wav(samples: Samples, *, rate: int = RATE, channels: int = 1) -> bytes:
    """Plain WAV; samples of several channels follow each other."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.tobytes())
    return out.getvalue()


def silence(seconds: float) -> Samples:
    return np.zeros(int(seconds * RATE), dtype=np.int16)


def noise(seconds: float, *, colour: int = 0, seed: int = 1) -> Samples:
    """Steady noise at -20 dBFS: white (0), brown (2); hum is `tone`."""
    white = np.random.default_rng(seed).standard_normal(int(seconds * RATE))
    spectrum = np.fft.rfft(white)
    spectrum[1:] /= np.arange(1, len(spectrum)) ** (colour / 2)
    shaped = np.fft.irfft(spectrum)
    return (shaped / np.std(shaped) * 3276).clip(-32768, 32767).astype(np.int16)


def fan(seconds: float, *, hertz: float = 1_000, width: float = 300) -> Samples:
    """Noise of a narrow band, which swells and falls by some decibels."""
    spectrum = np.fft.rfft(np.random.default_rng(2).standard_normal(int(seconds * RATE)))
    frequency = np.fft.rfftfreq(int(seconds * RATE), 1 / RATE)
    band = np.fft.irfft(np.where(abs(frequency - hertz) < width / 2, spectrum, 0))
    return (band / np.std(band) * 3276).astype(np.int16)


def tone(hertz: float, seconds: float, *, level: float = 0.3) -> Samples:
    at = np.arange(int(seconds * RATE)) / RATE
    return (np.sin(2 * np.pi * hertz * at) * level * 32767).astype(np.int16)


# A word is a mark and three tones, each of 80 ms, neighbours never the same.
_MARK_HZ = 400.0
_TONES_HZ = tuple(700.0 + 200.0 * i for i in range(12))
_TONE_S = 0.08
WORDS = tuple(
    (a, b, c) for a in range(12) for b in range(12) for c in range(12) if a != b != c and (a + b + c) % 3 == 0
)


def say(words: Sequence[int], *, pause_s: float = 0.0, pause_every: int = 0) -> Samples:
    """Numbered words as tones; a pause after every so many."""
    spoken = []
    for place, word in enumerate(words, 1):
        spoken += [tone(hz, _TONE_S) for hz in (_MARK_HZ, *(_TONES_HZ[i] for i in WORDS[word]))]
        if pause_every and place % pause_every == 0:
            spoken.append(silence(pause_s))
    return np.concatenate(spoken)


def listen(recording: bytes) -> list[tuple[float, str]]:
    """(second, word) for each word in the samples of a recording; one cut through is heard wrongly."""
    samples = decode(recording).astype(np.float64)
    hop = RATE // 100
    runs: list[tuple[int, int]] = []  # (tone, how many hundredths)
    for tone in _tones_in(np.lib.stride_tricks.sliding_window_view(samples, 2 * hop)[::hop]):
        if runs and runs[-1][0] == tone:
            runs[-1] = (tone, runs[-1][1] + 1)
        else:
            runs.append((tone, 1))
    at = 0
    groups: list[tuple[float, list[int]]] = []
    for tone, length in runs:
        if tone == -1 and length >= 3:
            groups.append((at / 100, []))
        elif tone >= 0 and length >= 3:
            if not groups:
                groups.append((0.0, []))
            groups[-1][1].append(tone)
        at += length
    return [(second, _word(tones)) for second, tones in groups if tones]


def _word(tones: list[int]) -> str:
    return f"w{WORDS.index(tuple(tones))}" if tuple(tones) in WORDS else "uh"


def _tones_in(windows: NDArray[np.float64]) -> list[int]:
    """Which tone sounds in each window; -1 for the mark, -2 for none."""
    known = np.array([_MARK_HZ, *_TONES_HZ])
    found: list[int] = []
    for some in np.array_split(windows, len(windows) // 2_000 + 1):
        spectra = np.abs(np.fft.rfft(some * np.hanning(some.shape[1]), 1024))
        hertz = np.argmax(spectra, axis=1) * RATE / 1024
        nearest = np.argmin(np.abs(hertz[:, None] - known), axis=1)
        unsure = (np.abs(hertz - known[nearest]) >= 90) | (np.abs(some).mean(axis=1) < 300)
        found += np.where(unsure, -2, nearest - 1).tolist()
    return found


def tones(recording: bytes) -> RecognisedSpeech:
    """What the fake model hears: the words that are in the samples."""
    text = " ".join(word for _, word in listen(recording))
    return RecognisedSpeech(text, "en", text, len(decode(recording)) / RATE)
