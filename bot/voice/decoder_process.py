"""The process that opens what a person shared. It is started by `bot/voice/decoding.py`, once for each file.

It runs inside a limited process (bot/core/limited_child.py); it answers in JSON lines and, when the file
cannot be sent as it is, in parts written to a directory. It uses only the demuxer and decoders named here: a
playlist dressed up as a recording meets no demuxer that follows it, and pictures in a video are never
decoded.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
from av.error import FFmpegError

from bot.core.limited_child import FileRefused, write_line
from bot.core.temporary import NO_ROOM, is_disk_full
from bot.voice.containers import CONTAINERS, detect_container
from bot.voice.cutting import PartCutter
from bot.voice.last_element import ends_within, is_short_frame
from bot.voice.loudness import RATE, Levels, Samples, find_sounds, measure_levels
from bot.voice.promised_length import is_cut, read_promise

DECODERS = (
    "aac,aac_fixed,alac,flac,mp1,mp1float,mp2,mp2float,mp3,mp3float,opus,libopus,vorbis,libvorbis,"
    "pcm_alaw,pcm_mulaw,pcm_u8,pcm_s8,pcm_s16le,pcm_s16be,pcm_s24le,pcm_s24be,pcm_s32le,pcm_s32be,"
    "pcm_f32le,pcm_f32be,pcm_f64le,adpcm_ima_wav,adpcm_ms,gsm_ms"
)
# The bytes come through our own reader; there is no protocol to open anything else with.
OPEN = {"codec_whitelist": DECODERS, "protocol_whitelist": "none", "enable_drefs": "0"}

# Beyond these a file is an attack on the resampler, not a recording.
RATES = range(4_000, 384_001)
CHANNELS = range(1, 33)

# An hour of digital silence as FLAC is 1,460 bit/s.
LEAST_BIT_RATE = 400

# A packet that lacks some bytes is the last there is, or nearly.
BROKEN_END_PACKETS = 4

MPEG_AUDIO = ("mp3", "mpga")
MAY_BE_FRAGMENTS = ("mp4", "m4a", "mov")  # each says how long the ones before it are

REPORT_EVERY_S = 30.0


class TooLong(Exception):
    """Longer than the operator allows, or than one request may be."""


def main(orders: dict[str, Any], source: BinaryIO) -> None:
    av.logging.set_level(None)
    try:
        write_line(**decode(source, orders))
    except TooLong:
        write_line(too_long=True)
    except (FFmpegError, OSError) as exc:
        write_line(refused=NO_ROOM if isinstance(exc, OSError) and is_disk_full(exc) else "it is broken")


def decode(source: BinaryIO, orders: dict[str, Any]) -> dict[str, Any]:
    """Decides between sending the file as it is and making parts; returns the last line to write."""
    container = detect_container(source.read(64))
    if not container:
        raise FileRefused("it is not a recording in a format that I know")
    size = source.seek(0, os.SEEK_END)
    if container in orders["containers"] and size <= orders["max_bytes"]:
        meter = Meter()
        sound = Sound(source, container)
        try:
            decode_sound(sound, meter, min(orders["max_s"], orders["longest_s"]))
        except TooLong:
            whole = False
        else:
            whole = not sound.damaged
        if whole:
            return meter.result(container, unchanged=True) | sound.ending(meter.length_s)
    meter, sound = Meter(), Sound(source, container)
    parts = PartCutter(Path(orders["into"]), min(orders["part_s"], orders["max_s"]), write_line)
    decode_sound(sound, meter, orders["longest_s"], parts)
    parts.finish()
    found = meter.result(container, unchanged=False) | sound.ending(meter.length_s)
    return found | {"damaged": sound.damaged}


def decode_sound(sound: Sound, meter: Meter, longest_s: float, parts: PartCutter | None = None) -> None:
    """Decodes to the end. TooLong as soon as it is, or says that it is."""
    if parts is None and sound.claimed_s > longest_s:
        raise TooLong  # it is only believed when that saves decoding twice
    for block in sound:
        meter.add(block)
        if meter.length_s > longest_s:
            raise TooLong
        if parts:
            parts.add(block)
        meter.report_progress(sound.claimed_s)
    if not meter.samples:
        raise FileRefused("there is no sound in it")


class Sound:
    """The sound of a file as blocks of one second, 16 kHz mono; damaged packets are left out and noted."""

    def __init__(self, source: BinaryIO, container: str) -> None:
        source.seek(0)
        demuxer = CONTAINERS[container][1]
        self._box = av.open(source, "r", format=demuxer, options=OPEN, metadata_errors="ignore")
        if not self._box.streams.audio:
            raise FileRefused("there is no sound in it")
        self._stream = self._box.streams.audio[0]
        self._stream.codec_context.thread_count = 1
        self.claimed_s = self._claim()
        self._promised_s = read_promise(source, container, self._box)
        self._source, self._container = source, container
        self.bad = self.good = 0
        self._last = b""  # the last packet of MPEG audio
        self._reached_s = 0.0  # where the last sound ends, by the file's own clock
        self._since_broken = BROKEN_END_PACKETS  # packets since one that was not whole

    def _claim(self) -> float:
        """The length in the header, in seconds; 0 where the file is too small to be that long."""
        claim_s = max(0.0, (self._box.duration or 0) / av.time_base)
        return claim_s if self._box.size * 8 >= claim_s * LEAST_BIT_RATE else 0.0

    def ending(self, decoded_s: float) -> dict[str, Any]:
        """Whether the end of the file is missing, and how long it says that it is; after all was decoded.

        Silence that an encoder left out is there by the file's clock, though nobody decodes it.
        """
        reached_s = max(decoded_s, self._reached_s)
        if self._promised_s and is_cut(self._promised_s, reached_s):
            return {"cut": True, "promised_s": self._promised_s}
        if self._promised_s and self._container not in MAY_BE_FRAGMENTS:
            return {"cut": False, "promised_s": 0.0}
        broken = self._container == "mpeg" and self._since_broken < BROKEN_END_PACKETS
        cut = broken or is_short_frame(self._last) or ends_within(self._source, self._container)
        return {"cut": cut, "promised_s": 0.0}

    @property
    def damaged(self) -> bool:
        """More than a stray packet, such as a tag at the end of an MP3."""
        return self.bad * 100 > self.good

    def __iter__(self) -> Iterator[Samples]:
        resampler: av.AudioResampler | None = None
        shape: tuple[Any, ...] = ()
        for frame in self._frames():
            now = (frame.format.name, frame.layout.name, frame.sample_rate)
            if now != shape:  # at the beginning, and where streams were glued together
                yield from _flush(resampler)
                resampler, shape = _resampler(frame), now
            frame.pts = None
            assert resampler
            yield from map(_array, resampler.resample(frame))
        yield from _flush(resampler)
        if self.bad > self.good:
            raise FileRefused("it is broken")

    def _frames(self) -> Iterator[av.AudioFrame]:
        for packet in self._packets():
            try:
                frames = self._stream.codec_context.decode(packet)
            except FFmpegError:
                self.bad += 1
                continue
            self.good += len(frames)
            for frame in frames:
                self._note_end(frame)
                yield frame

    def _note_end(self, frame: av.AudioFrame) -> None:
        if frame.pts is not None and frame.time_base and frame.sample_rate:
            begins = frame.pts - (self._stream.start_time or 0)
            ends_s = float(begins * frame.time_base) + frame.samples / frame.sample_rate
            self._reached_s = max(self._reached_s, ends_s)

    def _packets(self) -> Iterator[av.Packet[Any]]:
        packets = self._box.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                self.bad += 1
                return
            if packet is None:
                return
            if packet.size and self._container in MPEG_AUDIO:
                self._last = bytes(packet)
            self._since_broken = 0 if packet.is_corrupt else self._since_broken + 1
            yield packet


def _resampler(frame: av.AudioFrame) -> av.AudioResampler:
    if frame.sample_rate not in RATES or len(frame.layout.channels) not in CHANNELS:
        raise FileRefused("it is no recording of speech")
    return av.AudioResampler(format="s16", layout="mono", rate=RATE, frame_size=RATE)


def _flush(resampler: av.AudioResampler | None) -> Iterator[Samples]:
    return map(_array, resampler.resample(None)) if resampler else iter(())


def _array(frame: av.AudioFrame) -> Samples:
    samples: Samples = frame.to_ndarray()[0]
    return samples


@dataclass(slots=True)
class Meter:
    """Counts what was really decoded, and keeps its levels."""

    samples: int = 0
    reported_s: float = 0.0
    level: list[Levels] = field(default_factory=list)

    @property
    def length_s(self) -> float:
        return self.samples / RATE

    def add(self, block: Samples) -> None:
        self.samples += len(block)
        self.level.append(measure_levels(block))

    def report_progress(self, claimed_s: float) -> None:
        if self.length_s - self.reported_s >= REPORT_EVERY_S:
            self.reported_s = self.length_s
            write_line(at_s=self.length_s, of_s=max(claimed_s, self.length_s))

    def result(self, container: str, *, unchanged: bool) -> dict[str, Any]:
        return {
            "container": container,
            "length_s": self.length_s,
            "sounds": find_sounds(np.concatenate(self.level)),
            "unchanged": unchanged,
        }
