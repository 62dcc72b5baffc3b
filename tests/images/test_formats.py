"""What a picture is, by its first bytes."""

from __future__ import annotations

import pytest

from bot.images.formats import detect_picture


@pytest.mark.parametrize(
    ("head", "format"),
    [
        (b"\x89PNG\r\n\x1a\n", "png"),
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"GIF89a", "gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "webp"),
        (b"RIFF\0\0\0\0WAVEfmt ", ""),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "heic"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic", "heic"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "avif"),
        (b"\0\0\0\x18ftypM4A \0\0\0\0M4A ", ""),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "svg"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a -->\n<!DOCTYPE svg [<!ENTITY a 'b'>]>\n<svg>", "svg"),
        (b"<html><body>an <svg> in a page</body></html>", ""),
        (b"BM\x36\0\0\0\0\0\0\0", "bmp"),
        (b"%PDF-1.7", ""),
        (b"", ""),
    ],
)
def test_a_picture_is_told_by_its_bytes(head: bytes, format: str) -> None:
    assert detect_picture(head) == format
