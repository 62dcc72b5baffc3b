"""What becomes of a file: its text in sections that know their place, and the chunks that are cut from it.

A section is a stretch of text under one heading on one page; the document's text is its sections' texts,
joined by `BETWEEN`. All positions are characters in that joined text.
"""

from __future__ import annotations

from dataclasses import dataclass

BETWEEN = "\n\n"  # between two sections in the joined text
NOTE = "note"  # the kind of what somebody asked to have remembered
UNDER = " › "  # between a heading and the one under it


@dataclass(frozen=True, slots=True)
class Section:
    """Text that stands in one place."""

    text: str
    heading: str = ""  # the headings above it, outermost first, joined by `UNDER`
    page: int = 0  # page or slide, from 1; 0 where the format has none
    place: str = ""  # for a person: "page 3", "slide 2", "Prices, rows 2–40"
    table_header: str = ""  # not empty: each line of `text` is a row of the table with this header line


@dataclass(frozen=True, slots=True)
class SkippedPage:
    """A page that could not be read, and why, for a person."""

    page: int
    reason: str


@dataclass(frozen=True, slots=True)
class DocumentText:
    """All that was read of a file."""

    kind: str  # "pdf", "docx", "pptx", "xlsx", "csv", "markdown", "text", "html", "code", …
    title: str  # as the document says itself; else its name
    sections: tuple[Section, ...]
    pages: int  # pages or slides in all; 0 where the format has none
    skipped: tuple[SkippedPage, ...] = ()
    cut: bool = False  # it goes on, but no more of it is read
    notes: tuple[str, ...] = ()  # what a person should know of it besides: "it has a hidden sheet: Costs"

    @property
    def text(self) -> str:
        return BETWEEN.join(section.text for section in self.sections)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document, large enough to answer from and small enough to find.

    The document's text from `start` to `end` is the end of `text`; before it stands only a table's header.
    """

    number: int  # from 0, in reading order
    text: str
    heading: str
    page: int
    place: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ReadingLimits:
    """How much of a file is read, and what reading it may take."""

    file_bytes: int = 100_000_000
    memory_bytes: int = 300 << 20
    cpu_s: float = 90.0  # of one process
    characters: int = 5_000_000  # of text; what follows is cut
    pages: int = 3_000
    scanned_pages: int = 100  # so many pages that are pictures are read, where tesseract is installed
    unpacked_bytes: int = 200_000_000  # of everything in a packed format
