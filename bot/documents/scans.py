"""Reads pages that are pictures, with tesseract where it is installed."""

from __future__ import annotations

import subprocess
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

DOTS_PER_INCH = 200
LONGEST_SIDE = 4_000  # pixels
MANY_PATHS = 40  # letters drawn as outlines
LARGE = 0.6  # of the page: what a scanner makes covers it
MOST_LANGUAGES = 4
NO_TESSERACT = "it is a picture, and text recognition (tesseract) is not installed where I run"


class Recogniser:
    """Recognises the text of some pages."""

    def __init__(self, orders: dict[str, Any]) -> None:
        self._program = orders["tesseract"]
        self._most = self._left = orders["scanned_pages"]
        self._languages = ""

    def is_picture(self, page: pdfium.PdfPage, *, whole: bool) -> bool:
        """Whether something is drawn on a page that has no text; `whole`: a picture as large as the page."""
        paths = 0
        least = LARGE * page.get_width() * page.get_height() if whole else 0.0
        for one in page.get_objects(max_depth=3):
            if one.type == pdfium_c.FPDF_PAGEOBJ_IMAGE and (not whole or _area(one) > least):
                return True
            paths += one.type == pdfium_c.FPDF_PAGEOBJ_PATH
            if paths >= MANY_PATHS and not whole:
                return True
        return False

    def read(self, page: pdfium.PdfPage) -> tuple[str, str]:
        """Its text, and if there is none, why."""
        if not self._program:
            return "", NO_TESSERACT
        if not self._left:
            return "", f"it is a picture, and I recognise the text of {self._most} at most"
        self._left -= 1
        picture = _draw(page)
        # With the page's orientation found first, where the data for that is installed.
        text = self._recognise(picture, "1") or self._recognise(picture, "3")
        return text, "" if text.strip() else "it is a picture, and no text was recognised on it"

    def _recognise(self, picture: bytes, segmentation: str) -> str:
        languages = self._languages = self._languages or self._list_languages()
        command = [self._program, "stdin", "stdout", "--psm", segmentation, "-l", languages]
        done = subprocess.run(command, input=picture, capture_output=True, check=False)  # noqa: S603
        return "" if done.returncode else done.stdout.decode("utf-8", "replace")

    def _list_languages(self) -> str:
        done = subprocess.run([self._program, "--list-langs"], capture_output=True, check=False)  # noqa: S603
        found = [line.strip() for line in done.stdout.decode("utf-8", "replace").splitlines()[1:]]
        kept = [one for one in found if one and one not in ("osd", "equ") and "/" not in one]
        return "+".join(kept[:MOST_LANGUAGES]) or "eng"


def _area(picture: pdfium.PdfObject) -> float:
    left, bottom, right, top = picture.get_bounds()
    return float((right - left) * (top - bottom))


def _draw(page: pdfium.PdfPage) -> bytes:
    """The page in grey, as a portable grey map."""
    scale = min(DOTS_PER_INCH / 72, LONGEST_SIDE / max(*page.get_size(), 1.0))
    bitmap = page.render(scale=scale, grayscale=True)
    stride, pixels = bitmap.stride, bytes(bitmap.buffer)
    rows = (pixels[at * stride : at * stride + bitmap.width] for at in range(bitmap.height))
    return b"P5 %d %d 255\n" % (bitmap.width, bitmap.height) + b"".join(rows)
