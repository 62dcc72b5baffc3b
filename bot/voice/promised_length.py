"""How long a file says that it is, read from its own header: what came less is missing at its end.

Runs in the decoding child (bot/voice/decoder_process.py). A number that is only an estimate, as of a stream
of MP3 frames, is no promise. What shows in a file without one is bot/voice/last_element.py's.
"""

from __future__ import annotations

import re
from typing import BinaryIO

import av

# A header that promises more is junk.
LONGEST_PROMISE_S = 14 * 86_400.0
SHORTFALL_S, SHORTFALL_SHARE = 0.5, 0.01  # encoders round and pad; less than this is not missing
HEAD_BYTES = 1 << 16
_STATED_BY_STREAM = frozenset({"mp4", "m4a", "mov", "flac"})
_COUNTED_FRAMES = re.compile(rb"Xing|Info|VBRI")  # the header that says how many frames an MP3 has
_TAGGED = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


def read_promise(source: BinaryIO, container: str, box: av.container.InputContainer) -> float:
    """The length that the file's header states, in seconds; 0 where it states none."""
    stream = box.streams.audio[0]
    stated_s = float((stream.duration or 0) * (stream.time_base or 0))
    if container == "wav":
        stated_s = _of_wav(source)
    elif container == "mp3":
        stated_s = stated_s if _COUNTED_FRAMES.search(_head(source)) else 0.0
    elif container in ("webm", "mkv"):
        stated_s = _of_matroska(box)
    elif container not in _STATED_BY_STREAM:
        return 0.0
    return stated_s if 0 < stated_s <= LONGEST_PROMISE_S else 0.0


def is_cut(promised_s: float, reached_s: float) -> bool:
    """Whether clearly less came than was promised."""
    return promised_s - reached_s > max(SHORTFALL_S, promised_s * SHORTFALL_SHARE)


def _of_wav(source: BinaryIO) -> float:
    """Bytes of sound by bytes in a second. Source: RIFF, WAVE; EBU Tech 3306 (RF64: 64-bit size in ds64)."""
    head = _head(source)
    at, rate, long_bytes = 12, 0, 0
    while at + 8 <= len(head):
        name, size = head[at : at + 4], int.from_bytes(head[at + 4 : at + 8], "little")
        if name == b"fmt ":
            rate = int.from_bytes(head[at + 16 : at + 20], "little")
        elif name == b"ds64":
            long_bytes = int.from_bytes(head[at + 16 : at + 24], "little")
        elif name == b"data":
            size = long_bytes if size == 0xFFFFFFFF else size  # without ds64: written to a pipe, not known
            return size / rate if rate else 0.0
        at += 8 + size + size % 2
    return 0.0


def _of_matroska(box: av.container.InputContainer) -> float:
    """The length of its sound where that is tagged, else of all, if there is nothing but sound."""
    if tagged := _TAGGED.fullmatch(box.streams.audio[0].metadata.get("DURATION", "").strip()):
        return int(tagged[1]) * 3600 + int(tagged[2]) * 60 + float(tagged[3])
    return (box.duration or 0) / av.time_base if len(box.streams) == 1 else 0.0


def _head(source: BinaryIO) -> bytes:
    at = source.tell()
    source.seek(0)
    head = source.read(HEAD_BYTES)
    source.seek(at)  # a demuxer reads on from there
    return head
