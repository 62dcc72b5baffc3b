"""Reads plain text, code and Markdown: text whose structure, if any, is written in its own lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from bot.documents.found_text import FoundText
from bot.documents.outline import Outline

CODE_LINES = 40  # in one section
LONG_LINE = 2_000
_FENCE = re.compile(r"\s{0,3}(```+|~~~+)")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_UNDERLINE = re.compile(r"\s{0,3}(=+|-+)\s*$")
_ATTRIBUTES = re.compile(r"\s*\{[#.][^{}]*\}$")
_COMMENT = re.compile(r"<!--.{0,5000}?-->", re.DOTALL)
_DATA = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]{40,}?(?=[^A-Za-z0-9+/=\s]|$)")
_BARS = re.compile(r"(?<!\\)\|")


def read_text(text: str, found: FoundText) -> None:
    """One section: paragraphs are found by whoever cuts it."""
    found.add(text)


def read_code(text: str, found: FoundText) -> None:
    """Sections of some lines each, so that an answer can say which ones; cut where nothing is indented."""
    lines = text.splitlines()
    start = 0
    while start < len(lines):
        end = min(start + CODE_LINES, len(lines))
        if end < len(lines):
            free = [at for at in range(start + CODE_LINES // 2, end + 1) if lines[at][:1].strip()]
            end = free[-1] if free else end
        place = f"line {end}" if end == start + 1 else f"lines {start + 1}–{end}"
        found.add("\n".join(lines[start:end]), place=place)
        start = end


def read_markdown(text: str, found: FoundText) -> None:
    """Sections by heading; tables as rows."""
    text, found.title = _front_matter(text)
    outline = Outline(found)
    outline_markdown(_without_bytes(text), outline)
    outline.finish()


def read_notebook(text: str, found: FoundText) -> None:
    """A notebook's cells: text under its headings, code, and what it printed. One that is none: as code."""
    try:
        cells = json.loads(text)["cells"]
        told = [_cell(cell) for cell in cells]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        read_code(text, found)
        return
    outline = Outline(found)
    outline_markdown(_without_bytes("\n\n".join(told)), outline)
    outline.finish()


def _cell(cell: dict[str, Any]) -> str:
    source = "".join(cell["source"])
    if cell["cell_type"] != "code":
        return source
    printed = ["".join(one.get("text", "")) for one in cell.get("outputs", [])]
    return "\n".join(f"```\n{part.rstrip()}\n```" for part in (source, *printed) if part.strip())


def _without_bytes(text: str) -> str:
    """Without pictures that are written into the text, letter by letter."""
    return _DATA.sub("", text)


def outline_markdown(text: str, outline: Outline) -> None:
    """Writes Markdown into an outline."""
    lines = text.splitlines()
    held: list[str] = []
    at, fence = 0, ""
    while at < len(lines):
        line = lines[at][:LONG_LINE] if len(lines[at]) > LONG_LINE else lines[at]
        mark = _FENCE.match(line)
        if fence or mark:
            fence = _next_fence(fence, mark[1] if mark else "")
            held.append(lines[at])
        elif heading := _HEADING.match(line):
            _hold(held, outline)
            outline.enter(len(heading[1]), _ATTRIBUTES.sub("", heading[2]))
        elif held and held[-1].strip() and _is_underline(line, held):
            title = held.pop()
            _hold(held, outline)
            outline.enter(1 if "=" in line else 2, title)
        elif "|" in line and at + 1 < len(lines) and _is_rule(lines[at + 1]) and _row_follows(lines, at):
            rows = list(_table_rows(lines[at + 2 :]))
            _hold(held, outline)
            outline.add_table(rows, header=_cells(line))
            at += 1 + len(rows)
        else:
            held.append(lines[at])
        at += 1
    _hold(held, outline)


def _hold(held: list[str], outline: Outline) -> None:
    """What is held is text; comments in it, outside code, are seen by nobody."""
    text = "\n".join(held)
    outline.hold(text if "```" in text or "~~~" in text else _COMMENT.sub("", text))
    held.clear()


def _next_fence(open_: str, mark: str) -> str:
    """The fence that is open after a line: code ends with a mark as long as the one it began with."""
    if not open_:
        return mark
    return "" if mark.startswith(open_) else open_


def _is_underline(line: str, held: list[str]) -> bool:
    alone = len(held) == 1 or not held[-2].strip()
    return alone and len(line) < LONG_LINE and bool(_UNDERLINE.match(line)) and "|" not in held[-1]


def _is_rule(line: str) -> bool:
    return len(line) < LONG_LINE and "|" in line and "-" in line and not line.strip("|-: \t")


def _row_follows(lines: list[str], at: int) -> bool:
    return at + 2 < len(lines) and "|" in lines[at + 2]


def _table_rows(lines: Iterable[str]) -> Iterator[list[str]]:
    for line in lines:
        if "|" not in line or not line.strip():
            return
        yield _cells(line)


def _cells(line: str) -> list[str]:
    inside = line.strip().removeprefix("|")
    inside = inside[:-1] if inside.endswith("|") and not inside.endswith("\\|") else inside
    return [cell.strip().replace("\\|", "|") for cell in _BARS.split(inside)]


def _front_matter(text: str) -> tuple[str, str]:
    """The text after a YAML block at its beginning, and the title that stands in there."""
    head = re.match(r"\s*---[ \t]*\n(.{0,5000}?)\n---[ \t]*\n", text, re.DOTALL)
    if not head:
        return text, ""
    title = re.search(r"^title:\s*[\"']?(.*?)[\"']?\s*$", head[1], re.MULTILINE)
    return text[head.end() :], title[1] if title else ""
