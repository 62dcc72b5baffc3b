"""Where in a recording there is sound, and where it is quietest: arithmetic on loudness, no file in sight.

A level is one byte for 20 ms of sound: how loud the change from sample to sample is, in decibels above -100
dBFS, which leaves hum, rumble and wind out. An hour is 180 kB of them. A gate on levels cannot know speech
from a barking dog, and need not: it has to keep silence and steady noise from being paid for, and must never
swallow a word.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]
Levels = NDArray[np.uint8]
Energy = NDArray[np.floating[Any]]

RATE = 16_000  # samples per second; what speech models work on
FRAME = 320  # samples of one level
FRAMES_PER_S = RATE // FRAME

BLOCK_FRAMES = 10 * FRAMES_PER_S  # the noise floor is judged anew every ten seconds
ABOVE_FLOOR_DB = 8  # steady noise stays within 3 dB of its floor, speech rises 15 dB and more
QUIETEST_SPEECH = 30  # -70 dBFS: a phone at arm's length is 25 dB above it
CLICK_FRAMES = 5  # what is shorter than 100 ms is no word
BRIDGE_FRAMES = 20  # pauses up to 0.4 s belong to what is said around them
PAD_FRAMES = 10  # soft beginnings and endings of words

PAUSE_FRAMES = 25  # a cut falls into the quietest half second
PAUSE_DB = 20  # and that is a pause when it is so much below the loud parts around


def measure_levels(samples: Samples) -> Levels:
    """One level for each whole frame of 16 kHz mono samples."""
    frames = samples[: len(samples) // FRAME * FRAME].astype(np.float32) / 32768
    change = np.diff(frames, prepend=frames[:1])
    power = np.square(change).reshape(-1, FRAME).mean(axis=1)
    level: Levels = np.clip(100 + 10 * np.log10(power + 1e-10), 0, 100).astype(np.uint8)
    return level


def find_sounds(level: Levels) -> list[tuple[float, float]]:
    """Spans with sound, in seconds, in order and apart: above the noise floor and longer than a click."""
    loud = np.flatnonzero(_loud(level))
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) > BRIDGE_FRAMES)
    runs = np.split(loud, breaks + 1)
    spans = [(run[0], run[-1] + 1) for run in runs if len(run) >= CLICK_FRAMES]
    return [
        (max(0, start - PAD_FRAMES) / FRAMES_PER_S, min(len(level), end + PAD_FRAMES) / FRAMES_PER_S)
        for start, end in spans
    ]


def _loud(level: Levels) -> NDArray[np.bool_]:
    loud = np.zeros(len(level), dtype=np.bool_)
    blocks = max(1, len(level) // BLOCK_FRAMES)  # the last one takes the remainder in
    for i in range(blocks):
        end = len(level) if i == blocks - 1 else (i + 1) * BLOCK_FRAMES
        block = level[i * BLOCK_FRAMES : end]
        if len(block):
            floor = np.percentile(block, 10)
            loud[i * BLOCK_FRAMES : end] = block > max(floor + ABOVE_FLOOR_DB, QUIETEST_SPEECH)
    return loud


def find_quietest(level: Levels) -> tuple[int, bool]:
    """(frame to cut at, is it a pause): the middle of the quietest half second, the last one of equals."""
    power = np.power(10.0, level / 10.0)
    width = min(PAUSE_FRAMES, len(level))
    sums = np.convolve(power, np.ones(width), "valid")
    start = len(sums) - 1 - int(np.argmin(sums[::-1]))
    loudest = np.percentile(level, 90)
    pause_db = 10 * np.log10(sums[start] / width)
    return start + width // 2, bool(pause_db <= max(loudest - PAUSE_DB, QUIETEST_SPEECH))
