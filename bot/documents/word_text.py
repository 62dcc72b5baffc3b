"""Text of DOCX paragraphs and rows of its tables, as they are seen."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from bot.documents.packages import attribute, child, local
from bot.documents.values import BETWEEN

_LEFT_OUT = frozenset({"Fallback", "del", "moveFrom", "instrText", "delText", "pPr", "tblPr", "sectPr"})
_AROUND = frozenset({"sdt", "sdtContent", "customXml", "ins", "smartTag"})
MOST_COLUMNS = 500
_OFF = frozenset({"0", "false", "off"})
_MATHS = {"den": "/", "sup": "^", "sub": "_"}
_BREAKS = {"br": "\n", "cr": "\n", "tab": "\t", "noBreakHyphen": "-"}


def text_of(element: Element, notes: dict[str, str]) -> str:
    """What is shown of a paragraph, or of several; text boxes that hang on it behind it."""
    seen = _Seen()
    seen.gather(element)
    text = "".join(seen.text)
    told = [notes[name] for name in seen.referred if notes.get(name)]
    text += "".join(f" [Note: {note}]" for note in told)
    return BETWEEN.join(
        [text.strip("\n") if seen.boxes else text, *(text_of(one, notes) for one in seen.boxes)]
    )


class _Seen:
    """Gathers the text of an element, and what it refers to."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.referred: list[str] = []  # notes
        self.boxes: list[Element] = []

    def gather(self, element: Element) -> None:
        for part in element:
            name = local(part.tag)
            if name in _LEFT_OUT or (name == "r" and child(part, "rPr", "vanish") is not None):
                continue
            if name == "t":
                self.text.append(part.text or "")
            elif name in _BREAKS:
                self.text.append(_BREAKS[name])
            elif name == "sym":
                self.text.append(_symbol(attribute(part, "char")))
            elif name == "txbxContent":
                self.boxes.append(part)
            elif name in ("footnoteReference", "endnoteReference"):
                self.referred.append(f"{name.removesuffix('Reference')}{attribute(part, 'id')}")
            else:
                self._gather_inside(part, name)

    def _gather_inside(self, part: Element, name: str) -> None:
        if name in _MATHS or (name == "r" and self._is_power(part)):
            self.text.append(_MATHS.get(name, "^"))
        self.gather(part)
        if name == "p":
            self.text.append("\n")

    def _is_power(self, run: Element) -> bool:
        """Raised letters behind a digit: 10⁶ is not 106."""
        raised = value_of(child(run, "rPr", "vertAlign")) == "superscript" and child(run, "t") is not None
        return raised and bool(self.text) and self.text[-1][-1:].isdigit()


def _symbol(code: str) -> str:
    """Letters of symbol fonts stand in a private area of their own; the usual ones are bullets and arrows."""
    try:
        letter = int(code, 16)
    except ValueError:
        return ""
    return "•" if 0xF000 <= letter < 0xF100 else chr(letter) if 31 < letter < 0xD800 else ""


def header_rows(table: Element) -> int:
    """How many of the first rows are said to name the columns: they come again on each page."""
    marks = [child(row, "trPr", "tblHeader") for row in _own(table, "tr")]
    return next((at for at, mark in enumerate(marks) if mark is None or value_of(mark) in _OFF), 0)


def table_rows(table: Element, notes: dict[str, str]) -> list[list[str]]:
    """Rows of cells; a cell that goes on from the row above has its text again."""
    rows: list[list[str]] = []
    for line in _own(table, "tr"):
        rows.append(_row(line, rows[-1] if rows else [], notes))
    return rows


def _row(line: Element, above: list[str], notes: dict[str, str]) -> list[str]:
    cells = [""] * _count(child(line, "trPr", "gridBefore"), 0)
    for cell in _own(line, "tc"):
        merged = child(cell, "tcPr", "vMerge")
        goes_on = merged is not None and value_of(merged) != "restart"
        text = above[len(cells)] if goes_on and len(cells) < len(above) else text_of(cell, notes).strip()
        cells += [text, *[""] * (_count(child(cell, "tcPr", "gridSpan"), 1) - 1)]
    return cells


def _own(element: Element, name: str) -> Iterator[Element]:
    """Children of a name, also where a control or a tracked change lies around them."""
    for part in element:
        if local(part.tag) == name:
            yield part
        elif local(part.tag) in _AROUND:
            yield from _own(part, name)


def _count(element: Element | None, default: int) -> int:
    value = value_of(element)
    return min(int(value), MOST_COLUMNS) if value.isascii() and value.isdigit() else default


def value_of(element: Element | None) -> str:
    return "" if element is None else attribute(element, "val")
