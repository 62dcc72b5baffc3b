"""Whether words can be what a text field asks for: a number that names a bill, the name of a firm.

A model may point at any words of a document. A number has a digit in it and is no part of a day; a name is
whole, no label, and at its place; and where several firms could have written a bill, nobody knows which did.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.fields.amounts import list_numbers
from bot.fields.days import list_days
from bot.fields.fitting import FIRM, NUMBERS, PARTIES, FieldLabels
from bot.fields.labels import find_line, is_item_head
from bot.fields.patterns import Learned
from bot.fields.pieces import DocumentPiece
from bot.fields.places import FoundPlace
from bot.fields.readings import ReadValue
from bot.fields.roles import find_role

NO_NAME = "“{text}” does not look like the {field}."
PART_OF = "It may be only a part of “{line}”."
NOBODY_SAYS = "Nothing beside it says what it is."
_NUMBER = re.compile(r"#?(?:[^\W\d_]{1,5}[ ])?(?:[\w./#-]*\d[\w./-]*)(?:[ ][\w./-]*\d[\w./-]*){0,7}")
_LETTER = re.compile(r"[^\W\d_]{2}")
_CELL_ENDS = re.compile(r"\s{0,3}(?:$|[|·•,;(–—]|\s{3}|\s-\s|[A-ZÄÖÜ][^:|\d]{0,30}:\s)")
_CELL_BEGINS = re.compile(r"(?:^|[|:·•,–—(]|\s{3}|\s-)\s{0,3}$")
_CELL = re.compile(r"[^|·•,;:\n]+")
_SHORT_LABEL = 40  # characters
_FIRST_LINES = 2  # where the name of whoever writes stands


def find_misfit(field: str, reading: ReadValue, labels: FieldLabels, piece: DocumentPiece) -> str:
    """Why words are perhaps not what a text field asks for; "" where nothing speaks against it."""
    place = reading.place
    if labels.role in NUMBERS:
        fits = _NUMBER.fullmatch(place.text) and not _is_in_day(place)
        return "" if fits else NO_NAME.format(text=place.text, field=field)
    before, behind = _around(place)
    if re.match(r"\s*:", behind) or ": " in place.text or is_item_head(place.line):
        return NO_NAME.format(text=place.text, field=field)
    if labels.role not in PARTIES:
        near = labels.fits(reading.label) and len(reading.label.words) <= _SHORT_LABEL
        settled = labels.learned.is_right(field, reading.label.words)
        return "" if settled or (near and _CELL_BEGINS.search(before)) else NOBODY_SAYS
    known = labels.learned.is_name(field, reading.value)
    if not known and not _is_name(place):
        return NO_NAME.format(text=place.text, field=field)
    fits = labels.fits(reading.label)
    whole = _CELL_ENDS.match(behind) or FIRM.search(place.text[-12:])
    if not whole or not (fits or _CELL_BEGINS.search(before)):
        return PART_OF.format(line=place.line)
    if fits or known:
        return ""
    return "" if _stands_where_writers_do(reading, labels, piece) else NOBODY_SAYS


def list_firms(
    piece: DocumentPiece, labels: FieldLabels, learned: Learned, field: str
) -> Iterator[FoundPlace]:
    """Every firm that a piece names with what kind of firm it is, but those that are said to be another's."""
    for page in piece.pages:
        for cell in _CELL.finditer(page.text):
            for form in list(FIRM.finditer(cell[0]))[:1]:
                start = cell.start() + len(cell[0]) - len(cell[0].lstrip())
                place = FoundPlace(page, start, cell.start() + form.end())
                said = labels.speaks_of_other(place.label) or learned.is_no_name(field, place.text)
                if not said and len(place.text.split()) < 8 and len(place.text) > form.end() - form.start():
                    yield place


def _stands_where_writers_do(reading: ReadValue, labels: FieldLabels, piece: DocumentPiece) -> bool:
    """At the top, or as the only firm of a document that says who the other party is."""
    place = reading.place
    lines = [line.strip(" |") for line in piece.text.splitlines() if line.strip(" |")]
    on_top = place.line in lines[:_FIRST_LINES]
    other = next(iter(PARTIES - {labels.role}))
    says_other = any(find_role(label, "text") == other for line in lines for label in _list_labels(line))
    firm = bool(FIRM.search(f"{place.text}{_around(place)[1][:12]}"))
    return (on_top and (says_other or firm)) or (says_other and firm)


def _list_labels(line: str) -> list[str]:
    return [match[0] for match in re.finditer(r"[^|:]+(?=[|:])", f"{line}:") if len(match[0]) < 30]


def _is_name(place: FoundPlace) -> bool:
    text = place.text
    taken = _is_in_day(place) or any(number.is_money for number in list_numbers(text))
    named = find_role(text, "money") or find_role(text, "date") or find_role(text, "text")
    return bool(_LETTER.search(text)) and not taken and (not named or bool(FIRM.search(text)))


def _is_in_day(place: FoundPlace) -> bool:
    begin, line = find_line(place.page.text, place.start)
    left, right = place.start - begin, place.end - begin
    return any(day.start < right and left < day.end for day in list_days(line))


def _around(place: FoundPlace) -> tuple[str, str]:
    begin, line = find_line(place.page.text, place.start)
    return line[: place.start - begin], line[place.end - begin :]
