"""Words in the drawings of Office files: shapes, charts, boxes with arrows. One language for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

from bot.documents.packages import Package, child, local

Relations = Mapping[str, tuple[str, str]]  # id → kind and part


def shape_text(shape: Element) -> str:
    """Paragraphs of a shape, indented as its lists are."""
    lines = []
    for paragraph in (part for part in shape.iter() if local(part.tag) == "p"):
        words = "".join(_shown(part) for part in paragraph.iter())
        level = whole_number(
            (properties.get("lvl", "0")) if (properties := child(paragraph, "pPr")) is not None else "0"
        )
        if words.strip():
            lines.append(f"{'  ' * min(level, 8)}{'- ' if level else ''}{words.strip()}")
    return "\n".join(lines)


def _shown(part: Element) -> str:
    name = local(part.tag)
    return (part.text or "") if name == "t" else "\n" if name == "br" else "\t" if name == "tab" else ""


def chart_rows(package: Package, shape: Element, relations: Relations) -> Iterator[list[str]]:
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
            found[whole_number(point.get("idx", "0"))] = (value.text or "") if value is not None else ""
    return found


def _size(*columns: dict[int, str]) -> int:
    return min(max((max(column, default=-1) for column in columns), default=-1) + 1, 10_000)


def diagram_text(package: Package, shape: Element, relations: Relations) -> str:
    """The words of a drawing made of boxes, whose text stands in a part of its own."""
    part = _referred(shape, relations, "diagramData")
    points = package.elements(part, frozenset({"pt"})) if part else ()
    return "\n".join(text for point in points if (text := shape_text(point)))


def _referred(shape: Element, relations: Relations, kind: str) -> str:
    ids = {value for part in shape.iter() for key, value in part.items() if key.endswith(("}id", "}dm"))}
    return next((part for name, (what, part) in relations.items() if name in ids and what == kind), "")


def whole_number(value: str) -> int:
    digits = value.removeprefix("-")
    return int(value) if digits.isascii() and digits.isdigit() and len(digits) < 15 else 0
