"""What a sheet holds beside its rows: merged cells, notes, text boxes; and what it hides or lacks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from xml.etree.ElementTree import Element

from bot.documents.drawings import Relations, shape_text
from bot.documents.found_text import FoundText
from bot.documents.packages import Package, child, local

Area = tuple[int, int, int, int]  # rows and columns of merged cells: top, left, bottom, right

CELL = 32_767  # characters; no spreadsheet takes more
MOST_MERGED = 5_000
LONGEST_CELL = 9_000  # bytes of a formula and around it
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell [^>]*?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
_HIDDEN = re.compile(rb'<(?:\w+:)?(?:row|col) [^>]{0,500}?hidden="(?:1|true)"')
# A formula whose value is missing; one of no letters is told by its kind.
_UNSAVED = re.compile(
    rb'<(?:\w+:)?c (?![^>]{0,200}t="str")[^>]{0,200}>\s*<(?:\w+:)?f[^>]{0,200}>[^<]{0,8200}</(?:\w+:)?f>\s*'
    rb"(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?\s*</(?:\w+:)?c>"
)


@dataclass(frozen=True, slots=True)
class LookedThrough:
    """What a sheet is besides its rows."""

    merged: list[Area]
    hidden: bool  # some rows or columns are
    unsaved: bool  # some formulas have no value


def look_through(package: Package, part: str) -> LookedThrough:
    """What stands behind the rows, or is rarely needed of them: the bytes are searched, not read twice."""
    hidden = unsaved = False
    merged = b""
    with package.open(part) as stream:
        before = b""
        while data := stream.read(1 << 20):
            data = before + data
            hidden = hidden or bool(_HIDDEN.search(data))
            unsaved = unsaved or bool(_UNSAVED.search(data))
            at = data.find(b"mergeCells")
            if at >= 0:
                merged = data[at:] + stream.read(1 << 20)
                break
            before = data[-LONGEST_CELL:]
    areas = []
    for match in islice(_MERGED.finditer(merged), MOST_MERGED):
        left, top, right, bottom = (one.decode() for one in match.groups())
        areas.append((int(top), column_of(left), int(bottom), column_of(right)))
    return LookedThrough(areas, hidden, unsaved)


def read_comments(package: Package, relations: Relations) -> dict[str, str]:
    """What people wrote to cells, by the cell's place."""
    part = next((part for kind, part in relations.values() if kind == "comments"), "")
    found = {}
    for one in package.elements(part, frozenset({"comment"})):
        text = plain_text(child(one, "text"))[:CELL]
        # In front of a talk about a cell stands a notice for programs that do not know such.
        text = text.partition("Comment:")[2] if text.startswith("[Threaded comment]") else text
        found[one.get("ref", "")] = " ".join(text.split())
    return found


def add_text_boxes(package: Package, relations: Relations, place: str, found: FoundText) -> None:
    part = next((part for kind, part in relations.values() if kind == "drawing"), "")
    texts = [shape_text(shape) for shape in package.elements(part, frozenset({"sp"}))]
    found.add("\n\n".join(filter(None, texts)), heading=place, place=f"{place}, text box")


def plain_text(element: Element | None) -> str:
    """Text of a string, of all its runs; how it is pronounced is left out."""
    if element is None:
        return ""
    parts = [element, *(part for part in element if local(part.tag) == "r")]
    return "".join(one.text or "" for part in parts for one in part if local(one.tag) == "t")


def column_of(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
