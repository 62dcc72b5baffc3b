"""Writes pages of text as a PDF: headings, paragraphs, points, tables, and a foot line on each page.

No library: a PDF of text is a list of numbered objects and where each of them begins. A page that does not
hold its text is an error, so that the number of the page is the one that the text says.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.sandbox.documents.text_pages import TextBlock

WIDTH, HEIGHT, MARGIN = 595, 842, 64  # A4, in points
FOOT = 40
SIZES = {"h1": 18, "h2": 13, "text": 10.5, "point": 10.5, "table": 9.5}
_LETTER = 0.5  # of the font's size; the mean width of a letter of Helvetica


@dataclass(frozen=True, slots=True)
class Line:
    x: float
    y: float
    text: str
    size: float
    bold: bool = False


def write_pdf(pages: Sequence[Sequence[TextBlock]], *, title: str) -> bytes:
    objects: list[bytes] = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
        b"<< /Title (" + _escape(title) + b") /Producer (Parley) >>",
    ]
    leaves = []
    for number, blocks in enumerate(pages, 1):
        foot = Line(MARGIN, FOOT, f"{title}  -  page {number} of {len(pages)}", 8)
        drawn = b"\n".join(_draw(line) for line in [*place_lines(blocks), foot])
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>" % (WIDTH, HEIGHT, len(objects))
        )
        leaves.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(leaves), b" ".join(leaves))
    return _join(objects)


def place_lines(blocks: Sequence[TextBlock]) -> Iterator[Line]:
    """The lines of a page from its top; ValueError when they reach its foot."""
    y: float = HEIGHT - MARGIN
    for block in blocks:
        size, bold = SIZES[block.kind], block.kind in ("h1", "h2")
        y -= size * (0.9 if bold else 0.4)
        for line in (
            _place_table(block, y) if block.kind == "table" else _place_text(block, y, size, bold=bold)
        ):
            if line.y < FOOT + 14:
                raise ValueError(f"too much for one page: {line.text}")
            yield line
            y = min(y, line.y)


def _place_text(block: TextBlock, top: float, size: float, *, bold: bool) -> Iterator[Line]:
    x: float = MARGIN + (12 if block.kind == "point" else 0)
    text = f"\u2022 {block.text}" if block.kind == "point" else block.text
    across = int((WIDTH - MARGIN - x) / (size * _LETTER))
    for number, part in enumerate(textwrap.wrap(text, across, break_on_hyphens=False), 1):
        yield Line(x, top - number * size * 1.3, part, size, bold)


def _place_table(block: TextBlock, top: float) -> Iterator[Line]:
    size = SIZES["table"]
    longest = [max(len(row[at]) for row in block.rows) for at in range(len(block.rows[0]))]
    room = (WIDTH - 2 * MARGIN) / (size * _LETTER)
    share = min(room / (sum(longest) + 2 * len(longest)), 2.0)
    letters = [max(int((length + 2) * share), 4) for length in longest]
    y = top
    for number, row in enumerate(block.rows):
        x: float = MARGIN
        cells = [textwrap.wrap(cell, max(width - 1, 3)) for cell, width in zip(row, letters, strict=True)]
        for width, parts in zip(letters, cells, strict=True):
            for at, part in enumerate(parts, 1):
                yield Line(x, y - at * size * 1.3, part, size, number == 0)
            x += width * size * _LETTER
        y -= max(map(len, cells)) * size * 1.3 + 3


def _draw(line: Line) -> bytes:
    font = b"/F2" if line.bold else b"/F1"
    where = b"BT %s %.1f Tf %.1f %.1f Td (" % (font, line.size, line.x, line.y)
    return where + _escape(line.text) + b") Tj ET"


def _escape(text: str) -> bytes:
    plain = text.encode("cp1252")
    return plain.replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _join(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    starts = []
    for number, body in enumerate(objects, 1):
        starts.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    for start in starts:
        out += b"%010d 00000 n \n" % start
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 5 0 R >>\nstartxref\n%d\n" % (len(objects) + 1, table)
    return bytes(out + b"%%EOF\n")
