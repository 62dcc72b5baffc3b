"""Reads HTML: the main text under its headings, tables as rows; nothing that runs, navigates or is hidden."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html.parser import HTMLParser

from bot.documents.found_text import FoundText
from bot.documents.outline import Outline

_SILENT = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "iframe",
        "object",
        "canvas",
        "head",
        "select",
        "button",
        "dialog",
    ]
)
_AROUND = frozenset(["nav", "footer", "aside", "header"])  # left out of a page that has something else
_COUNTED = _AROUND | {"main", "article", "pre"}
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "blockquote",
        "body",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "html",
        "li",
        "main",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "td",
        "th",
        "tr",
        "ul",
        "nav",
        "footer",
        "aside",
        "header",
        "form",
        "caption",
        "thead",
        "tbody",
        "tfoot",
    ]
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0", re.IGNORECASE)
_ITEM = re.compile(r"- |\d+\. ")
MOST_SPAN = 50
LEAST_MAIN = 200  # characters that make the part called main the main text


def read_html(text: str, found: FoundText) -> None:
    """Of the part that calls itself main where there is one, else of all that is not around it."""
    page = PageParser()
    page.feed(text)
    page.close()
    page.end_block()
    found.title = page.title.strip()
    main = [block for block in page.blocks if block.main]
    if sum(len(block.text) for block in main) < LEAST_MAIN:
        main = [block for block in page.blocks if not block.around] or page.blocks
    tell_blocks(main, found)


@dataclass(frozen=True, slots=True)
class PageBlock:
    """A paragraph, heading or table, and what part of the page it is in."""

    text: str
    level: int  # of a heading; 0 of anything else
    rows: tuple[tuple[str, ...], ...]  # of a table
    main: bool
    around: bool


def tell_blocks(blocks: Iterable[PageBlock], found: FoundText) -> None:
    outline = Outline(found)
    for block in blocks:
        if block.level:
            outline.enter(block.level, block.text)
        elif block.rows:
            outline.add_table(block.rows)
        else:
            outline.hold(block.text, joined=bool(_ITEM.match(block.text)))
    outline.finish()


class PageParser(HTMLParser):
    """Blocks of a page, in order. Tags that are never closed end with what is around them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.blocks: list[PageBlock] = []
        self._text: list[str] = []
        self._level = 0
        self._open: dict[str, int] = {}  # how many of each tag that matters are open
        self._silent = ""  # the tag whose end brings the text back
        self._silent_depth = 0
        self._in_title = False
        self._lists: list[int] = []  # number of the next item of each that is open; 0 where they have none
        self._tables: list[_Table] = []  # those that are open, outermost first

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "title":
            self._in_title = not self.title
        elif self._silent == "head" and tag == "body":
            self._silent = ""
        elif self._silent:
            self._silent_depth += tag == self._silent
        elif tag not in _VOID and (tag in _SILENT or _is_hidden(dict(attrs))):
            self._silent, self._silent_depth = tag, 1
        else:
            self._begin(tag, dict(attrs))

    def _begin(self, tag: str, attributes: dict[str, str | None]) -> None:
        if tag in _COUNTED:
            self.end_block()
            self._open[tag] = self._open.get(tag, 0) + 1
        if tag == "table":
            self._end_cell() if self._tables else self.end_block()
            self._tables.append(_Table())
        elif tag == "tr" and self._tables:
            self._end_cell()
            self._tables[-1].begin_row()
        elif tag in ("td", "th") and self._tables:
            self._end_cell()
            self._tables[-1].begin_cell(_span(attributes, "colspan"), _span(attributes, "rowspan"))
        elif tag == "br":
            self._text.append("\n")
        elif tag in _BLOCKS and not self._tables:
            self.end_block()
            self._level = _HEADINGS.get(tag, 0)
            if tag in ("ol", "ul"):
                self._lists.append(_span(attributes, "start") if tag == "ol" else 0)
            elif tag == "li":
                self._text.append(self._mark())
        elif tag in _BLOCKS:
            self._text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        if self._silent:
            self._silent_depth -= tag == self._silent
            if not self._silent_depth or tag == "body":
                self._silent = ""
            return
        if self._tables and tag in ("td", "th", "tr", "table"):
            self._end_cell()
            if tag == "table":
                self._end_table()
        elif tag in _BLOCKS and not self._tables:
            self.end_block()
            if tag in ("ol", "ul") and self._lists:
                self._lists.pop()
        if tag in _COUNTED and self._open.get(tag):
            self._open[tag] -= 1

    def _mark(self) -> str:
        """What stands before an item of the innermost list."""
        number = self._lists[-1] if self._lists else 0
        if number:
            self._lists[-1] += 1
        return f"{number}. " if number else "- "

    def handle_data(self, data: str) -> None:
        if self._in_title and not self.blocks and len(self.title) < 300:
            self.title += data
        elif not self._silent:
            self._text.append(data if self._open.get("pre") else " ".join(_edges(data)))

    def end_block(self) -> None:
        """What was written since the last block is one."""
        text = "".join(self._text)
        text = "\n".join(line.strip() if not self._open.get("pre") else line for line in text.split("\n"))
        if text.strip(" \n-"):
            self._keep(text.strip("\n"), self._level, ())
        self._text.clear()
        self._level = 0

    def _end_cell(self) -> None:
        """What was written since the last cell is one. A table inside a cell is text of it."""
        self._tables[-1].end_cell(" ".join("".join(self._text).split()))
        self._text.clear()

    def _end_table(self) -> None:
        rows = self._tables.pop().rows
        if self._tables:
            self._text.append(" ".join(" ".join(row) for row in rows) + " ")
        elif max(map(len, rows), default=0) <= 1:
            for row in rows:  # made for layout
                self._keep("\n".join(row), 0, ())
        else:
            self._keep("", 0, tuple(tuple(row) for row in rows))

    def _keep(self, text: str, level: int, rows: tuple[tuple[str, ...], ...]) -> None:
        main = any(self._open.get(tag) for tag in ("main", "article"))
        around = any(self._open.get(tag) for tag in _AROUND)
        self.blocks.append(PageBlock(text, level, rows, main and not around, around))


class _Table:
    """Rows as they are shown: a cell that spans several rows is in each of them."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = []
        self._spans: dict[int, tuple[int, str]] = {}  # column → how many rows, from this one on, have what
        self._later: dict[int, tuple[int, str]] = {}  # the same from the next row on
        self._cell: tuple[int, int] | None = None  # columns and rows of the one that is open

    def begin_row(self) -> None:
        self.rows.append([])
        self._spans, self._later = self._spans | self._later, {}
        self._carry()

    def begin_cell(self, columns: int, rows: int) -> None:
        if not self.rows:
            self.begin_row()
        self._cell = columns, rows

    def end_cell(self, text: str) -> None:
        if self._cell is None:
            if text:
                self.rows.append([text])
            return
        (columns, rows), self._cell = self._cell, None
        row = self.rows[-1]
        if rows > 1:
            self._later[len(row)] = (rows - 1, text)
        row += [text, *[""] * (columns - 1)]
        self._carry()

    def _carry(self) -> None:
        row = self.rows[-1]
        while len(row) in self._spans:
            column = len(row)
            left, text = self._spans.pop(column)
            if left > 1:
                self._later[column] = (left - 1, text)
            row.append(text)


def _span(attributes: dict[str, str | None], name: str) -> int:
    value = (attributes.get(name) or "").strip()
    return min(max(int(value), 1), MOST_SPAN) if value.isascii() and value.isdigit() and len(value) < 6 else 1


def _is_hidden(attributes: dict[str, str | None]) -> bool:
    if "hidden" in attributes or attributes.get("aria-hidden") == "true":
        return True
    return bool(_HIDDEN_STYLE.search(attributes.get("style") or ""))


def _edges(data: str) -> list[str]:
    """Words with one blank between, and one at an end that had any."""
    words = data.split()
    if not words:
        return ["", ""] if data else []
    return [*([""] if data[0].isspace() else []), *words, *([""] if data[-1].isspace() else [])]
