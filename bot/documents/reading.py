"""Reads a file that somebody shared: in a process of its own, which tells its type by its bytes.

The process has ceilings on memory, time and output and no network (bot/core/limited_process.py). When a page
makes it end, the pages before it are kept, that page is named, and another process reads on behind it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.core.errors import FileTooLarge, UnsupportedFile
from bot.core.limited_process import LimitedProcess, ProcessLimits, limited_process
from bot.documents.found_text import assemble
from bot.documents.values import DocumentText, ReadingLimits

ReadingProgress = Callable[[int, int], None]  # pages done, pages in all

MODULE = "bot.documents.reading_process"
STALL_S = 90.0  # beyond what the processor time of a page takes on a busy machine
MOST_ENDED = 3  # pages that may end their process before no more of the file is read
TOO_LONG = "reading it takes too long"
TOO_HARD = "it cannot be read within the memory that I give to a file, or it is damaged"
NO_TEXT = "there is no text in it"


async def read_document(
    path: Path, name: str, limits: ReadingLimits, *, progress: ReadingProgress | None = None
) -> DocumentText:
    """The text of a file. `name` is for its title, for the kind of text it is, and for the errors.

    UnsupportedFile says in a sentence what is wrong with it (a type that is not read, locked with a password,
    empty, damaged, hostile); FileTooLarge.
    """
    size = path.stat().st_size
    if not size:
        raise UnsupportedFile(name, "it is empty")
    if size > limits.file_bytes:
        raise FileTooLarge(name, f"{limits.file_bytes // 1_000_000} MB")
    reading = _Reading(path, name, limits, progress)
    while not await reading.attempt():
        pass
    return _finished(reading, name)


def _finished(reading: _Reading, name: str) -> DocumentText:
    document = assemble(reading.lines, name)
    if document is None:
        raise UnsupportedFile(name, reading.problem or TOO_HARD)
    if not document.sections:
        raise UnsupportedFile(name, _why_nothing(document))
    return document


def _why_nothing(document: DocumentText) -> str:
    reasons = {page.reason for page in document.skipped}
    if len(reasons) != 1:
        return NO_TEXT
    pages = "its page" if len(document.skipped) == 1 else f"each of its {len(document.skipped)} pages"
    return f"{NO_TEXT}; of {pages}: {reasons.pop()}"


@dataclass
class _Reading:
    """What is known of a file so far, over as many processes as it takes."""

    path: Path
    name: str
    limits: ReadingLimits
    progress: ReadingProgress | None
    lines: list[dict[str, Any]] = field(default_factory=list)
    problem: str = ""
    read: int = 0  # pages that are done
    pages: int = 0
    begun: int = 0  # the page that is being looked at
    ended: list[int] = field(default_factory=list)  # pages that ended their process

    async def attempt(self) -> bool:
        """One process; whether there is nothing left to do."""
        ceilings = ProcessLimits(
            self.limits.memory_bytes, self.limits.cpu_s, stall_s=STALL_S, may_start=bool(self._tesseract)
        )
        self.begun = 0
        async with limited_process(MODULE, self._orders(), self.path, limits=ceilings) as process:
            async for line in process.lines():
                if self._take(line):
                    return True
            return await self._go_on(process)

    def _take(self, line: dict[str, Any]) -> bool:
        """Whether it is the last one."""
        if "refused" in line:
            # Of a page that needs too much, the others are read all the same.
            if self.begun:
                return False
            raise UnsupportedFile(self.name, line["refused"])
        if "begun" in line:
            self.begun, self.pages = line["begun"], line["of"]
        elif "done" in line:
            self.read = max(self.read, line["done"])
            if self.progress and line["of"]:
                self.progress(line["done"], line["of"])
        else:
            self.lines.append(line)
        return "document" in line

    async def _go_on(self, process: LimitedProcess) -> bool:
        """After a process that ended before it was done: whether the file is given up."""
        why = TOO_LONG if await process.out_of_time() else TOO_HARD
        if not self.begun or len(self.ended) >= MOST_ENDED or self.begun in self.ended:
            self.problem = why
            return self._close(why)
        self.ended.append(self.begun)
        self.lines.append({"skipped": {"page": self.begun, "reason": why}})
        return False

    def _close(self, why: str) -> bool:
        """Keeps the pages that were read, and says where it ends."""
        if any("section" in line for line in self.lines):
            self.lines.append(
                {"skipped": {"page": self.read + 1, "reason": f"{why}; no page from here on is read"}}
            )
            self.lines.append({"document": {"kind": "pdf", "title": "", "pages": self.pages, "cut": True}})
        return True

    def _orders(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "characters": self.limits.characters - sum(_length(line) for line in self.lines),
            "pages": self.limits.pages,
            "unpacked_bytes": self.limits.unpacked_bytes,
            "first_page": self.read + 1,
            "left_out": self.ended,
            "tesseract": self._tesseract,
            "scanned_pages": self.limits.scanned_pages,
        }

    @property
    def _tesseract(self) -> str:
        return shutil.which("tesseract") or "" if self.limits.scanned_pages else ""


def _length(line: dict[str, Any]) -> int:
    return len(line["section"]["text"]) if "section" in line else 0
