"""Reads PPTX: each slide under its title, text in reading order, tables and charts as rows, and its notes."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from bot.core.limited_child import FileRefused
from bot.documents.drawings import Relations, chart_rows, diagram_text, shape_text, whole_number
from bot.documents.found_text import FoundText, honest_title
from bot.documents.outline import Outline
from bot.documents.packages import DAMAGED, Package, child, local

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
    outline.enter(1, next((shape_text(shape) for shape in shapes if _placeholder(shape) in _TITLES), ""))
    for shape in shapes:
        if _placeholder(shape) in _TITLES or _placeholder(shape) in _ELSEWHERE:
            continue
        if rows := list(_rows(shape)):
            outline.add_table(rows)
        elif rows := list(chart_rows(package, shape, relations)):
            outline.add_table(rows[1:], header=rows[0])
        else:
            outline.hold(shape_text(shape) or diagram_text(package, shape, relations))
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
    return (whole_number(y) // BAND, whole_number(x))


def _placeholder(shape: Element) -> str:
    for name in ("nvSpPr", "nvGraphicFramePr", "nvPicPr"):
        found = child(shape, name, "nvPr", "ph")
        if found is not None:
            return found.get("type", "body")
    return ""


def _rows(shape: Element) -> Iterator[list[str]]:
    table = child(shape, "graphic", "graphicData", "tbl")
    above: list[str] = []
    for row in table if table is not None else ():
        if local(row.tag) == "tr":
            cells = [cell for cell in row if local(cell.tag) == "tc"]
            above = [
                above[at] if cell.get("vMerge") and at < len(above) else shape_text(cell)
                for at, cell in enumerate(cells)
            ]
            yield above


def _notes(package: Package, relations: Relations) -> str:
    part = next((part for kind, part in relations.values() if kind == "notesSlide"), "")
    for notes in package.elements(part, frozenset({"notes"})):
        shapes = _in_reading_order(child(notes, "cSld", "spTree"))
        return "\n".join(text for one in shapes if _placeholder(one) == "body" and (text := shape_text(one)))
    return ""
