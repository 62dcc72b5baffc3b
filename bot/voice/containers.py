"""The formats of recordings, and how to tell them by a file's first bytes.

It stands alone because the decoding process needs it: what that imports is paid for with every file.
"""

from __future__ import annotations

# Container → (ending of the name that is sent, FFmpeg's demuxer). The speech APIs go by the ending.
CONTAINERS = {
    "wav": (".wav", "wav"),
    "mp3": (".mp3", "mp3"),
    "mpga": (".mpga", "mp3"),
    "mpeg": (".mpeg", "mpeg"),
    "mp4": (".mp4", "mov"),
    "m4a": (".m4a", "mov"),
    "mov": (".mov", "mov"),
    "webm": (".webm", "matroska"),
    "mkv": (".mkv", "matroska"),
    "ogg": (".ogg", "ogg"),
    "flac": (".flac", "flac"),
    "aac": (".aac", "aac"),
}
_QUICKTIME_ATOMS = (b"moov", b"mdat", b"wide", b"free", b"skip")


def detect_container(head: bytes) -> str:
    """The container of a file by its first bytes (64 are enough), or "" when it is none that is read here.

    Source: the formats' own specifications; ISO/IEC 14496-12 (ftyp), RFC 8794 (EBML), RFC 3533 (Ogg),
    RFC 9639 (FLAC), ISO/IEC 11172-3 (frame header: two bits of layer after eleven of sync).
    """
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"\x1aE\xdf\xa3":
        return "webm" if b"webm" in head[:64] else "mkv"
    if head[4:8] == b"ftyp":
        return {b"M4A ": "m4a", b"M4B ": "m4a", b"qt  ": "mov"}.get(head[8:12], "mp4")
    if head[4:8] in _QUICKTIME_ATOMS:
        return "mov"
    if head[:4] == b"\x00\x00\x01\xba":
        return "mpeg"
    for magic, container in ((b"OggS", "ogg"), (b"fLaC", "flac"), (b"ID3", "mp3")):
        if head.startswith(magic):
            return container
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0:
        return {0x02: "mp3", 0x04: "mpga", 0x06: "mpga", 0x00: "aac"}[head[1] & 0x06]
    return ""
