"""Cutting a long recording into parts and re-encoding them, while it is being decoded.

Runs in the decoding child (bot/voice/decoder_process.py), and holds no more than the last 45 s of samples.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from bot.voice.loudness import FRAME, RATE, Samples, find_quietest, measure_levels

# Opus for speech: wideband at 24 kbit/s. Complexity 0 takes a third of the time of the default 10; measured
# on speech, the spectrum comes out 7.1 dB off instead of 6.3. (Complexity 1 loses tones that 0 and 2 keep.)
BIT_RATE = 24_000
ENCODER = {"application": "voip", "compression_level": "0", "frame_duration": "60"}

SEARCH_S = 45.0  # a part ends at the quietest place of its last 45 s
OVERLAP_S = 2.5  # where there is no pause, a word at the cut is whole in one of the two parts


class PartCutter:
    """Re-encodes to parts of at most `part_s` (10 s or more), cut at pauses; holds the last 45 s back."""

    def __init__(self, into: Path, part_s: float, report: Callable[..., None]) -> None:
        self._into = into
        self._report = report
        self._most = int(part_s * RATE)
        self._search = int(min(SEARCH_S, part_s / 2)) * RATE
        self._number = 0
        self._start = 0  # of this part, in samples of the recording
        self._overlap = 0
        self._writer: PartWriter | None = None
        self._held: deque[Samples] = deque()
        self._waiting = 0  # samples held

    def add(self, block: Samples) -> None:
        self._hold(block)
        if self._written + self._waiting >= self._most:
            self._cut()
        while self._waiting - len(self._held[0]) >= self._search:
            self._write(self._held.popleft())

    def finish(self) -> None:
        """Writes out what is held as the last part."""
        while self._held:
            self._write(self._held.popleft())
        self._close()

    @property
    def _written(self) -> int:
        return self._writer.samples if self._writer else 0

    def _hold(self, block: Samples) -> None:
        self._held.append(block)
        self._waiting += len(block)

    def _cut(self) -> None:
        """Ends the part in a pause; where there is none, both parts get what is said around the cut."""
        samples = np.concatenate(self._held)
        half = int(OVERLAP_S / 2 * RATE) // FRAME * FRAME
        frame, pause = find_quietest(measure_levels(samples[half : self._most - self._written - half]))
        at = half + frame * FRAME
        half = 0 if pause else half
        self._held.clear()
        self._waiting = at + half
        self._write(samples[: at + half])
        start = self._start + self._written - 2 * half
        self._close()
        self._start, self._overlap = start, 2 * half
        self._hold(samples[at - half :])

    def _write(self, samples: Samples) -> None:
        if not self._writer:
            self._number += 1
            self._writer = PartWriter(self._into / f"part{self._number:04}.webm")
        self._waiting -= len(samples)
        self._writer.write(samples)

    def _close(self) -> None:
        if not self._writer:
            return
        self._writer.close()
        span = (self._start / RATE, (self._start + self._writer.samples) / RATE)
        self._report(part=self._writer.path.name, span=span, overlap_s=self._overlap / RATE)
        self._writer = None


class PartWriter:
    """One part: Opus in WebM, which every speech API takes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.samples = 0
        self._box = av.open(str(path), "w", format="webm")
        self._stream = self._box.add_stream("libopus", rate=RATE, layout="mono", options=ENCODER)
        self._stream.bit_rate = BIT_RATE

    def write(self, samples: Samples) -> None:
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, self.samples, Fraction(1, RATE)
        self.samples += len(samples)
        self._box.mux(self._stream.encode(frame))

    def close(self) -> None:
        self._box.mux(self._stream.encode(None))
        self._box.close()
