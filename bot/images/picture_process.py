"""The inside of the process that opens a picture: decodes it, turns it upright, makes it small and clean.

It runs inside a limited process (bot/core/limited_child.py) with decoders for what the first bytes say and no
other. What it answers holds pixels and nothing else: no place, no camera, no comment, no profile.
"""

from __future__ import annotations

import base64
import contextlib
import io
import warnings
from typing import Any, BinaryIO

from PIL import Image, ImageOps

from bot.core.limited_child import FileRefused, write_line
from bot.images.formats import DECODED, HEAD_BYTES, detect_picture

MOST_PIXELS = 100_000_000
# A JPEG is decoded at a fraction of its size.
MOST_PIXELS_JPEG = 250_000_000
LEAST_SIDE = 8  # less than that is a counter of page views, or a mistake
PNG_BYTES = 1_500_000  # a screenshot stays as sharp as it is up to so much
JPEG_BYTES = 4_000_000
QUALITIES = (88, 75, 60)
LOSSLESS = ("png", "gif", "webp")


def main(orders: dict[str, Any], source: BinaryIO) -> None:
    format = detect_picture(source.read(HEAD_BYTES))
    if format == "heic":
        _learn_heic()
    if format not in DECODED:
        raise FileRefused("it is not a picture that I can see")
    source.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture, moves = _decode(source, format, orders["longest_side"])
            mime, content = _encode(picture, keep_sharp=format in LOSSLESS)
    except (OSError, SyntaxError, ValueError, EOFError, KeyError, IndexError, TypeError) as exc:
        raise FileRefused("the picture is damaged") from exc
    width, height = picture.size
    shown = base64.b64encode(content).decode("ascii")
    write_line(mime=mime, width=width, height=height, moves=moves, content=shown)


def _learn_heic() -> None:
    try:
        import pillow_heif
    except ImportError as exc:
        raise FileRefused("I was installed without what it takes to see HEIC pictures") from exc
    pillow_heif.register_heif_opener(thumbnails=False)


def _decode(source: BinaryIO, format: str, longest_side: int) -> tuple[Image.Image, bool]:
    """The first frame as RGB, no longer than asked on its longest side; and whether there are more frames."""
    Image.MAX_IMAGE_PIXELS = None  # it is refused below, in words
    image: Image.Image = Image.open(source, formats=[DECODED[format]])
    width, height = image.size
    if width * height > (MOST_PIXELS_JPEG if format == "jpeg" else MOST_PIXELS):
        raise FileRefused(f"it has {width * height / 1e6:,.0f} million pixels, which is more than I open")
    if min(width, height) < LEAST_SIDE:
        raise FileRefused(f"it is only {width} × {height} pixels")
    moves = bool(getattr(image, "is_animated", False))
    if moves:
        image.seek(0)
    image.draft("RGB", (longest_side, longest_side))
    image.load()
    with contextlib.suppress(Exception):  # what is written beside the pixels may be anything
        image = ImageOps.exif_transpose(image) or image
    image.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return _flatten(image), moves


def _flatten(image: Image.Image) -> Image.Image:
    """Its pixels on white, in an image of ours that has nothing else."""
    if image.mode.startswith(("I", "F")):
        image = _to_bytes(image)
    clear = "A" in image.getbands() or "transparency" in image.info
    flat = Image.new("RGB", image.size, "white")
    if clear:
        image = image.convert("RGBA")
        flat.paste(image, mask=image.getchannel("A"))
    else:
        flat.paste(image.convert("RGB"))
    return flat


def _to_bytes(image: Image.Image) -> Image.Image:
    """Brightness of more than eight bits in eight."""
    if image.mode.startswith("I;16"):
        return image.convert("F").point(lambda value: value * (255 / 65_535)).convert("L")
    return ImageOps.autocontrast(image.convert("L"))


def _encode(picture: Image.Image, *, keep_sharp: bool) -> tuple[str, bytes]:
    if keep_sharp and len(content := _save(picture, "PNG")) <= PNG_BYTES:
        return "image/png", content
    for quality in QUALITIES:
        content = _save(picture, "JPEG", quality=quality)
        if len(content) <= JPEG_BYTES:
            break
    return "image/jpeg", content


def _save(picture: Image.Image, format: str, **how: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **how)
    return out.getvalue()
