"""What the rehearsal model sees of a picture: format and size, read from its bytes, and the main colours."""

from __future__ import annotations

import colorsys
import io
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

_LOOKED_AT = 48  # pixels of each side that are looked at; the picture is made so small first
_NAMED = 3  # colours told, most frequent first
_LEAST_SHARE = 0.05
# Up to which hue, in degrees, a colour has this name.
_HUES = (
    *((15, "red"), (40, "orange"), (65, "yellow"), (165, "green"), (195, "turquoise"), (255, "blue")),
    *((290, "purple"), (335, "pink"), (361, "red")),
)

_GIF_FRAME, _GIF_END = 0x2C, 0x3B


@dataclass(frozen=True, slots=True)
class ReceivedPicture:
    """One picture of a request, of the turn of that number; `name` stands in the words before it, if any."""

    format: str  # PNG, JPEG, GIF or WEBP
    width: int
    height: int
    content: bytes = field(repr=False)
    moving: bool = False
    name: str = ""
    turn: int = 0
    detail: str = "auto"


def read_picture(content: bytes) -> ReceivedPicture | None:
    """The picture that these bytes are; None when they are of no format that is taken."""
    read = next((read for start, read in _READERS.items() if content.startswith(start)), None)
    try:
        return read(content) if read else None
    except (struct.error, IndexError, StopIteration):
        return None


def describe_pictures(pictures: Sequence[ReceivedPicture]) -> str:
    """One sentence for each."""
    lines = [f"{_describe_shape(picture)}{_describe_colours(picture)}." for picture in pictures]
    return "\n".join(f"- {line}" for line in lines) if len(lines) > 1 else "".join(lines)


def _describe_shape(picture: ReceivedPicture) -> str:
    name = f"*{picture.name}*" if picture.name else "The picture"
    return f"{name} is a {picture.format} of {picture.width} × {picture.height} pixels"


def _describe_colours(picture: ReceivedPicture) -> str:
    shares = main_colours(picture)
    told = [f"{name} ({share:.0%})" for name, share in shares]
    return f", mostly {', '.join(told)}" if told else ""


def main_colours(picture: ReceivedPicture) -> list[tuple[str, float]]:
    """The most frequent colours and their shares; none without the library that decodes pictures."""
    try:
        from PIL import Image
    except ImportError:
        return []
    with Image.open(io.BytesIO(picture.content)) as opened:
        small = opened.convert("RGB").resize((_LOOKED_AT, _LOOKED_AT))
    pixels = small.tobytes()
    counts = Counter(name_colour(*pixels[at : at + 3]) for at in range(0, len(pixels), 3))
    shares = [(name, count * 3 / len(pixels)) for name, count in counts.most_common(_NAMED)]
    return [(name, share) for name, share in shares if share >= _LEAST_SHARE]


def name_colour(red: int, green: int, blue: int) -> str:
    """What people call a colour."""
    hue, lightness, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
    if lightness < 0.12:
        return "black"
    if lightness > 0.93:
        return "white"
    if saturation < 0.15:
        return "grey"
    name = next(name for end, name in _HUES if hue * 360 < end)
    return "brown" if name == "orange" and lightness < 0.4 else name


# -- formats, by their first bytes


def _read_png(content: bytes) -> ReceivedPicture:
    width, height = struct.unpack(">II", content[16:24])
    return ReceivedPicture("PNG", width, height, content, moving=b"acTL" in content[:4096])


def _read_jpeg(content: bytes) -> ReceivedPicture:
    at = 2
    while True:
        marker, length = struct.unpack(">HH", content[at : at + 4])
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return ReceivedPicture("JPEG", width, height, content)
        at += 2 + length


def _read_gif(content: bytes) -> ReceivedPicture:
    width, height = struct.unpack("<HH", content[6:10])
    return ReceivedPicture("GIF", width, height, content, moving=_count_frames(content) > 1)


def _count_frames(content: bytes) -> int:
    """Frames of a GIF: its image descriptors, among blocks that are passed over."""
    at, frames = 13 + _table_bytes(content[10]), 0
    while content[at] != _GIF_END:
        if content[at] == _GIF_FRAME:
            frames += 1
            at += 11 + _table_bytes(content[at + 9])
        else:  # an extension
            at += 2
        while content[at]:
            at += 1 + content[at]
        at += 1
    return frames


def _table_bytes(flags: int) -> int:
    """The size of a table of colours, by the flags before it."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _read_webp(content: bytes) -> ReceivedPicture | None:
    kind = content[12:16]
    if content[8:12] != b"WEBP":
        return None
    if kind == b"VP8X":
        width, height = (int.from_bytes(content[at : at + 3], "little") + 1 for at in (24, 27))
        return ReceivedPicture("WEBP", width, height, content, moving=bool(content[20] & 2))
    if kind == b"VP8L":
        bits = int.from_bytes(content[21:25], "little")
        return ReceivedPicture("WEBP", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, content)
    width, height = struct.unpack("<HH", content[26:30])
    return ReceivedPicture("WEBP", width & 0x3FFF, height & 0x3FFF, content)


_READERS = {
    b"\x89PNG\r\n\x1a\n": _read_png,
    b"\xff\xd8\xff": _read_jpeg,
    b"GIF8": _read_gif,
    b"RIFF": _read_webp,
}
