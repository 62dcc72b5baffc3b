"""Numbers and bullets of lists and headings in DOCX, which stand in no paragraph and are counted instead."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from bot.documents.packages import Package, attribute, child

_PLACE = re.compile(r"%([1-9])")
_ROMAN = tuple(
    zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ["m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"],
        strict=True,
    )
)
MOST_ROMAN = 4_000


class Numbering:
    """Counts the paragraphs of each list."""

    def __init__(self, package: Package) -> None:
        formats: dict[str, dict[str, tuple[str, str, int]]] = {}
        self._lists: dict[str, str] = {}  # number of a list → what it is counted by
        for one in package.elements("word/numbering.xml", frozenset({"abstractNum", "num"})):
            if levels := {
                attribute(level, "ilvl"): _format(level)
                for level in one
                if child(level, "numFmt") is not None
            }:
                formats[attribute(one, "abstractNumId")] = levels
            elif (abstract := child(one, "abstractNumId")) is not None:
                self._lists[attribute(one, "numId")] = attribute(abstract, "val")
        self._formats = formats
        self._counts: dict[str, dict[int, int]] = {}

    def mark(self, listed: tuple[str, str], *, heading: bool = False) -> str:
        """What stands before the next paragraph of such a list: "2.1 ", "- "; "" where it has none."""
        number, level = listed[0], int(listed[1]) if listed[1].isdigit() else 0
        levels = self._formats.get(self._lists.get(number, ""), {})
        kind, text, start = levels.get(str(level), ("", "", 1))
        if not number or number == "0" or (heading and not kind):
            return ""
        if kind in ("", "bullet", "none"):
            return "" if heading or kind == "none" else "  " * min(level, 8) + "- "
        counts = self._counts.setdefault(number, {})
        counts[level] = counts.get(level, start - 1) + 1
        for deeper in [one for one in counts if one > level]:
            del counts[deeper]
        shown = _PLACE.sub(lambda match: self._shown(levels, counts, int(match[1]) - 1), text)
        return ("" if heading else "  " * min(level, 8)) + shown.strip() + " "

    @staticmethod
    def _shown(levels: dict[str, tuple[str, str, int]], counts: dict[int, int], level: int) -> str:
        kind, _, start = levels.get(str(level), ("decimal", "", 1))
        return _spell(counts.get(level, start), kind)


def _format(level: Element) -> tuple[str, str, int]:
    """Kind of number, text around it, first number."""
    values = [
        "" if (one := child(level, name)) is None else attribute(one, "val")
        for name in ("numFmt", "lvlText", "start")
    ]
    return values[0], values[1][:50], int(values[2]) if values[2].isdigit() and len(values[2]) < 7 else 1


def _spell(number: int, kind: str) -> str:
    if kind in ("lowerLetter", "upperLetter"):
        letters = chr(ord("a") + (number - 1) % 26) * min((number - 1) // 26 + 1, 10)
        return letters.upper() if kind == "upperLetter" else letters
    if kind in ("lowerRoman", "upperRoman") and number < MOST_ROMAN:
        return _roman(number).upper() if kind == "upperRoman" else _roman(number)
    return f"{number:02}" if kind == "decimalZero" else str(number)


def _roman(number: int) -> str:
    out = ""
    for value, letters in _ROMAN:
        out += letters * (number // value)
        number %= value
    return out
