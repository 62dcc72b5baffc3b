"""Reads PPTX: each slide under its title, text in reading order, tables and charts as rows, and its notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from bot.core.limited_child import FileRefused
from bot.documents.found_text import FoundText, honest_title
from bot.documents.outline import Outline
from bot.documents.packages import DAMAGED, Package, child, local

Relations = Mapping[str, tuple[str, str]]  # id → kind and part
MAIN = "ppt/presentation.xml"
_TITLES = frozenset({"title", "ctrTitle"})
_ELSEWHERE = frozenset({"dt", "ftr", "sldNum", "hdr", "sldImg"})  # what stands on every slide
_SHAPES = frozenset({"sp", "graphicFrame", "grpSp", "cxnSp", "pic"})
BAND = 300_000  # English metric units, a third of an inch: shapes beside each other


def read_slides(package: Package, found: FoundText, *, most: int) -> None:
    """Slides in the order they are shown in, hidden ones marked."""
    slides = _slide_parts(package)
    found.title = honest_title(package.title())
    found.pages = len(slides)
    outline = Outline(found)
    hidden_slides = 0
    for number, part in enumerate(slides[:most], 1):
        for slide in package.elements(part, frozenset({"sld"})):
            hidden = slide.get("show") in ("0", "false")
            hidden_slides += hidden
            outline.move(page=number, place=f"slide {number} (hidden)" if hidden else f"slide {number}")
            _read_slide(slide, package, package.relations(part), outline)
        found.progress(number, len(slides))
    outline.finish()
    if hidden_slides:
        found.note(f"{hidden_slides} of its slides are hidden; they were read too")
    if len(slides) > most:
        found.skip(most + 1, f"I read {most} slides at most")


def _slide_parts(package: Package) -> list[str]:
    if MAIN not in package.names:
        raise FileRefused(DAMAGED)
    relations = package.relations(MAIN)
    found = []
    for one in package.elements(MAIN, frozenset({"sldId"})):
        # The attribute r:id; the element has an id of its own.
        kind, part = relations.get(next((v for k, v in one.items() if k.endswith("}id")), ""), ("", ""))
        if kind == "slide" and part in package.names:
            found.append(part)
    return found


def _read_slide(slide: Element, package: Package, relations: Relations, outline: Outline) -> None:
    shapes = list(_in_reading_order(child(slide, "cSld", "spTree")))
    outline.enter(1, next((_text(shape) for shape in shapes if _placeholder(shape) in _TITLES), ""))
    for shape in shapes:
        if _placeholder(shape) in _TITLES or _placeholder(shape) in _ELSEWHERE:
            continue
        if rows := list(_rows(shape)) or list(_chart(package, shape, relations)):
            outline.add_table(rows)
        else:
            outline.hold(_text(shape) or _diagram(package, shape, relations))
    if notes := _notes(package, relations):
        outline.hold(f"Notes: {notes}")


def _in_reading_order(tree: Element | None) -> Iterator[Element]:
    """Shapes from top to bottom, beside each other from left to right; those without a place stay first."""
    shapes = [part for part in tree if local(part.tag) in _SHAPES] if tree is not None else []
    # Inside mc:AlternateContent the first choice is what is shown.
    for part in tree if tree is not None else ():
        if local(part.tag) == "AlternateContent" and (choice := child(part, "Choice")) is not None:
            shapes += [one for one in choice if local(one.tag) in _SHAPES]
    for shape in sorted(shapes, key=_position):
        if local(shape.tag) == "grpSp":
            yield from _in_reading_order(shape)
        else:
            yield shape


def _position(shape: Element) -> tuple[int, int]:
    properties = child(shape, "spPr") if child(shape, "spPr") is not None else child(shape, "grpSpPr")
    offset = child(properties, "xfrm", "off")
    offset = child(shape, "xfrm", "off") if offset is None else offset
    if offset is None:
        return (-1, -1)
    x, y = (offset.get(name, "0") for name in "xy")
    return (_whole(y) // BAND, _whole(x))


def _whole(value: str) -> int:
    digits = value.removeprefix("-")
    return int(value) if digits.isascii() and digits.isdigit() and len(digits) < 15 else 0


def _placeholder(shape: Element) -> str:
    for name in ("nvSpPr", "nvGraphicFramePr", "nvPicPr"):
        found = child(shape, name, "nvPr", "ph")
        if found is not None:
            return found.get("type", "body")
    return ""


def _text(shape: Element) -> str:
    """Paragraphs of a shape, indented as its lists are."""
    lines = []
    for paragraph in (part for part in shape.iter() if local(part.tag) == "p"):
        words = "".join(_shown(part) for part in paragraph.iter())
        level = _whole(
            (properties.get("lvl", "0")) if (properties := child(paragraph, "pPr")) is not None else "0"
        )
        if words.strip():
            lines.append(f"{'  ' * min(level, 8)}{'- ' if level else ''}{words.strip()}")
    return "\n".join(lines)


def _shown(part: Element) -> str:
    name = local(part.tag)
    return (part.text or "") if name == "t" else "\n" if name == "br" else "\t" if name == "tab" else ""


def _rows(shape: Element) -> Iterator[list[str]]:
    table = child(shape, "graphic", "graphicData", "tbl")
    above: list[str] = []
    for row in table if table is not None else ():
        if local(row.tag) == "tr":
            cells = [cell for cell in row if local(cell.tag) == "tc"]
            above = [
                above[at] if cell.get("vMerge") and at < len(above) else _text(cell)
                for at, cell in enumerate(cells)
            ]
            yield above


def _chart(package: Package, shape: Element, relations: Relations) -> Iterator[list[str]]:
    """The numbers that a chart was drawn from, a row for each category."""
    part = _referred(shape, relations, "chart")
    columns: list[list[str]] = []
    for series in package.elements(part, frozenset({"ser"})) if part else ():
        names = _points(child(series, "cat")) or _points(child(series, "xVal"))
        values = _points(child(series, "val")) or _points(child(series, "yVal"))
        title = " ".join(_points(child(series, "tx")).values())
        if not columns:
            columns.append(["", *(names.get(at, "") for at in range(_size(names, values)))])
        columns.append([title, *(values.get(at, "") for at in range(len(columns[0]) - 1))])
    for at in range(len(columns[0]) if columns else 0):
        yield [column[at] for column in columns]


def _points(data: Element | None) -> dict[int, str]:
    found = {}
    for point in data.iter() if data is not None else ():
        if local(point.tag) == "pt":
            value = child(point, "v")
            found[_whole(point.get("idx", "0"))] = (value.text or "") if value is not None else ""
    return found


def _size(*columns: dict[int, str]) -> int:
    return min(max((max(column, default=-1) for column in columns), default=-1) + 1, 10_000)


def _diagram(package: Package, shape: Element, relations: Relations) -> str:
    """The words of a drawing made of boxes, whose text stands in a part of its own."""
    part = _referred(shape, relations, "diagramData")
    points = package.elements(part, frozenset({"pt"})) if part else ()
    return "\n".join(text for point in points if (text := _text(point)))


def _referred(shape: Element, relations: Relations, kind: str) -> str:
    ids = {value for part in shape.iter() for key, value in part.items() if key.endswith(("}id", "}dm"))}
    return next((part for name, (what, part) in relations.items() if name in ids and what == kind), "")


def _notes(package: Package, relations: Relations) -> str:
    part = next((part for kind, part in relations.values() if kind == "notesSlide"), "")
    for notes in package.elements(part, frozenset({"notes"})):
        shapes = _in_reading_order(child(notes, "cSld", "spTree"))
        return "\n".join(text for one in shapes if _placeholder(one) == "body" and (text := _text(one)))
    return ""
