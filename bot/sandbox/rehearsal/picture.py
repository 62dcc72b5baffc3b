"""Draws a small landscape from a prompt, as PNG or SVG: the image of the rehearsal model."""

from __future__ import annotations

import colorsys
import math
import struct
import zlib

_COARSE = 4  # pixels are drawn as squares of this size, so that 1024 × 1024 takes milliseconds
_SKY = 48  # palette entries 0 … 47: sky from top to horizon; then sun and three hills


def png(prompt: str, width: int, height: int) -> bytes:
    """An indexed PNG of the given size; the same prompt gives the same picture."""
    seed = zlib.crc32(prompt.encode())
    columns, lines = -(-width // _COARSE), -(-height // _COARSE)
    rows = []
    for line in range(lines):
        coarse = bytes(_pixel(seed, x / columns, line / lines, columns / lines) for x in range(columns))
        row = b"\0" + b"".join(bytes([pixel]) * _COARSE for pixel in coarse)[:width]
        rows += [row] * _COARSE
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    palette = b"".join(bytes(colour) for colour in _palette(seed))
    body = zlib.compress(b"".join(rows[:height]), 6)
    parts = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_part(kind, data) for kind, data in parts)


def svg(prompt: str, width: int, height: int) -> bytes:
    seed = zlib.crc32(prompt.encode())
    colours = [f"#{r:02x}{g:02x}{b:02x}" for r, g, b in _palette(seed)]
    x, y = _sun(seed)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f'<rect width="100%" height="100%" fill="{colours[_SKY // 2]}"/>'
        f'<circle cx="{x * width:.0f}" cy="{y * height:.0f}" r="{height / 10:.0f}" '
        f'fill="{colours[_SKY]}"/></svg>'
    ).encode()


def _part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _palette(seed: int) -> list[tuple[int, int, int]]:
    hue = (seed % 360) / 360
    steps = [i / (_SKY - 1) for i in range(_SKY)]
    sky = [(hue + 0.12 * t, 0.55 - 0.3 * t, 0.55 + 0.42 * t) for t in steps]
    rest = [
        (hue + 0.15, 0.25, 1.0),
        (hue + 0.45, 0.35, 0.62),
        (hue + 0.5, 0.45, 0.46),
        (hue + 0.55, 0.5, 0.3),
    ]
    return [_rgb(*colour) for colour in sky + rest]


def _rgb(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def _sun(seed: int) -> tuple[float, float]:
    return 0.2 + (seed >> 8 & 255) / 255 * 0.6, 0.2 + (seed >> 16 & 255) / 255 * 0.2


def _pixel(seed: int, x: float, y: float, aspect: float) -> int:
    """The palette entry at a point of the unit square."""
    for hill in (2, 1, 0):
        phase = (seed >> (4 * hill) & 15) + 2.0 * hill
        wave = 0.07 * math.sin(x * (5 + 2 * hill) + phase) + 0.03 * math.sin(x * 17 + phase)
        ridge = 0.62 + 0.13 * hill - wave
        if y > ridge:
            return _SKY + 1 + hill
    sun_x, sun_y = _sun(seed)
    if ((x - sun_x) * aspect) ** 2 + (y - sun_y) ** 2 < 0.01:
        return _SKY
    return min(_SKY - 1, int(y / 0.75 * _SKY))
