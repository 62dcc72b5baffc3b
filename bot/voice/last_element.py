"""Whether a file ends within something that it began: what was recorded as it came says nowhere how long it
is, and shows only so that its end is missing.

Runs in the decoding child (bot/voice/decoder_process.py). Where a file ends between two such elements nobody
can tell.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import BinaryIO

OGG_TAIL_BYTES = 1 << 17
# Matroska: what holds others, and what holds sound. Source: RFC 9559, section 5
_SEGMENT, _CLUSTER, _BLOCK_GROUP, _SIMPLE_BLOCK = 0x18538067, 0x1F43B675, 0xA0, 0xA3
_OF_SOUND = (_CLUSTER, _BLOCK_GROUP, _SIMPLE_BLOCK)
# MPEG audio: kilobits per second by the header's number for it. Source: ISO/IEC 11172-3 and 13818-3
_LAYER_2 = (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384)
_LAYER_3 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_LOW_RATES = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)


def ends_within(source: BinaryIO, container: str) -> bool:
    """Whether the last page, block or fragment of sound is not there as a whole."""
    look = _LOOKS.get(container)
    return look is not None and look(source, source.seek(0, os.SEEK_END))


def is_short_frame(frame: bytes) -> bool:
    """Whether a frame of MPEG audio is shorter than its header says."""
    if len(frame) < 4 or frame[0] != 0xFF or frame[1] & 0xE0 != 0xE0:
        return False
    version, layer = frame[1] >> 3 & 3, 4 - (frame[1] >> 1 & 3)
    rate, frequency = frame[2] >> 4, frame[2] >> 2 & 3
    if version == 1 or layer not in (2, 3) or rate in (0, 15) or frequency == 3:
        return False
    first = version == 3
    kbps = (_LAYER_2 if layer == 2 else _LAYER_3)[rate] if first else _LOW_RATES[rate]
    hertz = (44_100, 48_000, 32_000)[frequency] // {3: 1, 2: 2, 0: 4}[version]
    samples_by_8 = 72 if layer == 3 and not first else 144
    return len(frame) < samples_by_8 * kbps * 1000 // hertz + (frame[2] >> 1 & 1)


def _lacks_last_page(source: BinaryIO, size: int) -> bool:
    """Whether an Ogg file ends before the page that says that it is the last, or within it.

    Source: RFC 3533, section 6: bit 0x04 of the header type marks the last page; the sizes of its segments
    are listed behind it.
    """
    source.seek(max(0, size - OGG_TAIL_BYTES))
    tail = source.read(OGG_TAIL_BYTES)
    at = tail.rfind(b"OggS")
    page = tail[at:] if at >= 0 else b""
    if len(page) < 27 or len(page) < 27 + page[26]:
        return True
    return len(page) < 27 + page[26] + sum(page[27 : 27 + page[26]]) or not page[5] & 0x04


def _ends_within_block(source: BinaryIO, size: int) -> bool:
    """Of Matroska and WebM, through what holds others down to the blocks. Source: RFC 8794, section 4"""
    at = 0
    while at < size:
        source.seek(at)
        head = source.read(12)
        id_length = 9 - head[0].bit_length()
        if id_length > 4 or len(head) <= id_length or not head[id_length]:
            return False
        id = int.from_bytes(head[:id_length], "big")
        length = 9 - head[id_length].bit_length()
        content = int.from_bytes(head[id_length : id_length + length], "big") & (1 << 7 * length) - 1
        unknown = content == (1 << 7 * length) - 1
        at += id_length + length
        if id in _OF_SOUND and not unknown and at + content > size:
            return True
        if id not in (_SEGMENT, _CLUSTER):
            at += content
    return False


def _ends_within_fragment(source: BinaryIO, size: int) -> bool:
    """Of an MP4 in fragments, through its outermost boxes. Source: ISO/IEC 14496-12, section 4.2"""
    at, fragments = 0, False
    while at + 8 <= size:
        source.seek(at)
        head = source.read(16)
        fragments = fragments or head[4:8] == b"moof"
        length = int.from_bytes(head[:4], "big")
        length = int.from_bytes(head[8:16], "big") if length == 1 else length
        if length < 8:
            return False
        if at + length > size:
            return fragments and head[4:8] in (b"moof", b"mdat")
        at += length
    return False


_LOOKS: Mapping[str, Callable[[BinaryIO, int], bool]] = {
    "ogg": _lacks_last_page,
    "webm": _ends_within_block,
    "mkv": _ends_within_block,
    "mp4": _ends_within_fragment,
    "m4a": _ends_within_fragment,
    "mov": _ends_within_fragment,
}
