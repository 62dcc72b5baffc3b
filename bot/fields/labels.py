"""What stands beside a value: the words before it on its line, the head of its column, or the line above."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.fields.amounts import CURRENCY, NUMBER
from bot.fields.days import list_days
from bot.fields.roles import simplify

LONGEST_LABEL = 60  # characters
_CELLS = re.compile(r"\s*[|\t]\s*|\s{3,}")
_ABOVE = 4_000  # characters in which the head of a column is looked for
_NAMED = re.compile(r"(?<!\S)[^\W\d_]\S*\d\S*\s")  # a value of letters and digits: INV-7
_ASIDE = 300  # characters of a line on each side of a value: what stands further away is not beside it
_LETTER = re.compile(r"[^\W\d_]")
_ITEM_HEAD = re.compile(
    r"\b(?:qty|quantity|menge|anzahl|stück|unit price|einzelpreis|price|preis|units?|hours|stunden|pos)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Label:
    """The words beside a value, small. `column`: they stand above a table's column, with items below."""

    words: str
    column: bool = False


def find_label(text: str, start: int, end: int) -> Label:
    """What stands beside the value from `start` to `end` of a text."""
    begin, line = find_line(text, start)
    before = line[: start - begin]
    if told := _last_words(before):
        return Label(told)
    above = text[max(0, begin - _ABOVE) : begin].rstrip("\n").splitlines()
    cells = _CELLS.split(before)
    if len(_CELLS.split(line)) > 1 and (head := _find_head(above, len(_CELLS.split(line)))):
        words = _CELLS.split(head)[len(cells) - 1]
        return Label(simplify(words), is_item_head(head))
    if before.strip(" |"):
        return Label("")
    return Label(_label_of_line(next((line for line in reversed(above) if line.strip()), "")))


def find_line(text: str, at: int) -> tuple[int, str]:
    """The line around a position, and where it begins; of a line without end, what is near."""
    first, last = max(0, at - _ASIDE), min(len(text), at + _ASIDE)
    begin = max(first, text.rfind("\n", first, at) + 1)
    end = text.find("\n", at, last)
    return begin, text[begin : end if end >= 0 else last]


def is_item_head(line: str) -> bool:
    """Whether a line is the head of a table of items: it speaks of quantities or prices of one."""
    return len(_CELLS.split(line)) > 2 and bool(_ITEM_HEAD.search(line)) and not NUMBER.search(line)


def split_cells(line: str) -> list[str]:
    return _CELLS.split(line.strip())


def _last_words(before: str) -> str:
    """The words between the value and the number, day or cell before it; "" where there are none."""
    cut = [0, *(match.end() for match in NUMBER.finditer(before) if not _is_in_words(before, match))]
    cut += [day.end for day in list_days(before)]
    rest = _NAMED.split(before[max(cut) :])[-1]
    cells = [cell for cell in _CELLS.split(CURRENCY.sub(" ", rest)) if _LETTER.search(cell)]
    if not cells or (max(cut) == 0 and before.count("|") > 2):
        return ""
    return simplify(cells[-1][-LONGEST_LABEL:])


def _is_in_words(before: str, match: re.Match[str]) -> bool:
    """A number that is part of a label: "VAT 19%", "Total (2 items)"."""
    behind = before[match.end() :].lstrip()
    return behind.startswith(("%", ")")) or (
        bool(behind) and not _CELLS.search(before[match.end() :]) and behind[0].isalpha()
    )


def _find_head(above: list[str], cells: int) -> str:
    """The line with as many cells and no number that stands over a row of a table; "" without one."""
    for line in reversed(above):
        here = _CELLS.split(line)
        if len(here) != cells:
            return ""
        if not NUMBER.search(line) and not any(True for _ in list_days(line)):
            return line
    return ""


def _label_of_line(line: str) -> str:
    """Of a line above: all of it, or what stands behind the last thing on it that has digits."""
    last = _CELLS.split(line)[-1]
    words = re.split(r"\S*\d\S*", last)[-1].strip()
    return simplify(words) if len(words) <= LONGEST_LABEL and _LETTER.search(words) else ""
