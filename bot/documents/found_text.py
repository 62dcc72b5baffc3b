"""What a reader finds, on its way from the limited process to us: lines there, values here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any

from bot.documents.values import DocumentText, Section, SkippedPage

PIECE = 20_000  # longest text told in one line
# Made of several letters only for looks, or seen by nobody; a search would miss what they are in.
_INVISIBLE = dict.fromkeys([0x00AD, 0x200B, 0x200C, 0x2060, 0xFEFF, 0xFFFE, 0xFFFF, 0x02])
_LOOKS = {0xA0: " ", 0x2007: " ", 0x202F: " ", 0x2028: "\n", 0x2029: "\n", 0x85: "\n"} | {
    0xFB00 + at: letters for at, letters in enumerate(("ff", "fi", "fl", "ffi", "ffl", "st", "st"))
}
_CONTROLS = {code: " " for code in range(32) if chr(code) not in "\n\t"} | {0x7F: None}
_TABLE = {**_CONTROLS, **_INVISIBLE, **_LOOKS, **dict.fromkeys(range(0xD800, 0xE000), "\ufffd")}
_BREAK = re.compile(r"\r\n?")
_GAPS = re.compile(r"\n{3,}")
_NO_TITLE = re.compile(
    r"\(?(untitled|unbenannt|sans titre|anonymous|no title)\)?|(microsoft|powerpoint|word) ?\w* ?- .*|"
    r"(powerpoint[- ])?pr(e|ä)sentation ?\d*|(document|dokument|book|mappe|slide|folie) ?\d*|"
    r".*\.(docx?|xlsx?|pptx?|pdf|indd|qxd|odt|rtf|html?|tmp)",
    re.IGNORECASE,
)
PAGE_NUMBER = re.compile(
    r"\W*(page|seite|pagina|página|p\.|s\.)?\W*(\d{1,4}|[ivxlc]{1,6})(\W*(of|von|/|de|sur|di|van)\W*\d{1,4})?\W*",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"[\n\t\x20-\x7e]*")


class Enough(Exception):
    """So much text is read that no more of it is kept."""


class FoundText:
    """Takes what a reader finds, cleans it, and says it to whoever reads the document."""

    def __init__(self, write: Callable[..., None], *, characters: int) -> None:
        self._write = write
        self._left = characters
        self.kind = ""
        self.title = ""
        self.pages = 0
        self.found = False

    def add(
        self, text: str, *, heading: str = "", page: int = 0, place: str = "", table_header: str = ""
    ) -> None:
        """A section; Enough when it is the last that is kept."""
        text = tidy(text)
        if not text.strip():
            return
        text, more = text[: self._left], len(text) > self._left
        self._left -= len(text)
        self.found = True
        about = {"heading": one_line(heading)[:300], "page": page, "place": one_line(place)[:200]}
        for piece in pieces(text):
            self._write(section={"text": piece, "table_header": one_line(table_header)[:2_000], **about})
        if more or not self._left:
            raise Enough

    def add_all(self, sections: Iterable[Section]) -> None:
        for section in sections:
            self.add(
                section.text,
                heading=section.heading,
                page=section.page,
                place=section.place,
                table_header=section.table_header,
            )

    def note(self, text: str) -> None:
        """Something that a person should know of the document."""
        self._write(note=text[:300])

    def skip(self, page: int, reason: str) -> None:
        self._write(skipped={"page": page, "reason": reason})

    def begin_page(self, page: int, of: int) -> None:
        """Whatever ends this process from here on, it was this page."""
        self._write(begun=page, of=of)

    def progress(self, done: int, of: int) -> None:
        self._write(done=done, of=of)

    def finish(self, *, cut: bool) -> None:
        about = {"kind": self.kind, "title": one_line(self.title)[:200], "pages": self.pages, "cut": cut}
        self._write(document=about)


def assemble(lines: Iterable[dict[str, Any]], name: str) -> DocumentText | None:
    """The document of such lines; None when the last one is missing."""
    sections: list[Section] = []
    skipped: list[SkippedPage] = []
    notes: list[str] = []
    for line in lines:
        if "section" in line:
            sections.append(Section(**line["section"]))
        elif "skipped" in line:
            skipped.append(SkippedPage(**line["skipped"]))
        elif "note" in line:
            notes.append(line["note"])
        elif "document" in line:
            about = line["document"] | {"title": line["document"]["title"] or name}
            return DocumentText(sections=tuple(sections), skipped=tuple(skipped), notes=tuple(notes), **about)
    return None


def tidy(text: str) -> str:
    """The text as it is kept: what is shown, one way to write each letter, no line ends in blanks."""
    text = _BREAK.sub("\n", text)
    if not _PLAIN.fullmatch(text):
        text = unicodedata.normalize("NFC", text.translate(_TABLE))
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return _GAPS.sub("\n\n", text).strip("\n")


def honest_title(text: str) -> str:
    """A title that somebody gave; nothing where a program made it up."""
    return "" if _NO_TITLE.fullmatch(text.strip()) else text


def one_line(text: str) -> str:
    return " ".join(tidy(text).split())


def pieces(text: str) -> Iterable[str]:
    """A long text in parts, cut at the end of a paragraph or line where there is one."""
    while len(text) > PIECE:
        cut = max(text.rfind("\n\n", PIECE // 2, PIECE), text.rfind("\n", PIECE // 2, PIECE))
        cut = cut if cut > 0 else max(text.rfind(" ", PIECE // 2, PIECE), 0) or PIECE
        yield text[:cut]
        text = text[cut:].lstrip("\n")
    if text.strip():
        yield text
