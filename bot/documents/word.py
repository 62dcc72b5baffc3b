"""Reads DOCX: paragraphs under their headings, lists, tables as rows, footnotes where they are referred to.

Comments and what is hidden or struck out by tracked changes are left out; headers and footers are told once,
behind the text. Pages are known where Word noted, as it saved, how it had divided them.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from bot.core.limited_child import FileRefused
from bot.documents.drawings import Relations, chart_rows, diagram_text
from bot.documents.found_text import PAGE_NUMBER, FoundText, honest_title
from bot.documents.outline import Outline
from bot.documents.packages import DAMAGED, Package, attribute, child, local
from bot.documents.tables import header_depth, join_headers
from bot.documents.values import BETWEEN
from bot.documents.word_lists import Numbering
from bot.documents.word_text import header_rows, table_rows, text_of, value_of

MAIN = "word/document.xml"
_PAGE_ENDS = "lastRenderedPageBreak"
LONGEST_HEADING = 300
_TITLE_LEVEL = 0.5


def read_word(package: Package, found: FoundText) -> None:
    """All of the body, in its order."""
    if MAIN not in package.names:
        raise FileRefused(DAMAGED)
    found.title = honest_title(package.title())
    relations = package.relations(MAIN)
    drawings = _Drawings(package, relations)
    body = _Body(Outline(found), Styles(package), Numbering(package), _notes(package), drawings)
    if any(True for _ in package.elements(MAIN, frozenset({_PAGE_ENDS}))):
        body.begin_page(1)
    for block in package.elements(MAIN, frozenset({"p", "tbl"})):
        body.add(block)
    body.outline.finish()
    found.pages = body.page
    found.add("\n".join(_around(package, relations)), place="header or footer")


def _around(package: Package, relations: Relations) -> list[str]:
    """Lines of headers and footers, each once, without page numbers."""
    lines: dict[str, None] = {}
    for part in dict.fromkeys(part for kind, part in relations.values() if kind in ("header", "footer")):
        for paragraph in package.elements(part, frozenset({"p"})):
            lines |= dict.fromkeys(filter(None, map(str.strip, text_of(paragraph, {}).splitlines())))
    return [line for line in lines if not PAGE_NUMBER.fullmatch(line)]


class Styles:
    """Which paragraph styles are headings, and of what level."""

    def __init__(self, package: Package) -> None:
        self.levels: dict[str, float] = {}
        self.lists: dict[str, tuple[str, str]] = {}
        based: dict[str, str] = {}
        for style in package.elements("word/styles.xml", frozenset({"style"})):
            name = attribute(style, "styleId")
            based[name] = value_of(child(style, "basedOn"))
            level = _heading_level(style)
            if level is not None:
                self.levels[name] = level
            if listed := _list_of(child(style, "pPr")):
                self.lists[name] = listed
        for name in based:
            self._inherit(name, based)

    def _inherit(self, name: str, based: dict[str, str]) -> None:
        ancestor, seen = based.get(name, ""), {name}
        while ancestor and ancestor not in seen:
            if ancestor in self.levels:
                self.levels.setdefault(name, self.levels[ancestor])
            if ancestor in self.lists:
                self.lists.setdefault(name, self.lists[ancestor])
            seen.add(ancestor)
            ancestor = based.get(ancestor, "")


def _heading_level(style: Element) -> float | None:
    name = value_of(child(style, "name")).lower()
    if name == "title":
        return _TITLE_LEVEL
    if name.startswith("heading ") and name[8:].isdigit():
        return float(name[8:])
    return _outline(child(style, "pPr"))


def _outline(properties: Element | None) -> float | None:
    value = value_of(child(properties, "outlineLvl"))
    return float(value) + 1 if value.isdigit() and int(value) < 9 else None


def _list_of(properties: Element | None) -> tuple[str, str] | None:
    numbering = child(properties, "numPr")
    if numbering is None:
        return None
    return value_of(child(numbering, "numId")), value_of(child(numbering, "ilvl")) or "0"


def _notes(package: Package) -> dict[str, str]:
    """Footnotes and endnotes by the kind and number that refer to them."""
    found = {}
    for part, tag in (("word/footnotes.xml", "footnote"), ("word/endnotes.xml", "endnote")):
        for note in package.elements(part, frozenset({tag})):
            found[f"{tag}{attribute(note, 'id')}"] = " ".join(text_of(note, {}).split())
    return found


@dataclass(frozen=True, slots=True)
class _Drawings:
    """Charts and boxes with arrows, whose words stand in parts of their own."""

    package: Package
    relations: Relations

    def tell(self, block: Element, outline: Outline) -> None:
        for drawing in (part for part in block.iter() if local(part.tag) == "drawing"):
            if rows := list(chart_rows(self.package, drawing, self.relations)):
                outline.add_table(rows[1:], header=rows[0])
            outline.hold(diagram_text(self.package, drawing, self.relations))


@dataclass
class _Body:
    outline: Outline
    styles: Styles
    numbering: Numbering
    notes: dict[str, str]
    drawings: _Drawings
    page: int = 0  # 0: not known

    def begin_page(self, page: int) -> None:
        self.page = page
        self.outline.move(page=page, place=f"page {page}")

    def add(self, block: Element) -> None:
        """A paragraph or table; one that goes on at the next page belongs to the page it begins on."""
        ends, before = _count_page_ends(block)
        if before:
            self.begin_page(self.page + 1)
        if local(block.tag) == "tbl":
            self._add_table(table_rows(block, self.notes), header_rows(block))
        else:
            self._add_paragraph(block)
        self.drawings.tell(block, self.outline)
        if more := ends - before:
            self.begin_page(self.page + more)

    def _add_paragraph(self, block: Element) -> None:
        text, _, boxes = text_of(block, self.notes).strip("\n").partition(BETWEEN)
        if not text.strip():
            self.outline.hold(boxes)
            return
        properties = child(block, "pPr")
        style = value_of(child(properties, "pStyle"))
        level = _outline(properties)
        level = self.styles.levels.get(style) if level is None else level
        listed = _list_of(properties) or self.styles.lists.get(style)
        if listed:
            text = self.numbering.mark(listed, heading=level is not None) + text
        if level is None or len(text) > LONGEST_HEADING:
            self.outline.hold(text, joined=bool(listed))
        else:
            self.outline.enter(level, text)
        self.outline.hold(boxes)

    def _add_table(self, rows: list[list[str]], marked: int) -> None:
        if max(map(len, rows), default=0) > 1:
            depth = max(header_depth(rows), marked if marked < len(rows) else 0)
            self.outline.add_table(rows[depth:], header=join_headers(rows[:depth]) if depth else None)
            return
        for row in rows:  # a box around text
            self.outline.hold("\n".join(row))


def _count_page_ends(block: Element) -> tuple[int, int]:
    """How often a page ends within a block, and whether (1) that is before its first word."""
    ends, before, words = 0, 0, False
    for part in block.iter():
        name = local(part.tag)
        if name == _PAGE_ENDS:
            ends += 1
            before += not words and not before
        words = words or (name == "t" and bool((part.text or "").strip()))
    return ends, before
