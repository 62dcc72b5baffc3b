"""Pictures as a model is shown them, made of what people share: hostile ones cost their own file only."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.core.errors import UnsupportedFile
from bot.images.seeing import SVG, see_picture


def red(width: int = 300, height: int = 200, mode: str = "RGB") -> Image.Image:
    if mode == "I;16":
        return Image.new(mode, (width, height), 65_535)
    return Image.new("RGB", (width, height), "red").convert(mode)


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def corner(content: bytes) -> Any:
    return opened(content).getpixel((0, 0))


async def refusal(path: Path) -> str:
    with pytest.raises(UnsupportedFile) as failed:
        await see_picture(path, path.name)
    return failed.value.notice


async def test_a_photo_is_turned_upright_and_made_small_and_nothing_but_its_pixels_is_left(
    tmp_path: Path,
) -> None:
    photo, exif = red(3000, 1000), Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    exif[0x010F] = "Secret camera"
    photo.save(tmp_path / "photo.png", exif=exif)
    photo.save(tmp_path / "photo.jpg", exif=exif, comment=b"Secret comment", icc_profile=b"Secret profile")
    for name in ("photo.png", "photo.jpg"):
        seen = (await see_picture(tmp_path / name, name)).picture
        assert (seen.width, seen.height) == opened(seen.content).size == (683, 2048)
        assert not opened(seen.content).getexif()
        assert b"Secret" not in seen.content


@pytest.mark.parametrize(
    ("name", "mode"),
    [("a.webp", "RGB"), ("a.png", "RGBA"), ("a.png", "I;16"), ("a.gif", "P"), ("a.jpg", "CMYK")],
)
async def test_pictures_of_every_kind_are_seen_as_plain_colours(tmp_path: Path, name: str, mode: str) -> None:
    red(mode=mode).save(tmp_path / name)
    seen = await see_picture(tmp_path / name, name)
    pixel = corner(seen.picture.content)
    assert opened(seen.picture.content).mode == "RGB"
    assert not seen.moves
    assert pixel == (255, 255, 255) if mode == "I;16" else (pixel[0] > 220 and pixel[1] < 40)


async def test_what_is_clear_is_white_and_of_a_moving_picture_the_first_frame_is_seen(tmp_path: Path) -> None:
    Image.new("RGBA", (20, 20), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    clear = await see_picture(tmp_path / "clear.png", "clear.png")
    moving = await see_picture(tmp_path / "a.gif", "a.gif")
    assert (corner(clear.picture.content), clear.moves) == ((255, 255, 255), False)
    assert (corner(moving.picture.content)[0] > 220, moving.moves) == (True, True)


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is so large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    pixels = zlib.compress(bytes(10_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


async def test_what_cannot_be_seen_is_told_in_one_sentence(tmp_path: Path) -> None:
    dot = io.BytesIO()
    red(1, 1).save(dot, "GIF")
    files = {
        "bomb.png": (bomb(60_000, 60_000), "3,600 million pixels"),
        "cut.png": (bomb(500, 500)[:60], "damaged"),
        "junk.jpg": (b"\xff\xd8\xff\xe0" + b"\x00junk" * 100, "damaged"),
        "plan.png": (b"<svg onload='alert(1)'/>", SVG),
        "scan.png": (b"II*\x00" + bytes(100), "a TIFF picture"),
        "dot.gif": (dot.getvalue(), "only 1 × 1 pixels"),
    }
    for name, (content, reason) in files.items():
        (tmp_path / name).write_bytes(content)
        notice = await refusal(tmp_path / name)
        assert reason in notice, name
        assert name in notice


async def test_heic_is_seen_where_its_decoder_is_installed(tmp_path: Path) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.from_pillow(red()).save(tmp_path / "a.heic")
    seen = await see_picture(tmp_path / "a.heic", "a.heic")
    assert (seen.picture.width, seen.picture.height) == (300, 200)
