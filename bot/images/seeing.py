"""Opens a picture that somebody shared, as a model is shown it.

Nothing here decodes: that is bot/images/picture_process.py, in a process of its own with ceilings on memory
and time and without a network.
"""

from __future__ import annotations

import base64
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.core.errors import FileTooLarge, UnsupportedFile
from bot.core.limited_process import ProcessLimits, limited_process
from bot.core.values import ShownPicture
from bot.images.formats import CALLED, DECODED, HEAD_BYTES, detect_picture

LONGEST_SIDE = 2_048
FILE_MB = 100
LIMITS = ProcessLimits(memory_bytes=512 << 20, cpu_s=30.0, output_bytes=0)
SVG = "it is an SVG drawing, which can hold anything; save it as PNG, and I will look at it"
WHAT_I_SEE = "it is {what}; I see PNG, JPEG, WebP and GIF"
NOT_DECODED = "it cannot be opened within the limits"


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """A picture that was opened. `moves`: only the first frame of it is shown."""

    picture: ShownPicture
    moves: bool = False


def read_format(path: Path) -> str:
    """The format of a picture, "" for any other file."""
    with path.open("rb") as file:
        return detect_picture(file.read(HEAD_BYTES))


def is_decoded(format: str) -> bool:
    """Whether pictures of a format can be opened on this machine."""
    return format in DECODED and (format != "heic" or importlib.util.find_spec("pillow_heif") is not None)


async def see_picture(path: Path, name: str, *, longest_side: int = LONGEST_SIDE) -> SeenPicture:
    """The picture in a file, upright, of at most so many pixels on its longest side.

    UnsupportedFile says why not (a format that is not opened, damaged, hostile); FileTooLarge.
    """
    format = read_format(path)
    if format == "svg":
        raise UnsupportedFile(name, SVG)
    if not is_decoded(format):
        raise UnsupportedFile(name, WHAT_I_SEE.format(what=CALLED.get(format, "no picture that I know")))
    if path.stat().st_size > FILE_MB * 1_000_000:
        raise FileTooLarge(name, f"{FILE_MB} MB")
    found: dict[str, Any] = {}
    orders = {"longest_side": longest_side}
    async with limited_process("bot.images.picture_process", orders, path, limits=LIMITS) as process:
        async for line in process.lines():
            if "refused" in line:
                raise UnsupportedFile(name, line["refused"])
            found = line
    if not found:
        raise UnsupportedFile(name, NOT_DECODED)
    moves, content = found.pop("moves"), base64.b64decode(found.pop("content"))
    return SeenPicture(ShownPicture(name, **found, content=content), moves)
