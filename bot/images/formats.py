"""The formats of pictures, told by a file's first bytes: neither name nor announced type is believed."""

from __future__ import annotations

import re

from bot.core.values import File

# What is decoded here → the decoder's own name for it. HEIC takes the extra `images`.
DECODED = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP", "gif": "GIF", "heic": "HEIF"}
# What people call the others.
CALLED = {
    "heic": "a HEIC picture", "avif": "an AVIF picture", "tiff": "a TIFF picture", "bmp": "a BMP picture",
    "psd": "a Photoshop file", "ico": "an icon", "jxl": "a JPEG XL picture", "jp2": "a JPEG 2000 picture",
    "svg": "an SVG drawing",
}  # fmt: skip
HEAD_BYTES = 4_096
_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"8BPS", "psd"),
    (b"\x00\x00\x01\x00", "ico"),
    (b"\xff\x0a", "jxl"),
    (b"\x00\x00\x00\x0cJXL ", "jxl"),
    (b"\x00\x00\x00\x0cjP  ", "jp2"),
)
# Brands of ISO base media files that hold pictures. Sources: ISO/IEC 23008-12, AV1 Image File Format.
_HEIC_BRANDS = frozenset([b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"])
_AVIF_BRANDS = frozenset([b"avif", b"avis"])
_SVG = re.compile(rb"<(?:\w{1,20}:)?svg[\s/>]")
_BOM = b"\xef\xbb\xbf"


def may_be_picture(file: File) -> bool:
    """Whether a file is announced as a picture."""
    return file.mime.startswith("image/")


def detect_picture(head: bytes) -> str:
    """The format of a picture by its first bytes (`HEAD_BYTES` are enough); "" for any other file."""
    for start, format in _STARTS:
        if head.startswith(start):
            return format
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return "bmp"
    if head[4:8] == b"ftyp":
        return _detect_brand(head)
    return "svg" if _SVG.match(_skip_prologue(head[:HEAD_BYTES].removeprefix(_BOM))) else ""


def _skip_prologue(head: bytes) -> bytes:
    """XML from its first element on."""
    while (head := head.lstrip()).startswith((b"<?", b"<!")):
        inner = head.startswith(b"<!D") and b"[" in head.partition(b">")[0]
        end = b"?>" if head[1:2] == b"?" else b"-->" if head.startswith(b"<!--") else b"]" if inner else b">"
        head = head.partition(end)[2].removeprefix(b">")
    return head


def _detect_brand(head: bytes) -> str:
    """By the brands that a file names: the first is what it is, mif1 may be either."""
    box = head[8 : min(int.from_bytes(head[:4], "big"), 128)]
    brands = [box[:4], *(box[at : at + 4] for at in range(8, len(box), 4))]
    if brands[0] in _AVIF_BRANDS or (brands[0] in (b"mif1", b"msf1") and _AVIF_BRANDS.intersection(brands)):
        return "avif"
    return "heic" if brands[0] in _HEIC_BRANDS else ""
